//! `actions.<name>`: what is done with requests of a backend whose port is called `use-annotation`.
//!
//! | part                  | unit       | range                                                        |
//! |-----------------------|------------|--------------------------------------------------------------|
//! | weight                | shares     | 0-999; needed when there are several targets                 |
//! | `durationSeconds`     | seconds    | 1-604800, needed when stickiness is enabled                  |
//! | `redirectConfig`      | characters | host and path 1-128, query 0-128; status HTTP_301, HTTP_302  |
//! | `fixedResponseConfig` | characters | body 0-1024; status 2XX, 4XX, 5XX                            |

use std::collections::BTreeSet;

use super::{Object, json};
use crate::{
    ids::Port,
    intent::{Answer, GroupName, PortName, Redirect},
    settings::BadValue,
};

/// Target groups of one forward, as Elastic Load Balancing counts them.
const MOST_TARGETS: usize = 5;
const MOST_WEIGHT: i64 = 999;
/// A week.
const MOST_SECONDS: i64 = 604_800;
const LONGEST: usize = 128;
const LONGEST_BODY: usize = 1024;
/// No ARN of a target group is longer.
const LONGEST_ARN: usize = 2048;
const CONTENT_TYPES: [&str; 5] =
    ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];

/// An action as it is written: Services are named, not yet looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// Passed on.
    Forward(Forward),
    /// Sent elsewhere.
    Redirect(Redirect),
    /// Answered at once.
    Answer(Answer),
}

/// Where requests are passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// At least one.
    pub tuples: Vec<Tuple>,
    /// Seconds; `None`: off.
    pub stickiness: Option<u32>,
}

/// One target and its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuple {
    /// 1 when there is one tuple and it says nothing.
    pub weight: u16,
    /// Who gets it.
    pub to: Destination,
}

/// What a tuple names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A Service of the Ingress' namespace, and its port.
    Service(String, PortName),
    /// A target group.
    Group(GroupName),
}

impl Document {
    /// Names of the Services that it forwards to.
    #[must_use]
    pub fn services(&self) -> BTreeSet<&str> {
        let tuples = match self {
            Self::Forward(forward) => forward.tuples.as_slice(),
            Self::Redirect(_) | Self::Answer(_) => &[],
        };
        let named = tuples.iter().filter_map(|tuple| match &tuple.to {
            Destination::Service(name, _) => Some(name.as_str()),
            Destination::Group(_) => None,
        });
        named.collect()
    }
}

/// Reads a document.
///
/// # Errors
/// Everything that is no action which can be carried out.
pub fn parse(text: &str) -> Result<Document, BadValue> {
    let value = json(text)?;
    let root = Object::root(&value)?;
    match root.text("type")?.as_deref() {
        Some("forward") => forward(&root).map(Document::Forward),
        Some("redirect") => redirect(&root.needed_object("redirectConfig")?).map(Document::Redirect),
        Some("fixed-response") => answer(&root.needed_object("fixedResponseConfig")?).map(Document::Answer),
        Some(other) => Err(BadValue(format!("type {other:?} is none of forward, redirect, fixed-response"))),
        None => root.refuse("type", "is missing"),
    }
}

fn forward(root: &Object<'_>) -> Result<Forward, BadValue> {
    let short = group(root)?;
    match (short, root.object("forwardConfig")?) {
        (Some(_), Some(_)) => {
            Err(BadValue("a forward has either a target group of its own or forwardConfig, not both".into()))
        }
        (None, None) => Err(BadValue("a forward needs a target group or forwardConfig".into())),
        (Some(group), None) => {
            let tuples = vec![Tuple { weight: 1, to: Destination::Group(group) }];
            Ok(Forward { tuples, stickiness: None })
        }
        (None, Some(config)) => {
            let tuples = config.objects("targetGroups")?;
            let several = tuples.len() > 1;
            match tuples.len() {
                0 => return config.refuse("targetGroups", "names none"),
                number if number > MOST_TARGETS => {
                    let problem = format!("names {number}, and a rule takes at most {MOST_TARGETS}");
                    return config.refuse("targetGroups", &problem);
                }
                _ => {}
            }
            let tuples = tuples.iter().map(|one| tuple(one, several)).collect::<Result<_, _>>()?;
            Ok(Forward { tuples, stickiness: stickiness(&config)? })
        }
    }
}

fn tuple(tuple: &Object<'_>, several: bool) -> Result<Tuple, BadValue> {
    let weight = match tuple.number("weight")? {
        None if several => {
            return tuple.refuse("weight", "is missing: with several target groups each needs one");
        }
        None => 1,
        Some(weight) => match u16::try_from(weight) {
            Ok(weight) if i64::from(weight) <= MOST_WEIGHT => weight,
            _ => return tuple.refuse("weight", &format!("must be from 0 to {MOST_WEIGHT}")),
        },
    };
    let to = match (group(tuple)?, tuple.short("serviceName", LONGEST)?) {
        (Some(_), Some(_)) => {
            return tuple.refuse("serviceName", "cannot stand beside a target group: name one of them");
        }
        (None, None) => return tuple.refuse("serviceName", "is missing, and so is a target group"),
        (Some(group), None) => Destination::Group(group),
        (None, Some(service)) => Destination::Service(service, service_port(tuple)?),
    };
    Ok(Tuple { weight, to })
}

