//! `transforms.<name>`: what is changed of requests before one backend gets them.
//!
//! | type                  | changes         | each rewrite                                      |
//! |-----------------------|-----------------|---------------------------------------------------|
//! | `host-header-rewrite` | the host        | `regex` 1-1024 characters, `replace` 0-1024       |
//! | `url-rewrite`         | path and query  | `regex` 1-1024 characters, `replace` 0-1024       |
//!
//! A rule takes one transform of each type.

use super::{Object, items, json};
use crate::{
    intent::{Replacement, Rewrite},
    settings::BadValue,
};

const LONGEST: usize = 1024;

/// Reads a document.
///
/// # Errors
/// A type that is not known or is there twice, a transform without rewrites.
pub fn parse(text: &str) -> Result<Vec<Rewrite>, BadValue> {
    let value = json(text)?;
    let mut rewrites: Vec<Rewrite> = Vec::new();
    for item in items(&value)? {
        let rewrite = transform(&item)?;
        let kind = std::mem::discriminant(&rewrite);
        if rewrites.iter().any(|other| std::mem::discriminant(other) == kind) {
            return item.refuse("type", "is there twice, and a rule takes one transform of each type");
        }
        rewrites.push(rewrite);
    }
    Ok(rewrites)
}

fn transform(item: &Object<'_>) -> Result<Rewrite, BadValue> {
    match item.text("type")?.as_deref() {
        Some("host-header-rewrite") => {
            replacements(&item.needed_object("hostHeaderRewriteConfig")?).map(Rewrite::Host)
        }
        Some("url-rewrite") => replacements(&item.needed_object("urlRewriteConfig")?).map(Rewrite::Url),
        Some(other) => item.refuse("type", &format!("{other:?} is none of host-header-rewrite, url-rewrite")),
        None => item.refuse("type", "is missing"),
    }
}

fn replacements(config: &Object<'_>) -> Result<Vec<Replacement>, BadValue> {
    let one = |rewrite: &Object<'_>| {
        let replace = rewrite.text("replace")?;
        let Some(replace) = replace else { return rewrite.refuse("replace", "is missing") };
        match replace.chars().count() {
            length if length > LONGEST => rewrite.too_long("replace", length, LONGEST),
            _ => Ok(Replacement { regex: rewrite.needed("regex", LONGEST)?, replace }),
        }
    };
    let all: Vec<Replacement> =
        config.objects("rewrites")?.iter().map(one).collect::<Result<_, BadValue>>()?;
    if all.is_empty() { config.refuse("rewrites", "names none") } else { Ok(all) }
}
