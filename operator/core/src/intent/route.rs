//! One path of an Ingress: what it matches, what is changed on the way, and what is done.
//!
//! All of a route's conditions have to hold; of each, one value is enough. Rewrites happen after the match and before the
//! request is passed on.

use serde::{Deserialize, Serialize};

use super::{Backend, Guard};
use crate::ids::Port;

/// One path of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Index of the rule in `spec.rules`: paths are sorted within a rule only.
    pub rule: usize,
    /// `None` matches every host. A leading `*.` matches one label.
    pub host: Option<String>,
    /// How the path is matched.
    pub path_type: PathType,
    /// As written; empty when the manifest has none. Of a [`PathType::Regex`], without its first character.
    pub path: String,
    /// Further conditions, in the order in which they were written. Those of host and path are alternatives to the
    /// route's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// Changes of the request that is passed on. At most one of each kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<Rewrite>,
    /// Who is let through, where the listener is HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// What is done with matching requests.
    pub action: Action,
}

/// `pathType` of an Ingress path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PathType {
    /// The whole path, nothing else.
    Exact,
    /// Element by element.
    Prefix,
    /// As the provider understands it; also used when the manifest names none.
    ImplementationSpecific,
    /// A regular expression: an ImplementationSpecific path that a setting makes one.
    Regex,
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Passed on to a Service.
    Service(Backend),
    /// Passed on to one of several, or to what is no Service.
    Split(Split),
    /// Sent elsewhere.
    Redirect(Redirect),
    /// Answered at once.
    Answer(Answer),
}

impl Action {
    /// The Services that it passes requests on to.
    pub fn backends(&self) -> impl Iterator<Item = &Backend> {
        let (one, split) = match self {
            Self::Service(backend) => (Some(backend), None),
            Self::Split(split) => (None, Some(split)),
            Self::Redirect(_) | Self::Answer(_) => (None, None),
        };
        let shares = split.into_iter().flat_map(|split| &split.shares);
        one.into_iter().chain(shares.filter_map(|share| match &share.target {
            Target::Service(backend) => Some(backend),
            Target::Group(_) => None,
        }))
    }
}

/// Requests divided by weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// At least one.
    pub shares: Vec<Share>,
    /// Seconds for which a client stays with one target; `None`: every request is divided anew.
    pub stickiness: Option<u32>,
}

/// One part of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Relative to the other shares; 0 gets nothing, unless it is the only share.
    pub weight: u16,
    /// Who gets it.
    pub target: Target,
}

/// Who gets a share of the requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A Service of the member's namespace.
    Service(Backend),
    /// A target group that somebody else made. It is never changed.
    Group(GroupName),
}

/// A target group outside the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupName {
    /// By its ARN.
    Arn(String),
    /// By its name.
    Name(String),
}

/// A redirect. What is absent is taken from the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// `HTTP`, `HTTPS` or `#{protocol}`.
    pub protocol: Option<String>,
    /// Host, `#{host}` allowed.
    pub host: Option<String>,
    /// A number or `#{port}`.
    pub port: Option<String>,
    /// Begins with a slash; `#{host}`, `#{path}` and `#{port}` allowed.
    pub path: Option<String>,
    /// Without the question mark; `#{query}` and the like allowed.
    pub query: Option<String>,
    /// 301 or 302.
    pub status: u16,
}

impl Redirect {
    /// Whether the request is sent to HTTPS and nothing else of it changes.
    #[must_use]
    pub fn to_tls_only(&self) -> Option<Port> {
        let keeps = |part: &Option<String>, same: &str| part.as_deref().is_none_or(|part| part == same);
        let same =
            keeps(&self.host, "#{host}") && keeps(&self.path, "/#{path}") && keeps(&self.query, "#{query}");
        let port = self.port.as_deref().and_then(|port| Port::new(port.parse().ok()?));
        port.filter(|_| same && self.protocol.as_deref() == Some("HTTPS"))
    }
}

/// An answer that no backend gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// 200-299 or 400-599.
    pub status: u16,
    /// `None` leaves the header away.
    pub content_type: Option<String>,
    /// `None` is an empty body.
    pub body: Option<String>,
}

/// A condition besides those of `spec.rules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// Of the host.
    Host(Texts),
    /// Of the path.
    Path(Texts),
    /// Of one header.
    Header(HeaderMatch),
    /// Of the method, in upper case.
    Method(Vec<String>),
    /// Of the query.
    Query(Vec<QueryMatch>),
    /// Of the client's address: ranges.
    Source(Vec<String>),
}

/// How text is matched. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Texts {
    /// `*` stands for any characters, `?` for one.
    Patterns(Vec<String>),
    /// Regular expressions.
    Regexes(Vec<String>),
}

/// A condition on a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderMatch {
    /// Its name, in any case.
    pub name: String,
    /// Its value.
    pub values: Texts,
}

/// One pair of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryMatch {
    /// `None` is any key.
    pub key: Option<String>,
    /// `*` and `?` allowed.
    pub value: String,
}

/// A change of the request that is passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rewrite {
    /// Of the host.
    Host(Vec<Replacement>),
    /// Of path and query.
    Url(Vec<Replacement>),
}

/// What is found, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// A regular expression.
    pub regex: String,
    /// `$1` and the like stand for its groups.
    pub replace: String,
}
