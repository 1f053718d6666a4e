//! What an Ingress asks of listeners that it does not have: read like all else, and without effect.

use super::error::Advice;
use crate::{
    ids::{ObjectRef, Port},
    intent::{HttpProtocol, Listen},
    settings::{Settings, alb},
};

/// What to tell the author of `object`. A class speaks for many Ingresses: what it says beside one is no mistake.
pub(super) fn beside(object: &ObjectRef, settings: &Settings, listens: &[Listen]) -> Vec<Advice> {
    let mut advice = Vec::new();
    for (tail, all) in settings.family_all(&alb::LISTENER_ATTRIBUTES).unwrap_or_default() {
        let names_one = listens.iter().any(|listen| tail == listener(listen));
        let own = all.iter().find(|asked| asked.from.object == *object);
        advice.extend(own.filter(|_| !names_one).map(|asked| Advice::WithoutEffect {
            at: asked.from.key.clone(),
            why: "names no listener of this Ingress".to_owned(),
        }));
    }
    let https = |port: Port| {
        listens.iter().any(|listen| listen.port == port && listen.protocol == HttpProtocol::Https)
    };
    if let Some(asked) = settings.get(&alb::MUTUAL_AUTHENTICATION).ok().flatten() {
        let others = asked.value.iter().filter(|certificates| !https(certificates.port));
        advice.extend(others.map(|certificates| Advice::WithoutEffect {
            at: asked.from.key.clone(),
            why: format!("names port {}, which is no HTTPS listener of this Ingress", certificates.port),
        }));
    }
    advice
}

/// A listener as the tail of `listener-attributes.` names it.
fn listener(listen: &Listen) -> String {
    let protocol = match listen.protocol {
        HttpProtocol::Http => "HTTP",
        HttpProtocol::Https => "HTTPS",
    };
    format!("{protocol}-{}", listen.port)
}
