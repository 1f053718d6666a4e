//! What an Ingress may ask for that nothing in the cluster serves yet.
//!
//! Such a member is held while it is read: operator and agents read the same objects and so agree on what is served,
//! which is the member's last good reading and never something broader than what is asked for.

use super::{backend::no_action, route::at};
use crate::{
    intent::{Action, Answer, HttpAsk, PathType, Route},
    read::error::ReadError,
};

/// Each thing that is not served, with its place.
pub(super) fn not_served(ask: &HttpAsk) -> Vec<ReadError> {
    let routes = ask.routes.iter().flat_map(|route| {
        let lacking = of_route(route).into_iter().chain(of_action(&route.action));
        lacking.map(|what| ReadError::NotInCluster { at: at(route.rule, &route.path), what })
    });
    let default = ask.default.iter().filter_map(of_action);
    let default = default.map(|what| ReadError::NotInCluster { at: "spec.defaultBackend".to_owned(), what });
    routes.chain(default).collect()
}

fn of_route(route: &Route) -> Vec<&'static str> {
    let lacking = [
        (!route.matches.is_empty(), "further conditions are"),
        (!route.rewrites.is_empty(), "rewrites are"),
        (route.path_type == PathType::Regex, "regular expressions are"),
    ];
    lacking.into_iter().filter_map(|(asked, what)| asked.then_some(what)).collect()
}

fn of_action(action: &Action) -> Option<&'static str> {
    match action {
        Action::Service(_) => None,
        Action::Split(_) => Some("a forward to target groups or by weight is"),
        Action::Redirect(redirect) if redirect.status == 301 && redirect.to_tls_only().is_some() => None,
        Action::Redirect(_) => Some("a redirect other than a permanent one to HTTPS and a port is"),
        // Without its text, this is still the answer that says that there is nothing.
        Action::Answer(answer) if *answer == no_action() => None,
        Action::Answer(Answer { body: None, content_type, .. })
            if content_type.as_deref().is_none_or(|kind| kind == "text/plain") =>
        {
            None
        }
        Action::Answer(_) => Some("a fixed response with a body is"),
    }
}
