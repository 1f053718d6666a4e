//! Route 53 record sets: atomic batches, conflicts, normal forms.
//!
//! Source: Route 53 API reference, ChangeResourceRecordSets; Supported DNS record types.

use std::collections::BTreeSet;

use fairway_dns::{
    change::{Action, Change, MAX_CHARACTERS, MAX_VALUES},
    name::Name,
    record::{Content, RecordKey, RecordSet, RecordType, RoutingPolicy},
};

use super::{Answered, Aws, refuse, unless};

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneRow {
    /// Id.
    pub id: String,
    /// Apex.
    pub name: Name,
    /// With the name servers and the start of authority.
    pub records: Vec<RecordSet>,
    /// Until when another change is refused.
    pub busy_until: u64,
}

/// How far a change has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not everywhere yet.
    Pending,
    /// Everywhere.
    InSync,
}

impl ZoneRow {
    pub(super) fn new(id: &str, name: &str) -> Self {
        let apex = Name::observed(name);
        let own = |kind: &str, value: &str| RecordSet {
            name: apex.clone(),
            kind: RecordType::from(kind.to_owned()),
            routing: None,
            content: Content::Values { ttl: 172_800, values: vec![value.to_owned()] },
        };
        let records = vec![
            own("NS", "ns-1.example-dns.com."),
            own("SOA", "ns-1.example-dns.com. 1 7200 900 1209600 86400"),
        ];
        Self { id: id.to_owned(), name: apex, records, busy_until: 0 }
    }
}

fn invalid<T>(message: impl Into<String>) -> Answered<T> {
    refuse("InvalidChangeBatch", message)
}

impl Aws {
    /// ChangeResourceRecordSets: all or none. Answers with the change's id.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `PriorRequestNotComplete`, `InvalidChangeBatch`.
    pub fn change_records(&mut self, zone: &str, changes: &[&Change]) -> Answered<String> {
        let row = self.zone(zone)?;
        unless(self.now >= row.busy_until, "PriorRequestNotComplete", "a change of the zone is under way")?;
        within_limits(changes)?;
        let mut records = row.records.clone();
        changes.iter().try_for_each(|change| apply(&row.name, &mut records, change))?;
        conflicts(&records)?;
        let (busy_until, in_sync_at) =
            (self.now + self.settings.zone_busy, self.now + self.settings.change_pending);
        let id = format!("/change/C{:019X}", self.next());
        self.changes.insert(id.clone(), in_sync_at);
        if let Some(row) = self.zones.get_mut(zone) {
            (row.records, row.busy_until) = (records, busy_until);
        }
        Ok(id)
    }

    /// GetChange.
    ///
    /// # Errors
    /// `NoSuchChange`.
    pub fn change_status(&self, id: &str) -> Answered<Status> {
        match self.changes.get(id) {
            Some(at) if self.now >= *at => Ok(Status::InSync),
            Some(_) => Ok(Status::Pending),
            None => refuse("NoSuchChange", id),
        }
    }

    /// DeleteHostedZone.
    ///
    /// # Errors
    /// `HostedZoneNotEmpty`, `NoSuchHostedZone`.
    pub fn delete_zone(&mut self, id: &str) -> Answered<()> {
        let row = self.zone(id)?;
        let empty = row.records.iter().all(|record| is_own(&row.name, record));
        unless(empty, "HostedZoneNotEmpty", "the zone has record sets")?;
        self.zones.remove(id);
        Ok(())
    }

    /// ListResourceRecordSets, whole: by reversed labels, then type, then set identifier.
    ///
    /// # Errors
    /// `NoSuchHostedZone`.
    pub fn records(&self, zone: &str) -> Answered<Vec<RecordSet>> {
        let mut records = self.zone(zone)?.records.clone();
        records.sort_by_cached_key(|record| (reversed(&record.name), record.key()));
        Ok(records)
    }

    /// One hosted zone.
    ///
    /// # Errors
    /// `NoSuchHostedZone`.
    pub fn zone(&self, id: &str) -> Answered<&ZoneRow> {
        self.zones.get(id).map_or_else(|| refuse("NoSuchHostedZone", id), Ok)
    }
}

/// The labels of a name from the last to the first.
pub(crate) fn reversed(name: &Name) -> Vec<String> {
    name.as_str().split('.').rev().map(str::to_owned).collect()
}

fn within_limits(changes: &[&Change]) -> Answered<()> {
    let sizes = changes.iter().map(|change| change.size());
    let (values, characters) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
    let distinct: BTreeSet<(Action, RecordKey)> =
        changes.iter().map(|c| (c.action, c.record.key())).collect();
    if changes.is_empty() || distinct.len() < changes.len() {
        return invalid("the batch is empty or says something twice");
    }
    if values > MAX_VALUES || characters > MAX_CHARACTERS {
        invalid("the batch is too large")
    } else {
        Ok(())
    }
}

