//! A listener rule: conditions, all of which must hold, and what is done then.

use serde::{Deserialize, Serialize};

use super::{Cognito, Jwt, Listener, Oidc, Ref, ResourceKind, Tags, TargetGroup};

/// A rule of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Whose it is.
    pub listener: Ref<Listener>,
    /// 1 to 50000; lower is asked first.
    pub priority: i32,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// What is changed of requests before they are passed on; at most one of each kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
    /// In order.
    pub actions: Vec<Action>,
    /// All tags, ownership included.
    pub tags: Tags,
}

impl ResourceKind for Rule {
    const KIND: &'static str = "rule";
}

/// One condition; any of its values is enough.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Host names, `*` and `?` allowed.
    HostHeader(Vec<String>),
    /// Host names, as regular expressions.
    HostRegex(Vec<String>),
    /// Paths, `*` and `?` allowed.
    PathPattern(Vec<String>),
    /// Paths, as regular expressions.
    PathRegex(Vec<String>),
    /// A header.
    HttpHeader {
        /// Its name.
        name: String,
        /// Values, `*` and `?` allowed.
        values: Vec<String>,
    },
    /// A header, by regular expressions.
    HttpHeaderRegex {
        /// Its name.
        name: String,
        /// Expressions.
        values: Vec<String>,
    },
    /// Methods.
    HttpRequestMethod(Vec<String>),
    /// Query pairs.
    QueryString(Vec<QueryPair>),
    /// Client ranges.
    SourceIp(Vec<String>),
}

/// One key and value of a query string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueryPair {
    /// `None` matches any key.
    pub key: Option<String>,
    /// `*` and `?` allowed.
    pub value: String,
}

/// A change of requests on their way to the targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// Of the `Host` header.
    HostHeaderRewrite(Vec<Rewrite>),
    /// Of path and query.
    UrlRewrite(Vec<Rewrite>),
}

/// What is found, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rewrite {
    /// A regular expression.
    pub regex: String,
    /// `$1` and the like stand for its groups.
    pub replace: String,
}

/// What is done with a request or a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Passed on.
    Forward(Forward),
    /// Sent elsewhere.
    Redirect(Redirect),
    /// Answered at once.
    FixedResponse(FixedResponse),
    /// Users sign in to a user pool before.
    Cognito(Cognito),
    /// Users sign in to a provider before.
    Oidc(Oidc),
    /// Requests carry a token.
    Jwt(Jwt),
}

/// Where a request is passed on to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Forward {
    /// At least one.
    pub targets: Vec<WeightedTarget>,
    /// Seconds; `None` when stickiness between groups is off.
    pub stickiness: Option<i32>,
}

/// A target group and its share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeightedTarget {
    /// Which group: one of the stack by name, any other by its ARN.
    pub target_group: Ref<TargetGroup>,
    /// 0 to 999; without meaning when there is one.
    pub weight: i32,
}

/// A redirect, with AWS's placeholders filled in where nothing was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Redirect {
    /// Default `#{host}`.
    pub host: String,
    /// Default `/#{path}`.
    pub path: String,
    /// Default `#{port}`.
    pub port: String,
    /// Default `#{protocol}`.
    pub protocol: String,
    /// Default `#{query}`.
    pub query: String,
    /// `HTTP_301` or `HTTP_302`.
    pub status_code: String,
}

/// A fixed answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FixedResponse {
    /// `None` leaves the header away.
    pub content_type: Option<String>,
    /// `None` is an empty body.
    pub body: Option<String>,
    /// Such as `404`.
    pub status_code: String,
}

impl WeightedTarget {
    /// Whether the group is of this stack: only those are made, changed and deleted.
    #[must_use]
    pub fn is_of_stack(&self) -> bool {
        !self.target_group.name().starts_with("arn:")
    }
}

impl Rule {
    /// How others refer to it.
    #[must_use]
    pub fn reference(&self) -> Ref<Self> {
        Ref::new(format!("{}:{}", self.listener.name(), self.priority))
    }
}
