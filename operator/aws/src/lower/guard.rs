//! Who is let through, and the Secrets that have to be known for it.
//!
//! A Secret that is missing or holds no client holds its member: a rule is never made without its guard.

use fairway_core::{
    ids::Key,
    intent::{Guard, HttpAsk, HttpProtocol, IdentityProvider, Member},
};

use super::{LowerError, Lowering, Scene};
use crate::{
    facts::{Answer, Query},
    model::{Action, Claim, Cognito, Jwt, Oidc, SecretRef, Session},
    secret::ClientSeen,
};

/// Where Secrets are named.
const AT: &str = "auth-idp-oidc";

/// The Secrets that have to be known before the Ingress can be lowered. Without an HTTPS listener, none.
pub(super) fn questions(member: &Member, ask: &HttpAsk) -> Vec<Query> {
    if !ask.listens.iter().any(|listen| listen.protocol == HttpProtocol::Https) {
        return Vec::new();
    }
    let guards = ask.routes.iter().filter_map(|route| route.guard.as_ref()).chain(&ask.default_guard);
    let secrets = guards.filter_map(|guard| match guard {
        Guard::Oidc(provider, _) => Some(Query::Client(secret(member, provider))),
        Guard::Cognito(..) | Guard::Token(_) => None,
    });
    secrets.collect()
}

/// The action that stands before all others. `None` where no HTTPS listener has it.
pub(super) fn lower(
    scene: &Scene<'_>,
    member: &Member,
    ask: &HttpAsk,
    guard: Option<&Guard>,
) -> Lowering<Option<Action>> {
    let https = ask.listens.iter().any(|listen| listen.protocol == HttpProtocol::Https);
    let Some(guard) = guard.filter(|_| https) else { return Ok(None) };
    Ok(Some(match guard {
        Guard::Cognito(pool, asked) => Action::Cognito(Cognito {
            user_pool: pool.arn.clone(),
            client: pool.client.clone(),
            domain: pool.domain.clone(),
            session: Session { parameters: pool.parameters.clone(), ..session(asked) },
        }),
        Guard::Oidc(provider, asked) => {
            let name = secret(member, provider);
            let (client, digest) = client(scene, &name)?;
            Action::Oidc(Oidc {
                issuer: provider.issuer.clone(),
                authorization: provider.authorization.clone(),
                token: provider.token.clone(),
                user_info: provider.user_info.clone(),
                client,
                secret: Some(SecretRef { secret: name, digest }),
                session: Session { parameters: provider.parameters.clone(), ..session(asked) },
            })
        }
        Guard::Token(asked) => Action::Jwt(Jwt {
            keys: asked.keys.clone(),
            issuer: asked.issuer.clone(),
            claims: asked
                .claims
                .iter()
                .map(|claim| Claim {
                    format: claim.format.as_str().to_owned(),
                    name: claim.name.clone(),
                    values: claim.values.clone(),
                })
                .collect(),
        }),
    }))
}

fn secret(member: &Member, provider: &IdentityProvider) -> Key {
    Key::new(&member.object.key.namespace, &provider.secret)
}

fn client(scene: &Scene<'_>, name: &Key) -> Lowering<(String, String)> {
    match scene.ask(Query::Client(name.clone()))? {
        Answer::Client(ClientSeen::Known { client, digest }) => Ok((client.clone(), digest.clone())),
        Answer::Client(ClientSeen::Unusable(problem)) => {
            let (secret, problem) = (name.clone(), problem.clone());
            Err(LowerError::SecretUnusable { at: AT, secret, problem }.into())
        }
        _ => Err(LowerError::SecretNotFound { at: AT, secret: name.clone() }.into()),
    }
}

fn session(asked: &fairway_core::intent::Session) -> Session {
    Session {
        unauthenticated: asked.unauthenticated.as_str().to_owned(),
        scope: asked.scope.clone(),
        cookie: asked.cookie.clone(),
        timeout: asked.timeout,
        parameters: std::collections::BTreeMap::new(),
    }
}
