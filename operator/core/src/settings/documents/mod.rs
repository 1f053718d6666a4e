//! The JSON documents that annotations of rules hold.
//!
//! | annotation          | document                 | read as                                   |
//! |---------------------|--------------------------|-------------------------------------------|
//! | `actions.<name>`    | one action               | [`action::Document`]                      |
//! | `conditions.<name>` | list of conditions       | [`Match`](crate::intent::Match) each      |
//! | `transforms.<name>` | list of transforms       | [`Rewrite`](crate::intent::Rewrite) each  |
//! | `auth-idp-cognito`  | a user pool              | [`UserPool`](crate::intent::UserPool)     |
//! | `auth-idp-oidc`     | a provider               | [`IdentityProvider`](crate::intent::IdentityProvider) |
//! | `jwt-validation`    | what tokens have to say  | [`TokenCheck`](crate::intent::TokenCheck) |
//!
//! Field names are found in any case, fields that nobody knows are passed over, `null` is as good as absent. What a
//! document says in a known field is never passed over: a word that is not known is an error, because without it a rule
//! would match or do something else than its author meant.
//!
//! Errors: [`BadValue`], which names the field. Values that Elastic Load Balancing would refuse are errors here, so that
//! the author hears of them and not the whole group.
//! Source: AWS Load Balancer Controller 3.5, Ingress annotations; Elastic Load Balancing API reference.

pub mod action;
pub mod condition;
pub mod guard;
pub mod transform;

use serde_json::Value;

use super::{BadValue, value::Fields};

/// Parses a document.
fn json(text: &str) -> Result<Value, BadValue> {
    serde_json::from_str(text).map_err(|error| BadValue(format!("is not JSON: {error}")))
}

/// An object of a document, and how messages name it.
#[derive(Clone)]
struct Object<'a> {
    fields: Fields<'a>,
    at: String,
}

impl<'a> Object<'a> {
    /// The document itself.
    fn root(value: &'a Value) -> Result<Self, BadValue> {
        Ok(Self { fields: Fields::of(value)?, at: String::new() })
    }

    /// One item of the list that the document is.
    fn item(value: &'a Value, place: usize) -> Result<Self, BadValue> {
        let at = format!("[{place}]");
        let fields = Fields::of(value).map_err(|_| BadValue(format!("{at} must be a JSON object")))?;
        Ok(Self { fields, at })
    }

    fn named(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    fn refuse<T>(&self, name: &str, problem: &str) -> Result<T, BadValue> {
        Err(BadValue(format!("{} {problem}", self.named(name))))
    }

    fn object(&self, name: &str) -> Result<Option<Self>, BadValue> {
        let Some(value) = self.fields.get(name) else { return Ok(None) };
        match Fields::of(value) {
            Ok(fields) => Ok(Some(Self { fields, at: self.named(name) })),
            Err(_) => self.refuse(name, "must be a JSON object"),
        }
    }

    fn needed_object(&self, name: &str) -> Result<Self, BadValue> {
        self.object(name)?.map_or_else(|| self.refuse(name, "is missing"), Ok)
    }

    fn text(&self, name: &str) -> Result<Option<String>, BadValue> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => self.refuse(name, "must be text"),
        }
    }

    /// Text that AWS takes `most` characters of, and at least one.
    fn short(&self, name: &str, most: usize) -> Result<Option<String>, BadValue> {
        let text = self.text(name)?;
        match text.as_ref().map(|text| text.chars().count()) {
            Some(0) => self.refuse(name, "must not be empty"),
            Some(length) if length > most => self.too_long(name, length, most),
            _ => Ok(text),
        }
    }

    fn too_long<T>(&self, name: &str, length: usize, most: usize) -> Result<T, BadValue> {
        self.refuse(name, &format!("must have at most {most} characters, and has {length}"))
    }

    fn needed(&self, name: &str, most: usize) -> Result<String, BadValue> {
        self.short(name, most)?.map_or_else(|| self.refuse(name, "is missing"), Ok)
    }

    fn number(&self, name: &str) -> Result<Option<i64>, BadValue> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(value) => {
                value.as_i64().map_or_else(|| self.refuse(name, "must be a whole number"), |n| Ok(Some(n)))
            }
        }
    }

    fn boolean(&self, name: &str) -> Result<Option<bool>, BadValue> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => self.refuse(name, "must be true or false"),
        }
    }

    fn list(&self, name: &str) -> Result<&'a [Value], BadValue> {
        match self.fields.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => self.refuse(name, "must be a list"),
        }
    }

    /// Items of a list that are objects.
    fn objects(&self, name: &str) -> Result<Vec<Self>, BadValue> {
        let item = |(place, value): (usize, &'a Value)| {
            let at = format!("{}[{place}]", self.named(name));
            let fields = Fields::of(value).map_err(|_| BadValue(format!("{at} must be a JSON object")))?;
            Ok(Self { fields, at })
        };
        self.list(name)?.iter().enumerate().map(item).collect()
    }

    /// Items of a list that are text of 1 to `most` characters.
    fn texts(&self, name: &str, most: usize) -> Result<Vec<String>, BadValue> {
        let item = |value: &Value| match value.as_str() {
            Some("") => self.refuse(name, "must not have empty items"),
            Some(text) if text.chars().count() > most => self.too_long(name, text.chars().count(), most),
            Some(text) => Ok(text.to_owned()),
            None => self.refuse(name, "must be a list of text"),
        };
        self.list(name)?.iter().map(item).collect()
    }
}

/// The objects of a document that is a list.
fn items(value: &Value) -> Result<Vec<Object<'_>>, BadValue> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(all) => {
            all.iter().enumerate().map(|(place, value)| Object::item(value, place)).collect()
        }
        _ => Err(BadValue("must be a JSON list".into())),
    }
}

#[cfg(test)]
mod tests;
