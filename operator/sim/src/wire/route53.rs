//! Hosted zones and record sets.

use fairway_dns::{
    change::{Action, Change},
    name::Name,
    record::{Alias, Content, RecordSet, RecordType, Routing, RoutingPolicy},
};
use serde_json::{Map, Value, json};

use super::{CallError, Called, list, maybe, named, number, text, unknown};
use crate::world::{Aws, Status, refuse, reversed};

pub(super) fn call(aws: &mut Aws, name: &str, with: &Value) -> Called {
    let zone = text(with, "HostedZoneId");
    match name {
        "ChangeResourceRecordSets" => {
            let batch = with.get("ChangeBatch").cloned().unwrap_or_default();
            let changes: Vec<Change> = list(&batch, "Changes").map(change).collect::<Result<_, _>>()?;
            let id = aws.change_records(&zone, &changes.iter().collect::<Vec<_>>())?;
            let status = shown_status(aws, &id)?;
            Ok(json!({"ChangeInfo": {"Id": id, "Status": status}}))
        }
        "GetChange" => {
            let id = text(with, "Id");
            Ok(json!({"ChangeInfo": {"Id": id, "Status": shown_status(aws, &id)?}}))
        }
        "ListResourceRecordSets" => records(aws, &zone, with),
        "DeleteHostedZone" => Ok(json!({ "done": aws.delete_zone(&text(with, "Id"))? })),
        _ => unknown(name),
    }
}

fn shown_status(aws: &Aws, id: &str) -> Result<&'static str, CallError> {
    Ok(if aws.change_status(id)? == Status::InSync { "INSYNC" } else { "PENDING" })
}

fn records(aws: &Aws, zone: &str, with: &Value) -> Called {
    let start = maybe(with, "StartRecordName").map(|name| reversed(&Name::observed(&name.to_lowercase())));
    let kind = maybe(with, "StartRecordType").map(RecordType::from);
    let most = maybe(with, "MaxItems").and_then(|text| text.parse().ok()).unwrap_or(300).min(300);
    let all = aws.records(zone)?;
    let begins = |record: &&RecordSet| match &start {
        None => true,
        Some(start) => {
            let (name, same_kind) =
                (reversed(&record.name), kind.as_ref().is_none_or(|kind| record.kind >= *kind));
            name > *start || (name == *start && same_kind)
        }
    };
    let found: Vec<&RecordSet> = all.iter().filter(begins).collect();
    let mut answer = Map::new();
    answer.insert(
        "ResourceRecordSets".to_owned(),
        found.iter().take(most).map(|record| shown(record)).collect(),
    );
    answer.insert("IsTruncated".to_owned(), json!(found.len() > most));
    if let Some(next) = found.get(most) {
        answer.insert("NextRecordName".to_owned(), json!(absolute(&next.name)));
        answer.insert("NextRecordType".to_owned(), json!(next.kind.as_str()));
    }
    Ok(Value::Object(answer))
}

fn change(change: &Value) -> Result<Change, CallError> {
    let Some(action) = named::<Action>(change, "Action") else { return unknown("this action") };
    let set = change.get("ResourceRecordSet").cloned().unwrap_or_default();
    Ok(Change { action, record: record(&set)? })
}

fn record(set: &Value) -> Result<RecordSet, CallError> {
    let values: Vec<String> = list(set, "ResourceRecords").map(|one| text(one, "Value")).collect();
    let content = match set.get("AliasTarget") {
        Some(_) if set.get("TTL").is_some() || !values.is_empty() => {
            return Ok(refuse("InvalidInput", "an alias has no TTL and no values")?);
        }
        Some(alias) => Content::Alias(Alias {
            target: Name::observed(&text(alias, "DNSName").to_lowercase()),
            zone_id: text(alias, "HostedZoneId"),
            evaluate_target_health: alias.get("EvaluateTargetHealth") == Some(&json!(true)),
        }),
        None => Content::Values { ttl: number(set, "TTL").unwrap_or_default(), values },
    };
    Ok(RecordSet {
        name: Name::observed(&text(set, "Name").to_lowercase()),
        kind: RecordType::from(text(set, "Type")),
        routing: routing(set)?,
        content,
    })
}

fn routing(set: &Value) -> Result<Option<Routing>, CallError> {
    let Some(set_identifier) = maybe(set, "SetIdentifier") else { return Ok(None) };
    let policy = if let Some(weight) = number(set, "Weight") {
        RoutingPolicy::Weighted(weight)
    } else if let Some(role) = maybe(set, "Failover") {
        RoutingPolicy::Failover(role)
    } else {
        return Ok(refuse("InvalidChangeBatch", "a set identifier needs a routing policy")?);
    };
    Ok(Some(Routing { set_identifier, policy, health_check: maybe(set, "HealthCheckId") }))
}

/// A name as Route 53 answers it: with the final dot, an asterisk as an escape.
fn absolute(name: &Name) -> String {
    format!("{}.", name.as_str().replace('*', "\\052"))
}

fn shown(record: &RecordSet) -> Value {
    let mut answer = Map::new();
    answer.insert("Name".to_owned(), json!(absolute(&record.name)));
    answer.insert("Type".to_owned(), json!(record.kind.as_str()));
    if let Some(routing) = &record.routing {
        answer.insert("SetIdentifier".to_owned(), json!(routing.set_identifier));
    }
    match &record.content {
        Content::Alias(alias) => {
            let target = json!({
                "DNSName": absolute(&alias.target),
                "HostedZoneId": alias.zone_id,
                "EvaluateTargetHealth": alias.evaluate_target_health,
            });
            answer.insert("AliasTarget".to_owned(), target);
        }
        Content::Values { ttl, values } => {
            let values: Value = values.iter().map(|value| json!({ "Value": value })).collect();
            answer.insert("TTL".to_owned(), json!(ttl));
            answer.insert("ResourceRecords".to_owned(), values);
        }
    }
    Value::Object(answer)
}
