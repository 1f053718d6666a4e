//! What is asked of a load balancer's front: client certificates of its listeners, and what other services of the cloud
//! stand before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BadValue,
    value::{self, Fields},
};
use crate::ids::Port;

/// Client certificates of one HTTPS listener.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientCertificates {
    /// The listener's port.
    pub port: Port,
    /// What is done with them.
    pub mode: ClientCertificateMode,
}

/// What a listener does with client certificates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClientCertificateMode {
    /// They are not asked for.
    Off,
    /// They are passed on to targets, unchecked.
    Passthrough,
    /// Whoever has none that the trust store vouches for is refused.
    Verify {
        /// ARN or name.
        trust_store: String,
        /// Whether one that has expired is as good.
        ignore_expiry: bool,
        /// Whether clients are told whose certificates are accepted; `None`: as the cloud sees fit.
        advertise_authorities: Option<bool>,
    },
}

/// Reads `[{"port": 443, "mode": "verify", "trustStore": "..."}]`.
///
/// # Errors
/// Another shape, an unknown mode, `verify` without a trust store, the fields of `verify` with another mode, and one port
/// with two meanings.
pub fn client_certificates(text: &str) -> Result<Vec<ClientCertificates>, BadValue> {
    let shape = |error: serde_json::Error| {
        BadValue(format!("must be like [{{\"port\":443,\"mode\":\"passthrough\"}}]: {error}"))
    };
    let entries: Vec<Value> = serde_json::from_str(text).map_err(shape)?;
    let mut all: BTreeMap<Port, ClientCertificates> = BTreeMap::new();
    for entry in &entries {
        let read = entry_of(&Fields::of(entry)?)?;
        match all.get(&read.port) {
            Some(other) if *other != read => {
                return Err(BadValue(format!("port {} is there twice, and not the same", read.port)));
            }
            _ => {
                all.insert(read.port, read);
            }
        }
    }
    Ok(all.into_values().collect())
}

fn entry_of(fields: &Fields<'_>) -> Result<ClientCertificates, BadValue> {
    let port = fields.get("port").and_then(Value::as_i64).and_then(Port::new);
    let port = port.ok_or_else(|| BadValue("every entry needs a port: 1 to 65535".into()))?;
    let mode = match text(fields, "mode")?.unwrap_or_default() {
        "verify" => verify(fields)?,
        "off" => without_trust(fields, ClientCertificateMode::Off)?,
        "passthrough" => without_trust(fields, ClientCertificateMode::Passthrough)?,
        other => return Err(BadValue(format!("mode {other:?} must be one of off, passthrough, verify"))),
    };
    Ok(ClientCertificates { port, mode })
}

fn verify(fields: &Fields<'_>) -> Result<ClientCertificateMode, BadValue> {
    let store = text(fields, "trustStore")?.filter(|store| !store.is_empty());
    let store = store.ok_or_else(|| BadValue("mode verify needs a trustStore".into()))?;
    let ignore_expiry = match fields.get("ignoreClientCertificateExpiry") {
        None => false,
        Some(Value::Bool(ignore)) => *ignore,
        Some(_) => return Err(BadValue("ignoreClientCertificateExpiry must be true or false".into())),
    };
    let advertise_authorities = match text(fields, "advertiseTrustStoreCaNames")? {
        None => None,
        Some("on") => Some(true),
        Some("off") => Some(false),
        Some(_) => return Err(BadValue("advertiseTrustStoreCaNames must be on or off".into())),
    };
    Ok(ClientCertificateMode::Verify { trust_store: store.to_owned(), ignore_expiry, advertise_authorities })
}

fn without_trust(
    fields: &Fields<'_>,
    mode: ClientCertificateMode,
) -> Result<ClientCertificateMode, BadValue> {
    let of_verify = ["trustStore", "ignoreClientCertificateExpiry", "advertiseTrustStoreCaNames"];
    match of_verify.iter().find(|name| fields.get(name).is_some()) {
        None => Ok(mode),
        Some(name) => Err(BadValue(format!("{name} is for mode verify only"))),
    }
}

fn text<'a>(fields: &Fields<'a>, name: &str) -> Result<Option<&'a str>, BadValue> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(BadValue(format!("{name} must be text"))),
    }
}

/// What stands before a load balancer: this, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attachment {
    /// Whatever stands there is taken away.
    Nothing,
    /// This, by ARN, id or name.
    This(String),
}

impl Attachment {
    /// Reads `none` and the empty text as nothing.
    ///
    /// # Errors
    /// None: the signature is that of a row's parser.
    pub fn parse(text: &str) -> Result<Self, BadValue> {
        Ok(if matches!(text, "" | "none") { Self::Nothing } else { Self::This(text.to_owned()) })
    }

    /// Reads `none` as nothing; the empty text says nothing at all.
    ///
    /// # Errors
    /// None: the signature is that of a row's parser.
    pub fn parse_id(text: &str) -> Result<Option<Self>, BadValue> {
        if text.is_empty() { Ok(None) } else { Self::parse(text).map(Some) }
    }

    /// Reads `none` as nothing.
    ///
    /// # Errors
    /// The empty text, which could mean either.
    pub fn parse_name(text: &str) -> Result<Self, BadValue> {
        named(text).and_then(|text| Self::parse(&text))
    }
}

/// Anything but nothing.
///
/// # Errors
/// The empty text.
pub fn named(text: &str) -> Result<String, BadValue> {
    if text.is_empty() { Err(BadValue("must not be empty".into())) } else { Ok(text.to_owned()) }
}

/// `CapacityUnits=N`, and nothing else; 0 gives a reservation back.
///
/// # Errors
/// Another key, or what is no number from 0 on.
pub fn capacity_units(text: &str) -> Result<i32, BadValue> {
    let map = value::map(text)?;
    let units = match map.iter().next() {
        Some((key, units)) if key == "CapacityUnits" && map.len() == 1 => value::int32(units)?,
        _ => return Err(BadValue("must be like CapacityUnits=500, and nothing else".into())),
    };
    if units < 0 { Err(BadValue("CapacityUnits must not be negative".into())) } else { Ok(units) }
}

/// Values of tags by key, as JSON: `{"tier":["public","edge"]}`. A subnet fits that has, for each key, one of its values.
///
/// # Errors
/// Another shape, or no key at all.
pub fn tag_values(text: &str) -> Result<BTreeMap<String, Vec<String>>, BadValue> {
    let tags: BTreeMap<String, Vec<String>> = serde_json::from_str(text)
        .map_err(|error| BadValue(format!("must be like {{\"tier\":[\"public\"]}}: {error}")))?;
    if tags.is_empty() { Err(BadValue("must name a tag".into())) } else { Ok(tags) }
}

/// Ports of a load balancer in front, each with the port behind it: `80=80,8443=443`.
///
/// # Errors
/// What is no port, and one port that leads to two.
pub fn port_mapping(text: &str) -> Result<BTreeMap<Port, Port>, BadValue> {
    let pair = |(front, behind): (&String, &String)| Ok((value::port(front)?, value::port(behind)?));
    value::map(text)?.iter().map(pair).collect()
}

#[cfg(test)]
mod tests;
