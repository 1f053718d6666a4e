//! The world as its API answers: requests and answers as JSON with AWS's parameter names.
//!
//! Only what the common behaviours (`e2e/behaviours`) ask for: it is how the world is held against the same list as the
//! emulator. The simulator itself calls the world directly.

mod ec2;
mod elbv2;
mod guard;
mod route53;
mod rules;

use fairway_aws::model::Tags;
use serde_json::{Value, json};

use crate::world::{Answered, Aws, AwsError};

/// An operation or a parameter that the world does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// As AWS answers it.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The world has no such thing.
    #[error("the simulated world does not have {0}")]
    Unknown(String),
}

/// An answer in AWS's form.
pub type Called = Result<Value, CallError>;

/// Calls an operation such as `elbv2.CreateRule`.
///
/// # Errors
/// AWS's own, or [`CallError::Unknown`].
pub fn call(aws: &mut Aws, operation: &str, with: &Value) -> Called {
    match operation.split_once('.') {
        Some(("elbv2", name)) => elbv2::call(aws, name, with),
        Some(("ec2", name)) => ec2::call(aws, name, with),
        Some(("route53", name)) => route53::call(aws, name, with),
        Some(("resourcegroupstaggingapi", "GetResources")) => Ok(resources(aws, with)),
        _ => unknown(operation),
    }
}

fn unknown<T>(what: &str) -> Result<T, CallError> {
    Err(CallError::Unknown(what.to_owned()))
}

fn text(value: &Value, key: &str) -> String {
    maybe(value, key).unwrap_or_default()
}

fn maybe(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn number<T: TryFrom<i64>>(value: &Value, key: &str) -> Option<T> {
    value.get(key).and_then(Value::as_i64).and_then(|number| T::try_from(number).ok())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Tags as a list of pairs, which can hold a key twice.
fn tags(value: &Value, key: &str) -> Answered<Tags> {
    let mut tags = Tags::new();
    for pair in list(value, key) {
        if tags.insert(text(pair, "Key"), text(pair, "Value")).is_some() {
            return crate::world::refuse("DuplicateTagKeys", "a tag key was specified more than once");
        }
    }
    Ok(tags)
}

fn pairs(map: &Tags) -> Value {
    map.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// An enum by the spelling that its model has in JSON.
fn named<T: serde::de::DeserializeOwned>(value: &Value, key: &str) -> Option<T> {
    value.get(key).and_then(|value| serde_json::from_value(value.clone()).ok())
}

fn resources(aws: &Aws, with: &Value) -> Value {
    let kinds = texts(with, "ResourceTypeFilters");
    let wanted = |arn: &str, tags: &Tags| {
        let kind = arn.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
        kinds.iter().any(|filter| filter.ends_with(kind))
            && list(with, "TagFilters").all(|filter| {
                let values = texts(filter, "Values");
                tags.get(&text(filter, "Key")).is_some_and(|tag| values.is_empty() || values.contains(tag))
            })
    };
    let balancers = aws.balancers.values().map(|row| (&row.arn, &row.tags));
    let groups = aws.target_groups.values().map(|row| (&row.arn, &row.tags));
    let found = balancers.chain(groups).filter(|(arn, tags)| wanted(arn, tags));
    let found: Value = found.map(|(arn, tags)| json!({"ResourceARN": arn, "Tags": pairs(tags)})).collect();
    json!({ "ResourceTagMappingList": found })
}
