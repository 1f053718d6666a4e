//! Who is let through to a backend, as the Ingress and its Services say.
//!
//! A Service's annotations count, and are stronger, where a path leads to that Service alone. Tokens are asked for by
//! the Ingress only, and not besides a session. Nothing that cannot be read becomes a path without its guard: the whole
//! Ingress is held.

use std::collections::BTreeSet;

use k8s_openapi::api::networking::v1::Ingress;

use super::{Reader, backend_services};
use crate::{
    ids::Key,
    intent::{Action, Guard, HttpAsk, HttpProtocol, Session, Target},
    read::{
        error::{Advice, ReadError},
        written::{self, place},
    },
    settings::{
        Provenance, Settings, Unreadable, alb, own,
        words::{AuthenticationType, Unauthenticated},
    },
    snapshot::Snapshot,
};

const NO_POOL: &str = "is cognito, and there is no auth-idp-cognito";
const NO_PROVIDER: &str = "is oidc, and there is no auth-idp-oidc";
const BOTH: &str =
    "stands beside auth-type, and a request can be asked for a session or for a token, not for both";

/// The Secrets that an Ingress names, by itself or by the Services that it forwards to: when one of them changes, the
/// Ingress has to be looked at again. A document that cannot be read names none.
#[must_use]
pub fn secrets(snapshot: &Snapshot, ingress: &Ingress) -> BTreeSet<Key> {
    let namespace = ingress.metadata.namespace.as_deref().unwrap_or_default();
    let services = backend_services(ingress);
    let services = services.iter().filter_map(|service| snapshot.services.get(service));
    let metas = services.map(|service| &service.metadata).chain([&ingress.metadata]);
    let key = format!("{}{}", alb::PREFIX, alb::AUTH_IDP_OIDC.key);
    let documents = metas.filter_map(|meta| meta.annotations.as_ref()?.get(&key));
    let providers = documents.filter_map(|text| (alb::AUTH_IDP_OIDC.parse)(text).ok());
    let names = providers.map(|provider| provider.secret).chain(imported(ingress));
    names.map(|name| Key::new(namespace, &name)).collect()
}

/// The Secrets whose certificates are imported.
fn imported(ingress: &Ingress) -> impl Iterator<Item = String> {
    let key = format!("{}{}", own::PREFIX, own::IMPORT_CERTIFICATES.key);
    let asked = ingress.metadata.annotations.as_ref().and_then(|all| all.get(&key));
    let asked = asked.is_some_and(|text| (own::IMPORT_CERTIFICATES.parse)(text) == Ok(true));
    let tls = ingress.spec.iter().filter(move |_| asked).flat_map(|spec| spec.tls.iter().flatten());
    tls.filter_map(|tls| tls.secret_name.clone())
}

impl Reader<'_> {
    /// Who is let through to `action`. What is wrong is noted, and the member will be held.
    pub(super) fn guard(&mut self, action: &Action) -> Option<Guard> {
        let own;
        let settings = match only_service(action) {
            Some(settings) => settings,
            None => {
                let all = self.class.iter().chain(&self.own).filter(written::is_of_backend);
                own = written::settings(all);
                &own
            }
        };
        let session = session(settings).map_err(|wrong| self.wrong(wrong));
        let token = self.rules.get(&alb::JWT_VALIDATION).ok().flatten();
        let read = match (session, token) {
            (Err(error), _) => Err(error),
            (Ok(Some(_)), Some(token)) => {
                Err(ReadError::Guard { at: place(&self.object, &token.from), problem: BOTH })
            }
            (Ok(session), token) => Ok(session.or_else(|| token.map(|token| Guard::Token(token.value)))),
        };
        match read {
            Ok(guard) => guard,
            Err(error) => {
                if !self.errors.contains(&error) {
                    self.errors.push(error);
                }
                None
            }
        }
    }

    fn wrong(&self, wrong: Wrong) -> ReadError {
        match wrong {
            Wrong::Value(unreadable) => ReadError::Value {
                at: place(&self.object, &unreadable.from),
                value: unreadable.value,
                problem: unreadable.problem,
            },
            Wrong::Incomplete(from, problem) => ReadError::Guard { at: place(&self.object, &from), problem },
        }
    }
}

enum Wrong {
    Value(Unreadable),
    Incomplete(Provenance, &'static str),
}

impl From<Box<Unreadable>> for Wrong {
    fn from(unreadable: Box<Unreadable>) -> Self {
        Self::Value(*unreadable)
    }
}

/// The settings of the one Service that an action leads to.
fn only_service(action: &Action) -> Option<&Settings> {
    match action {
        Action::Service(backend) => Some(&backend.settings),
        Action::Split(split) => match split.shares.as_slice() {
            [share] => match &share.target {
                Target::Service(backend) => Some(&backend.settings),
                Target::Group(_) => None,
            },
            _ => None,
        },
        Action::Redirect(_) | Action::Answer(_) => None,
    }
}

/// The session that is asked for, if any.
fn session(settings: &Settings) -> Result<Option<Guard>, Wrong> {
    let Some(asked) = settings.get(&alb::AUTH_TYPE)? else { return Ok(None) };
    let missing = |problem| Wrong::Incomplete(asked.from.clone(), problem);
    let details = || -> Result<Session, Wrong> {
        let text = |row| settings.get::<String>(row).map(|read| read.map(|read| read.value));
        let unauthenticated = settings.get(&alb::AUTH_ON_UNAUTHENTICATED_REQUEST)?;
        Ok(Session {
            unauthenticated: unauthenticated.map_or(Unauthenticated::Authenticate, |read| read.value),
            scope: text(&alb::AUTH_SCOPE)?.unwrap_or_else(|| "openid".to_owned()),
            cookie: text(&alb::AUTH_SESSION_COOKIE)?.unwrap_or_else(|| "AWSELBAuthSessionCookie".to_owned()),
            timeout: settings.get(&alb::AUTH_SESSION_TIMEOUT)?.map_or(604_800, |read| read.value),
        })
    };
    match asked.value {
        AuthenticationType::None => Ok(None),
        AuthenticationType::Cognito => {
            let pool = settings.get(&alb::AUTH_IDP_COGNITO)?.ok_or_else(|| missing(NO_POOL))?;
            Ok(Some(Guard::Cognito(pool.value, details()?)))
        }
        AuthenticationType::Oidc => {
            let provider = settings.get(&alb::AUTH_IDP_OIDC)?.ok_or_else(|| missing(NO_PROVIDER))?;
            Ok(Some(Guard::Oidc(provider.value, details()?)))
        }
    }
}

/// What to tell the author when there are guards and no listener that has them.
pub(super) fn nowhere(ask: &HttpAsk) -> Option<Advice> {
    if ask.listens.iter().any(|listen| listen.protocol == HttpProtocol::Https) {
        return None;
    }
    let guard = ask.routes.iter().find_map(|route| route.guard.as_ref()).or(ask.default_guard.as_ref())?;
    let key = match guard {
        Guard::Cognito(..) | Guard::Oidc(..) => alb::AUTH_TYPE.key,
        Guard::Token(_) => alb::JWT_VALIDATION.key,
    };
    Some(Advice::WithoutEffect {
        at: format!("{}{key}", alb::PREFIX),
        why: "counts on HTTPS listeners only, and this Ingress has none".to_owned(),
    })
}