fn group(object: &Object<'_>) -> Result<Option<GroupName>, BadValue> {
    let (arn, name) = (object.short("targetGroupARN", LONGEST_ARN)?, object.short("targetGroupName", 32)?);
    match (arn, name) {
        (Some(_), Some(_)) => object.refuse("targetGroupARN", "cannot stand beside targetGroupName"),
        (Some(arn), None) if !arn.starts_with("arn:") => object.refuse("targetGroupARN", "is no ARN"),
        (Some(arn), None) => Ok(Some(GroupName::Arn(arn))),
        (None, name) => Ok(name.map(GroupName::Name)),
    }
}

/// A number, a number as text, or a name.
fn service_port(tuple: &Object<'_>) -> Result<PortName, BadValue> {
    let number = match tuple.fields.get("servicePort") {
        None => return tuple.refuse("servicePort", "is missing"),
        Some(serde_json::Value::String(text)) => match text.parse() {
            Ok(number) => number,
            Err(_) if text.is_empty() => return tuple.refuse("servicePort", "must not be empty"),
            Err(_) => return Ok(PortName::Name(text.clone())),
        },
        Some(_) => tuple.number("servicePort")?.unwrap_or_default(),
    };
    let port = Port::new(number).map(PortName::Number);
    port.map_or_else(|| tuple.refuse("servicePort", "must be a name or a port from 1 to 65535"), Ok)
}

fn stickiness(config: &Object<'_>) -> Result<Option<u32>, BadValue> {
    let Some(asked) = config.object("targetGroupStickinessConfig")? else { return Ok(None) };
    let seconds = asked.number("durationSeconds")?;
    if !asked.boolean("enabled")?.unwrap_or(false) {
        return Ok(None);
    }
    let within = seconds.filter(|seconds| (1..=MOST_SECONDS).contains(seconds));
    match within.and_then(|seconds| u32::try_from(seconds).ok()) {
        Some(seconds) => Ok(Some(seconds)),
        None => asked.refuse("durationSeconds", &format!("must be from 1 to {MOST_SECONDS}")),
    }
}

fn redirect(config: &Object<'_>) -> Result<Redirect, BadValue> {
    let protocol = config.text("protocol")?;
    if protocol.as_deref().is_some_and(|word| !matches!(word, "HTTP" | "HTTPS" | "#{protocol}")) {
        return config.refuse("protocol", "must be one of HTTP, HTTPS, #{protocol}");
    }
    let port = config.text("port")?;
    let is_port = |text: &str| text == "#{port}" || text.parse().ok().and_then(Port::new).is_some();
    if port.as_deref().is_some_and(|port| !is_port(port)) {
        return config.refuse("port", "must be #{port} or a port from 1 to 65535, as text");
    }
    let path = config.short("path", LONGEST)?;
    if path.as_deref().is_some_and(|path| !path.starts_with('/')) {
        return config.refuse("path", "must begin with /");
    }
    let query = config.text("query")?;
    if let Some(length) = query.as_ref().map(|query| query.chars().count()).filter(|length| *length > LONGEST)
    {
        return config.too_long("query", length, LONGEST);
    }
    let status = match config.text("statusCode")?.as_deref() {
        Some("HTTP_301") => 301,
        Some("HTTP_302") => 302,
        Some(_) => return config.refuse("statusCode", "must be HTTP_301 or HTTP_302"),
        None => return config.refuse("statusCode", "is missing: HTTP_301 or HTTP_302"),
    };
    Ok(Redirect { protocol, host: config.short("host", LONGEST)?, port, path, query, status })
}

fn answer(config: &Object<'_>) -> Result<Answer, BadValue> {
    let written = config.text("statusCode")?;
    let status = match written.as_deref() {
        None => return config.refuse("statusCode", "is missing"),
        Some(text) if text.len() == 3 => {
            text.parse().ok().filter(|code: &u16| matches!(code / 100, 2 | 4 | 5))
        }
        Some(_) => None,
    };
    let Some(status) = status else {
        return config.refuse("statusCode", "must be one of 2XX, 4XX, 5XX");
    };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let content_type = given(config.text("contentType")?);
    if content_type.as_deref().is_some_and(|kind| !CONTENT_TYPES.contains(&kind)) {
        return config.refuse("contentType", &format!("must be one of {}", CONTENT_TYPES.join(", ")));
    }
    let body = given(config.text("messageBody")?);
    match body.as_ref().map(|body| body.chars().count()).filter(|length| *length > LONGEST_BODY) {
        Some(length) => config.too_long("messageBody", length, LONGEST_BODY),
        None => Ok(Answer { status, content_type, body }),
    }
}