fn apply(apex: &Name, records: &mut Vec<RecordSet>, change: &Change) -> Answered<()> {
    let record = &change.record;
    let standing = records.iter().position(|have| have.key() == record.key());
    match (change.action, standing) {
        (Action::Delete, None) => return invalid(format!("{} {} was not found", record.kind, record.name)),
        (Action::Delete, Some(at)) => {
            let have = records.remove(at);
            if is_own(apex, record) {
                return invalid("the name servers of a zone stay");
            }
            if !equal(&have, record) {
                return invalid(format!("{} {} does not have these values", record.kind, record.name));
            }
            return Ok(());
        }
        (Action::Create, Some(_)) => {
            return invalid(format!("{} {} already exists", record.kind, record.name));
        }
        (Action::Upsert, Some(at)) => drop(records.remove(at)),
        (Action::Create | Action::Upsert, None) => {}
    }
    record_is_valid(apex, record)?;
    records.push(record.clone());
    Ok(())
}

fn is_own(apex: &Name, record: &RecordSet) -> bool {
    record.name == *apex && matches!(record.kind.as_str(), "NS" | "SOA")
}

fn equal(have: &RecordSet, named: &RecordSet) -> bool {
    let sorted = |record: &RecordSet| {
        let mut record = record.clone();
        if let Content::Values { values, .. } = &mut record.content {
            values.sort();
        }
        record
    };
    sorted(have) == sorted(named)
}

fn record_is_valid(apex: &Name, record: &RecordSet) -> Answered<()> {
    if !record.name.is_in(apex) {
        return invalid(format!("{} is not in the zone", record.name));
    }
    if record.name.as_str().split('.').any(|label| label.is_empty() || label.len() > 63) {
        return invalid(format!("{} is not a valid name", record.name));
    }
    if record.kind == RecordType::Cname && record.name == *apex {
        return invalid("there is no CNAME at the apex");
    }
    if let Some(routing) = &record.routing
        && matches!(&routing.policy, RoutingPolicy::Failover(role) if role == "PRIMARY")
        && routing.health_check.is_none()
        && matches!(record.content, Content::Values { .. })
    {
        return invalid("a primary failover record has a health check");
    }
    match &record.content {
        Content::Alias(alias) => match zone_of_target(alias.target.as_str()) {
            Some(zone) if zone != alias.zone_id => {
                invalid("the alias names another hosted zone than its target's")
            }
            _ => Ok(()),
        },
        Content::Values { values, .. } if values.is_empty() => invalid("a record set has values"),
        Content::Values { values, .. } => {
            values.iter().try_for_each(|value| value_is_valid(&record.kind, value))
        }
    }
}

/// Source: Elastic Load Balancing endpoints and quotas, us-east-1.
fn zone_of_target(target: &str) -> Option<&'static str> {
    let target = target.to_ascii_lowercase();
    if target.ends_with(".us-east-1.elb.amazonaws.com") {
        Some("Z35SXDOTRQ7X7K")
    } else if target.ends_with(".elb.us-east-1.amazonaws.com") {
        Some("Z26RNL4JYFTOTI")
    } else {
        None
    }
}

fn value_is_valid(kind: &RecordType, value: &str) -> Answered<()> {
    let fine = match kind {
        RecordType::A => value.parse::<std::net::Ipv4Addr>().is_ok(),
        RecordType::Aaaa => value.parse::<std::net::Ipv6Addr>().is_ok(),
        RecordType::Txt => txt_is_valid(value),
        RecordType::Cname | RecordType::Other(_) => true,
    };
    if fine { Ok(()) } else { invalid(format!("{value} is not a value of {kind}")) }
}

fn txt_is_valid(value: &str) -> bool {
    let strings = value.split("\" \"");
    let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    quoted && strings.map(|text| text.trim_matches('"').chars().count()).all(|length| length <= 255)
}

fn conflicts(records: &[RecordSet]) -> Answered<()> {
    for record in records {
        let same_name = || records.iter().filter(|other| other.name == record.name);
        if record.kind == RecordType::Cname && same_name().any(|other| other.kind != RecordType::Cname) {
            return invalid(format!("a CNAME stands beside no other type at {}", record.name));
        }
        let policy = |record: &RecordSet| {
            record.routing.as_ref().map(|routing| std::mem::discriminant(&routing.policy))
        };
        if same_name().any(|other| other.kind == record.kind && policy(other) != policy(record)) {
            return invalid(format!("routing policies of {} {} do not mix", record.kind, record.name));
        }
    }
    Ok(())
}
