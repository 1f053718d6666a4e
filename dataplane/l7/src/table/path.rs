//! Paths of routes, the look-up by longest prefix, and the normal form of a request's path.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::TableError;

/// Which paths a route is for. `ImplementationSpecific` of an Ingress is read as `Prefix`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathPattern {
    /// This path only; a trailing slash counts.
    Exact(RoutePath),
    /// This path and everything below it, element by element: `/foo` takes `/foo/bar`, not `/foobar`.
    /// A trailing slash does not count.
    Prefix(RoutePath),
}

/// A checked path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoutePath(Box<str>);

impl PathPattern {
    /// An exact path, starting with `/`.
    pub fn exact(path: &str) -> Result<Self, TableError> {
        RoutePath::parse(path).map(Self::Exact)
    }

    /// A prefix, starting with `/`.
    pub fn prefix(path: &str) -> Result<Self, TableError> {
        let path = RoutePath::parse(path)?;
        Ok(Self::Prefix(RoutePath(path.0.trim_end_matches('/').into())))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => write!(f, "= {}", path.0),
            Self::Prefix(path) => write!(f, "{}/", path.0),
        }
    }
}

impl RoutePath {
    fn parse(path: &str) -> Result<Self, TableError> {
        let sound = |c: char| !c.is_control() && c != '?' && c != '#';
        if path.starts_with('/') && path.chars().all(sound) {
            return Ok(Self(path.into()));
        }
        Err(TableError::BadPath(path.to_owned()))
    }
}

/// Values by path of one host.
#[derive(Debug, Clone)]
pub struct Paths<T> {
    exact: BTreeMap<Box<[u8]>, T>,
    prefix: BTreeMap<Box<[u8]>, T>,
}

impl<T> Default for Paths<T> {
    fn default() -> Self {
        Self { exact: BTreeMap::new(), prefix: BTreeMap::new() }
    }
}

impl<T> Paths<T> {
    /// Adds a path; gives back the value that was there.
    pub fn insert(&mut self, path: &PathPattern, value: T) -> Option<T> {
        match path {
            PathPattern::Exact(path) => self.exact.insert(path.0.as_bytes().into(), value),
            PathPattern::Prefix(path) => self.prefix.insert(path.0.as_bytes().into(), value),
        }
    }

    /// The value for a normal path: exact first, then the longest prefix.
    pub fn find(&self, path: &[u8]) -> Option<&T> {
        if let Some(value) = self.exact.get(path) {
            return Some(value);
        }
        let mut rest = path;
        loop {
            if let Some(value) = self.prefix.get(rest) {
                return Some(value);
            }
            let cut = rest.iter().rposition(|&b| b == b'/')?;
            rest = rest.get(..cut)?;
        }
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.exact.values().chain(self.prefix.values())
    }
}

/// The path that routes are compared with: percent-decoded once, `.` and `..` resolved, repeated slashes merged.
///
/// The request is forwarded with its own spelling. Nothing is given for a path that no server should see: one
/// that does not start with `/`, climbs above the root, or has a broken or zero percent code.
pub fn normal_path(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    if raw.first() != Some(&b'/') {
        return None;
    }
    if !raw.contains(&b'%') && !raw.windows(2).any(|pair| pair == b"//" || pair == b"/.") {
        return Some(Cow::Borrowed(raw));
    }
    let decoded = decode(raw)?;
    let mut out: Vec<u8> = Vec::with_capacity(decoded.len());
    let mut elements = decoded.split(|&b| b == b'/').skip(1).peekable();
    while let Some(element) = elements.next() {
        let last = elements.peek().is_none();
        match element {
            b"" | b"." if !last => {}
            b"" | b"." => out.push(b'/'),
            b".." => {
                let cut = out.iter().rposition(|&b| b == b'/')?;
                out.truncate(cut);
                if last {
                    out.push(b'/');
                }
            }
            element => {
                out.push(b'/');
                out.extend_from_slice(element);
            }
        }
    }
    Some(Cow::Owned(out))
}

fn decode(raw: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|&b| char::from(b).to_digit(16));
        let code = digit()? * 16 + digit()?;
        out.push(u8::try_from(code).ok().filter(|&code| code != 0)?);
    }
    Some(out)
}
