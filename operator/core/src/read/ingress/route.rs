//! Paths of an Ingress, with what its annotations add to them.

use k8s_openapi::api::networking::v1::{HTTPIngressPath, IngressSpec};

use super::{Reader, paths};
use crate::{
    intent::{PathType, Route},
    read::error::ReadError,
    settings::alb,
};

impl Reader<'_> {
    pub(super) fn routes(&mut self, spec: &IngressSpec) -> Vec<Route> {
        let routes = paths(spec).map(|(rule, host, path)| self.route(rule, host, path));
        routes.flatten().collect()
    }

    /// `None`: what is wrong has been noted, and the member will be held.
    fn route(&mut self, rule: usize, host: Option<&str>, path: &HTTPIngressPath) -> Option<Route> {
        let text = path.path.as_deref().unwrap_or_default();
        let at = at(rule, text);
        let (path_type, text) = match self.path(&at, &path.path_type, text) {
            Ok(path) => path,
            Err(error) => {
                self.errors.push(error);
                return None;
            }
        };
        let action = self.action(&at, &path.backend)?;
        let guard = self.guard(&action);
        let name = path.backend.service.as_ref().map(|service| service.name.as_str()).unwrap_or_default();
        // Documents that cannot be read were noted with the other values of the Ingress.
        let matches = self.rules.member(&alb::CONDITIONS, name).ok()?;
        let rewrites = self.rules.member(&alb::TRANSFORMS, name).ok()?;
        Some(Route {
            rule,
            host: host.map(str::to_owned),
            path_type,
            path: text,
            matches: matches.map(|matches| matches.value).unwrap_or_default(),
            rewrites: rewrites.map(|rewrites| rewrites.value).unwrap_or_default(),
            guard,
            action,
        })
    }

    fn path(&self, at: &str, kind: &str, text: &str) -> Result<(PathType, String), ReadError> {
        let kind = match kind {
            "Exact" => PathType::Exact,
            "Prefix" => PathType::Prefix,
            "ImplementationSpecific" | "" => PathType::ImplementationSpecific,
            other => {
                return Err(ReadError::Shape {
                    at: at.to_owned(),
                    problem: format!("{other} is no path type"),
                });
            }
        };
        let regex =
            self.rules.get(&alb::USE_REGEX_PATH_MATCH).ok().flatten().is_some_and(|asked| asked.value);
        if !regex || kind != PathType::ImplementationSpecific || text.is_empty() {
            return Ok((kind, text.to_owned()));
        }
        match text.chars().skip(1).collect::<String>() {
            empty if empty.is_empty() => {
                let problem = "no regular expression is left behind the first character";
                Err(ReadError::Path { at: at.to_owned(), problem })
            }
            regex => Ok((PathType::Regex, regex)),
        }
    }
}

/// How messages name a path.
pub(super) fn at(rule: usize, path: &str) -> String {
    format!("spec.rules[{rule}] path {path}")
}
