//! The grammars of annotation values, as the peers' users write them.
//!
//! | grammar      | accepts                                                                                      |
//! |--------------|----------------------------------------------------------------------------------------------|
//! | text         | anything, verbatim                                                                           |
//! | boolean      | `1 t T TRUE true True 0 f F FALSE false False`                                               |
//! | number       | decimal digits with an optional sign, no spaces                                              |
//! | list         | items between commas, trimmed; empty ones are dropped                                        |
//! | map          | `key=value` between commas; a backslash takes the next character as it is; the last key wins |
//! | JSON         | field names in any case, as Go reads them; keys of maps keep theirs                          |
//!
//! Errors: [`BadValue`], in words that follow the key.

use std::{collections::BTreeMap, str::FromStr};

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::BadValue;
use crate::{
    ids::Port,
    intent::{HttpProtocol, Listen},
};

/// A map of text, as tags, attributes and labels are.
pub type TextMap = BTreeMap<String, String>;

/// Anything, verbatim.
///
/// # Errors
/// None: the signature is that of a row's parser.
pub fn text(text: &str) -> Result<String, BadValue> {
    Ok(text.to_owned())
}

/// The spellings that Go's `strconv.ParseBool` takes.
///
/// # Errors
/// Everything else.
pub fn boolean(text: &str) -> Result<bool, BadValue> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(BadValue("must be true or false".into())),
    }
}

fn number<N: FromStr>(text: &str) -> Result<N, BadValue> {
    text.parse().map_err(|_| BadValue("must be a whole number".into()))
}

/// A number of 32 bits.
///
/// # Errors
/// Spaces, fractions, and what does not fit.
pub fn int32(text: &str) -> Result<i32, BadValue> {
    number(text)
}

/// A number of 64 bits.
///
/// # Errors
/// Spaces, fractions, and what does not fit.
pub fn int64(text: &str) -> Result<i64, BadValue> {
    number(text)
}

/// A port.
///
/// # Errors
/// Everything but 1 to 65535.
pub fn port(text: &str) -> Result<Port, BadValue> {
    Port::new(int64(text)?).ok_or_else(|| BadValue(format!("{text} is not a port: 1 to 65535")))
}

/// Several ports.
///
/// # Errors
/// The first item that is not one.
pub fn ports(text: &str) -> Result<Vec<Port>, BadValue> {
    items(text).map(port).collect()
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Items between commas. A present but empty value is an empty list.
///
/// # Errors
/// None: the signature is that of a row's parser.
pub fn list(text: &str) -> Result<Vec<String>, BadValue> {
    Ok(items(text).map(str::to_owned).collect())
}

/// Address ranges. Host bits are cleared, as the cloud does: `10.1.2.3/16` is `10.1.0.0/16`.
///
/// # Errors
/// The first item that is not one.
pub fn ranges(text: &str) -> Result<Vec<IpNet>, BadValue> {
    let range = |item: &str| {
        let net = item.parse::<IpNet>();
        net.map(|net| net.trunc()).map_err(|_| BadValue(format!("{item} is not an address range")))
    };
    items(text).map(range).collect()
}

/// A name of at most 32 characters, the most that Elastic Load Balancing takes.
///
/// # Errors
/// Longer names.
pub fn short_name(text: &str) -> Result<String, BadValue> {
    match text.chars().count() {
        0 => Err(BadValue("must not be empty".into())),
        1..=32 => Ok(text.to_owned()),
        longer => Err(BadValue(format!("must have at most 32 characters, and has {longer}"))),
    }
}

/// `key=value` pairs between commas.
///
/// A comma with nothing behind it belongs to the last value. Anything else behind a comma is a pair of its own, and an
/// error when it has no `=`.
///
/// # Errors
/// A pair without `=`, or with an empty key.
pub fn map(text: &str) -> Result<TextMap, BadValue> {
    let mut all = TextMap::new();
    for item in pairs(text) {
        let (key, value) =
            item.split_once('=').ok_or_else(|| BadValue(format!("{item:?} is not of the form key=value")))?;
        if key.trim().is_empty() {
            return Err(BadValue(format!("{item:?} has no key")));
        }
        all.insert(key.trim().to_owned(), value.trim().to_owned());
    }
    Ok(all)
}

/// Splits at commas and takes the backslashes out. An empty text has no pairs.
fn pairs(text: &str) -> Vec<String> {
    let (mut done, mut current) = (Vec::new(), String::new());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            // A backslash at the very end has nothing to escape and stays.
            '\\' => current.push(rest.next().unwrap_or('\\')),
            ',' if !rest.as_str().is_empty() => done.push(std::mem::take(&mut current)),
            other => current.push(other),
        }
    }
    if !text.is_empty() {
        done.push(current);
    }
    done
}

