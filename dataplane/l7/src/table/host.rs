//! Host names of routes and certificates, and the look-up by most specific name.

use std::collections::BTreeMap;
use std::fmt;

use super::TableError;

/// Which hosts a route or a certificate is for. Names are kept in lower case, without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// Every host that no other pattern of the listener names.
    Any,
    /// One name.
    Exact(HostName),
    /// `*.rest`: one label before `rest`. Holds `rest`.
    Wildcard(HostName),
}

/// A checked host name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostName(Box<str>);

impl HostPattern {
    /// Reads `name`, `*.rest`, or `*` and the empty text for any host.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let name = |text: &str| HostName::parse(text).ok_or_else(|| TableError::BadHost(text.to_owned()));
        match text.strip_prefix("*.") {
            _ if text.is_empty() || text == "*" => Ok(Self::Any),
            Some(rest) => Ok(Self::Wildcard(name(rest)?)),
            None => Ok(Self::Exact(name(text)?)),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(name) => f.write_str(&name.0),
            Self::Wildcard(rest) => write!(f, "*.{}", rest.0),
        }
    }
}

impl HostName {
    fn parse(text: &str) -> Option<Self> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        (name.len() <= 253 && name.split('.').all(label)).then(|| Self(name.into()))
    }
}

/// Values by host. The most specific existing host is the only one that answers.
#[derive(Debug, Clone)]
pub(crate) struct Hosts<T> {
    exact: BTreeMap<Box<str>, T>,
    wildcard: BTreeMap<Box<str>, T>,
    any: Option<T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: BTreeMap::new(), wildcard: BTreeMap::new(), any: None }
    }
}

impl<T> Hosts<T> {
    /// The value for `host`, which is in lower case and without port.
    pub(crate) fn find(&self, host: &str) -> Option<&T> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let under = |host: &str| host.split_once('.').and_then(|(_, rest)| self.wildcard.get(rest));
        self.exact.get(host).or_else(|| under(host)).or(self.any.as_ref())
    }

    pub(crate) fn insert(&mut self, host: &HostPattern, value: T) -> Option<T> {
        match host {
            HostPattern::Any => self.any.replace(value),
            HostPattern::Exact(name) => self.exact.insert(name.0.clone(), value),
            HostPattern::Wildcard(rest) => self.wildcard.insert(rest.0.clone(), value),
        }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.exact.values().chain(self.wildcard.values()).chain(self.any.as_ref())
    }
}

impl<T: Default> Hosts<T> {
    pub(crate) fn entry(&mut self, host: &HostPattern) -> &mut T {
        match host {
            HostPattern::Any => self.any.get_or_insert_default(),
            HostPattern::Exact(name) => self.exact.entry(name.0.clone()).or_default(),
            HostPattern::Wildcard(rest) => self.wildcard.entry(rest.0.clone()).or_default(),
        }
    }
}

/// The host of a `Host` value: without port, IPv6 literals with their brackets. Nothing if it is malformed.
pub(crate) fn host_only(authority: &str) -> Option<&str> {
    let (host, port) = match authority.find(']') {
        Some(end) if authority.starts_with('[') => authority.split_at_checked(end + 1)?,
        _ => authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?,
    };
    let port_is_sound = port.is_empty() || port.strip_prefix(':')?.bytes().all(|b| b.is_ascii_digit());
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"-._~[]:%!$&'()*+,;=".contains(&b);
    (port_is_sound && host.bytes().all(sound)).then_some(host)
}
