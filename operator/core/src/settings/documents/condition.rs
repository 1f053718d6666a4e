//! `conditions.<name>`: what else has to hold for the rules of one backend.
//!
//! | field                 | takes                       | each value                         |
//! |-----------------------|-----------------------------|------------------------------------|
//! | `host-header`         | `values` or `regexValues`   | 1-128 characters                   |
//! | `path-pattern`        | `values` or `regexValues`   | 1-128 characters                   |
//! | `http-header`         | `values` or `regexValues`   | 1-128 characters, the name 1-40    |
//! | `http-request-method` | `values`                    | 1-40 of `A-Z`, `-`, `_`            |
//! | `query-string`        | `values`                    | key and value 1-128 characters     |
//! | `source-ip`           | `values`                    | an address range                   |

use ipnet::IpNet;

use super::{Object, items, json};
use crate::{
    intent::{HeaderMatch, Match, QueryMatch, Texts},
    settings::BadValue,
};

const LONGEST: usize = 128;
const LONGEST_NAME: usize = 40;
const FIELDS: &str = "host-header, path-pattern, http-header, http-request-method, query-string, source-ip";

/// Reads a document.
///
/// # Errors
/// A field that is not known, a condition without its values, a value that no rule can have.
pub fn parse(text: &str) -> Result<Vec<Match>, BadValue> {
    items(&json(text)?)?.iter().map(condition).collect()
}

fn condition(item: &Object<'_>) -> Result<Match, BadValue> {
    let config = |name: &str| item.needed_object(name);
    match item.text("field")?.as_deref() {
        Some("host-header") => texts(&config("hostHeaderConfig")?).map(Match::Host),
        Some("path-pattern") => texts(&config("pathPatternConfig")?).map(Match::Path),
        Some("http-header") => {
            let config = config("httpHeaderConfig")?;
            let name = config.needed("httpHeaderName", LONGEST_NAME)?;
            Ok(Match::Header(HeaderMatch { name, values: texts(&config)? }))
        }
        Some("http-request-method") => methods(&config("httpRequestMethodConfig")?).map(Match::Method),
        Some("query-string") => query(&config("queryStringConfig")?).map(Match::Query),
        Some("source-ip") => sources(&config("sourceIPConfig")?).map(Match::Source),
        Some(other) => item.refuse("field", &format!("{other:?} is none of {FIELDS}")),
        None => item.refuse("field", "is missing"),
    }
}

fn some<T>(config: &Object<'_>, values: Vec<T>) -> Result<Vec<T>, BadValue> {
    if values.is_empty() { config.refuse("values", "names none") } else { Ok(values) }
}

fn texts(config: &Object<'_>) -> Result<Texts, BadValue> {
    let (values, regexes) = (config.texts("values", LONGEST)?, config.texts("regexValues", LONGEST)?);
    match (values.is_empty(), regexes.is_empty()) {
        (false, false) => config.refuse("values", "cannot stand beside regexValues: name one of them"),
        (true, true) => config.refuse("values", "names none, and neither does regexValues"),
        (false, true) => Ok(Texts::Patterns(values)),
        (true, false) => Ok(Texts::Regexes(regexes)),
    }
}

fn methods(config: &Object<'_>) -> Result<Vec<String>, BadValue> {
    let values = some(config, config.texts("values", LONGEST_NAME)?)?;
    let is_method = |word: &String| word.chars().all(|c| c.is_ascii_uppercase() || matches!(c, '-' | '_'));
    match values.iter().find(|word| !is_method(word)) {
        Some(word) => config.refuse("values", &format!("has {word:?}: a method has A-Z, - and _ only")),
        None => Ok(values),
    }
}

fn query(config: &Object<'_>) -> Result<Vec<QueryMatch>, BadValue> {
    let pair = |pair: &Object<'_>| {
        let key = pair.text("key")?.filter(|key| !key.is_empty());
        match key.as_ref().map(|key| key.chars().count()).filter(|length| *length > LONGEST) {
            Some(length) => pair.too_long("key", length, LONGEST),
            None => Ok(QueryMatch { key, value: pair.needed("value", LONGEST)? }),
        }
    };
    some(config, config.objects("values")?.iter().map(pair).collect::<Result<_, _>>()?)
}

fn sources(config: &Object<'_>) -> Result<Vec<String>, BadValue> {
    let values = some(config, config.texts("values", LONGEST)?)?;
    match values.iter().find(|range| range.parse::<IpNet>().is_err()) {
        Some(range) => config.refuse("values", &format!("has {range:?}, which is not an address range")),
        None => Ok(values),
    }
}