/// Writes what [`map`] reads back.
///
/// # Errors
/// A key that the grammar has no spelling for: empty, with `=`, or with spaces around it. So for values with spaces
/// around them.
pub fn write_map<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<String, BadValue> {
    let escape = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,");
    let pair = |(key, value): (&str, &str)| {
        if key.is_empty() || key.contains('=') || key.trim() != key || value.trim() != value {
            return Err(BadValue(format!("{key:?} with value {value:?} cannot be a pair")));
        }
        Ok(format!("{}={}", escape(key), escape(value)))
    };
    Ok(pairs.into_iter().map(pair).collect::<Result<Vec<_>, _>>()?.join(","))
}

/// `[{"HTTP": 80}, {"HTTPS": 443}]`. The words are case-sensitive; one map may have both.
///
/// # Errors
/// Another shape or word, an empty list, a number that is no port, or one port with two protocols.
pub fn listens(text: &str) -> Result<Vec<Listen>, BadValue> {
    let maps: Vec<BTreeMap<String, i64>> = serde_json::from_str(text)
        .map_err(|error| BadValue(format!("must be like [{{\"HTTP\":80}},{{\"HTTPS\":443}}]: {error}")))?;
    let mut all: Vec<Listen> = Vec::new();
    for (word, number) in maps.into_iter().flatten() {
        let listen = listen(&word, number)?;
        match all.iter().find(|other| other.port == listen.port) {
            None => all.push(listen),
            Some(other) if other.protocol == listen.protocol => {}
            Some(_) => return Err(BadValue(format!("port {number} is asked for as HTTP and as HTTPS"))),
        }
    }
    if all.is_empty() { Err(BadValue("names no port".into())) } else { Ok(all) }
}

fn listen(word: &str, number: i64) -> Result<Listen, BadValue> {
    let protocol = protocol(word)?;
    let port = Port::new(number).ok_or_else(|| BadValue(format!("{number} is not a port: 1 to 65535")))?;
    Ok(Listen { port, protocol })
}

/// `HTTP` or `HTTPS`, in upper case.
///
/// # Errors
/// Everything else.
pub fn protocol(text: &str) -> Result<HttpProtocol, BadValue> {
    match text {
        "HTTP" => Ok(HttpProtocol::Http),
        "HTTPS" => Ok(HttpProtocol::Https),
        other => Err(BadValue(format!("{other:?} is not a protocol: HTTP or HTTPS"))),
    }
}

/// Seconds: as a duration such as `90s` or `1h30m` (fractions of a second are dropped), or as a whole number.
///
/// # Errors
/// Everything outside 1 to 2147483647 seconds.
pub fn seconds(text: &str) -> Result<i64, BadValue> {
    let bad =
        || BadValue("must be a number of seconds or a duration such as 10m, from 1 to 2147483647".into());
    let value = duration(text).or_else(|| text.parse().ok()).ok_or_else(bad)?;
    if (1..=i64::from(i32::MAX)).contains(&value) { Ok(value) } else { Err(bad()) }
}

/// Go's duration grammar, without a sign: decimal numbers with a unit each.
fn duration(text: &str) -> Option<i64> {
    let (mut rest, mut total) = (text, 0.0_f64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        total += amount.parse::<f64>().ok()? * unit_seconds(unit)?;
        rest = tail;
    }
    // Saturates; the caller checks the range.
    Some(total as i64)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    match unit {
        "h" => Some(3600.0),
        "m" => Some(60.0),
        "s" => Some(1.0),
        "ms" => Some(1e-3),
        "us" | "\u{b5}s" | "\u{3bc}s" => Some(1e-6),
        "ns" => Some(1e-9),
        _ => None,
    }
}

/// The fields of a JSON object, found by name in any case.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The fields of an object.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn of(value: &'a Value) -> Result<Self, BadValue> {
        value.as_object().map(Self).ok_or_else(|| BadValue("must be a JSON object".into()))
    }

    /// The field called `name`: spelled so, or so but for its case. `null` is as good as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        let other_case =
            || self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.0.get(name).or_else(other_case).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests;
