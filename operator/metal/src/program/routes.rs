//! Listeners and routes of one stack, from its intent.
//!
//! Where two members ask for the same host and path, the first in the stack's order has it.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    ids::Key,
    intent::{self, Ask, HttpAsk, HttpProtocol, Intent, Member, PathType},
};

use crate::clients;

use super::{
    Action, Certificate, Path, Route, Serve,
    endpoints::{Places, endpoints},
};

/// What is served on each port.
pub(super) fn serve(places: &Places<'_>, intent: &Intent) -> BTreeMap<u16, Serve> {
    let mut ports: BTreeMap<u16, Serve> = BTreeMap::new();
    let mut taken: BTreeSet<(u16, Option<String>, Path)> = BTreeSet::new();
    let redirect = members(intent).find_map(|(_, ask)| ask.ssl_redirect);
    for (member, ask) in members(intent) {
        for listen in &ask.listens {
            let port = listen.port.get();
            let tls = listen.protocol == HttpProtocol::Https;
            let serve = ports.entry(port).or_insert_with(|| Serve { tls, ..Serve::default() });
            // A port that the first member serves plain stays plain: the later member's rules would be sent in clear.
            if serve.tls != tls {
                continue;
            }
            if let (false, Some(redirect)) = (tls, redirect) {
                serve.default = Some(Action::RedirectToTls(redirect.get()));
                continue;
            }
            if tls {
                add_certificates(serve, member, ask);
            }
            let new =
                |(host, path): &(Option<String>, Path)| taken.insert((port, host.clone(), path.clone()));
            add_routes(places, (port, serve), ask, new);
            if let (None, Some(default)) = (&serve.default, &ask.default) {
                serve.default = action(places, default).filter(|action| !loops(action, port, serve.tls));
            }
        }
    }
    for (port, sources) in clients::by_port(intent) {
        if let Some(serve) = ports.get_mut(&port) {
            serve.sources = sources;
        }
    }
    ports
}

fn members(intent: &Intent) -> impl Iterator<Item = (&Member, &HttpAsk)> {
    intent.members.iter().filter_map(|member| match &member.ask {
        Ask::Http(ask) => Some((member, &**ask)),
        Ask::L4(_) => None,
    })
}

fn add_certificates(serve: &mut Serve, member: &Member, ask: &HttpAsk) {
    for tls in &ask.tls {
        let Some(name) = &tls.secret else { continue };
        let secret = Key::new(&member.object.key.namespace, name);
        // Without hosts, the certificate is for every name that no other one is for.
        let hosts = if tls.hosts.is_empty() { vec![String::new()] } else { tls.hosts.clone() };
        for host in hosts.into_iter().map(|host| host.to_lowercase()) {
            if !serve.certificates.iter().any(|present| present.host == host) {
                serve.certificates.push(Certificate { host, secret: secret.clone() });
            }
        }
    }
}

fn add_routes(
    places: &Places<'_>,
    (port, serve): (u16, &mut Serve),
    ask: &HttpAsk,
    mut is_new: impl FnMut(&(Option<String>, Path)) -> bool,
) {
    for route in &ask.routes {
        let (Some(path), Some(action)) =
            (servable_path(route.path_type, &route.path), action(places, &route.action))
        else {
            continue;
        };
        let place = (route.host.clone(), path);
        if !loops(&action, port, serve.tls) && !is_redirected(serve, &place) && is_new(&place) {
            let (host, path) = place;
            serve.routes.push(Route { host, path, action });
        }
    }
}

/// Whether a redirect would send clients of a port back to it. Authors write one rule for all their listeners and mean
/// those without TLS.
fn loops(action: &Action, port: u16, tls: bool) -> bool {
    tls && *action == Action::RedirectToTls(port)
}

/// Whether an earlier redirect to TLS takes all requests for a place. Here the longest path wins, and not the first rule:
/// without this, what the author wants to have encrypted would be served in clear.
fn is_redirected(serve: &Serve, (host, path): &(Option<String>, Path)) -> bool {
    let (Path::Exact(text) | Path::Prefix(text)) = path;
    serve.routes.iter().any(|earlier| {
        let hosts = earlier.host.is_none() || earlier.host == *host;
        let paths = match &earlier.path {
            Path::Exact(_) => earlier.path == *path,
            Path::Prefix(prefix) => {
                let stem = prefix.trim_end_matches('/');
                text == prefix
                    || text == stem
                    || text.strip_prefix(stem).is_some_and(|rest| rest.starts_with('/'))
            }
        };
        matches!(earlier.action, Action::RedirectToTls(_)) && hosts && paths
    })
}

/// How a path is matched here. ALB patterns that end in `/*` mean a prefix; other patterns have no meaning here and
/// route nothing.
pub(crate) fn servable_path(kind: PathType, text: &str) -> Option<Path> {
    let text = if text.is_empty() { "/" } else { text };
    match kind {
        PathType::Exact => Some(Path::Exact(text.to_owned())),
        PathType::Prefix => Some(Path::Prefix(text.to_owned())),
        PathType::ImplementationSpecific => {
            let prefix =
                text.strip_suffix("/*").map_or(text, |rest| if rest.is_empty() { "/" } else { rest });
            (!prefix.contains(['*', '?'])).then(|| Path::Prefix(prefix.to_owned()))
        }
        // Readings with expressions are held before they come here.
        PathType::Regex => None,
    }
}

/// `None` for what nothing here serves; readings that ask for it are held before they come here.
fn action(places: &Places<'_>, action: &intent::Action) -> Option<Action> {
    match action {
        intent::Action::Service(backend) => Some(match &backend.found {
            Some(service) => Action::Forward(endpoints(places, backend, service)),
            None => Action::Status(503),
        }),
        intent::Action::Redirect(redirect) => {
            redirect.to_tls_only().map(|port| Action::RedirectToTls(port.get()))
        }
        intent::Action::Answer(answer) => Some(Action::Status(answer.status)),
        intent::Action::Split(_) => None,
    }
}
