//! Golden zones: a zone and what is asked of it, and the plan that follows.
//!
//! `tests/golden/CASE/zone.yaml` holds the zone, `wishes.yaml` why the plan is right and what is asked, `plan.txt` the
//! plan. Every plan is then applied to a zone that takes only what Route 53 takes, and the next plan has to be empty.
//! `UPDATE_GOLDEN=1` writes the plans, never where CI is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{collections::BTreeSet, fs, path::Path};

use common::{Look, alias, apply, kind, load_balancer, look, mark, name, print, values, weighted, zone};
use fairway_dns::{
    DnsConfig,
    config::TxtNaming,
    record::{Content, RecordSet},
    sources::Asked,
    wish::{Target, Targets, Wish},
};
use serde::Deserialize;

const OWNER: &str = "demo";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    values: Vec<String>,
    ttl: Option<u32>,
    /// Host and zone of an alias.
    alias: Option<(String, String)>,
    #[serde(default)]
    no_health: bool,
    /// Owner and object of an ownership record.
    mark: Option<(String, String)>,
    set: Option<(String, u8)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asks {
    /// Why the plan is right.
    why: String,
    #[serde(default)]
    naming: TxtNamingLine,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    held: BTreeSet<String>,
    #[serde(default)]
    spared: Vec<String>,
    #[serde(default)]
    wishes: Vec<WishLine>,
    /// Whether what stands in the way stays: then the next plan says the same.
    #[serde(default)]
    blocked: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct TxtNamingLine {
    prefix: String,
    suffix: String,
    wildcard: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WishLine {
    by: String,
    name: String,
    created: Option<String>,
    /// Host and zone of a load balancer.
    lb: Option<(String, String)>,
    #[serde(default)]
    dual_stack: bool,
    #[serde(default)]
    ips: Vec<String>,
    host: Option<String>,
    ttl: Option<u32>,
    set: Option<(String, u8)>,
}

fn record(line: &Line) -> RecordSet {
    let borrowed: Vec<&str> = line.values.iter().map(String::as_str).collect();
    let mut record = match (&line.alias, &line.mark) {
        (Some((host, zone)), _) => alias(&line.name, &line.kind, host, zone),
        (None, Some((owner, object))) => mark(&line.name, owner, object),
        (None, None) => values(&line.name, &line.kind, line.ttl.unwrap_or(300), &borrowed),
    };
    match &mut record.content {
        Content::Alias(alias) => alias.evaluate_target_health = !line.no_health,
        Content::Values { values, .. } if line.mark.is_some() => values.extend(line.values.clone()),
        Content::Values { .. } => {}
    }
    record.routing = line.set.as_ref().map(|(set, weight)| weighted(set, *weight));
    record
}

fn wish(line: &WishLine) -> Wish {
    let mut targets: Vec<Target> = line.ips.iter().map(|ip| Target::Ip(ip.parse().unwrap())).collect();
    targets.extend(line.host.as_ref().map(|host| Target::Host(name(host))));
    let targets = match &line.lb {
        Some((host, zone)) => load_balancer(host, zone, line.dual_stack),
        None if targets.is_empty() => Targets::Pending,
        None => Targets::Published(targets),
    };
    let mut wish = common::wish(&line.by, &line.name, targets);
    wish.ttl = line.ttl;
    wish.created = line.created.clone().or(wish.created);
    wish.routing = line.set.as_ref().map(|(set, weight)| weighted(set, *weight));
    wish
}

fn evaluate(asks: &Asks, records: &[RecordSet]) -> Look {
    let naming = TxtNaming {
        prefix: asks.naming.prefix.clone(),
        suffix: asks.naming.suffix.clone(),
        wildcard: asks.naming.wildcard.clone(),
    };
    let mut config = DnsConfig { naming, ..DnsConfig::owned_by(OWNER) };
    config.filter.domains.clone_from(&asks.domains);
    let asked =
        Asked { wishes: asks.wishes.iter().map(wish).collect(), held: asks.held.clone(), notes: vec![] };
    let spared: Vec<&str> = asks.spared.iter().map(String::as_str).collect();
    look(&config, &zone("example.com"), asked, records, &spared)
}

fn check(case: &Path) -> Result<(), String> {
    let read = |file: &str| fs::read_to_string(case.join(file)).map_err(|error| format!("{file}: {error}"));
    let lines: Vec<Line> = serde_saphyr::from_str(&read("zone.yaml")?).map_err(|error| error.to_string())?;
    let asks: Asks = serde_saphyr::from_str(&read("wishes.yaml")?).map_err(|error| error.to_string())?;
    let records: Vec<RecordSet> = lines.iter().map(record).collect();
    common::consistent(&records)?;
    let plan = evaluate(&asks, &records);
    let text = format!("why: {}\n\n{}", asks.why, print(&plan));
    if std::env::var_os("UPDATE_GOLDEN").is_some() && std::env::var_os("CI").is_none() {
        fs::write(case.join("plan.txt"), &text).map_err(|error| error.to_string())?;
    }
    let want = read("plan.txt")?;
    if text != want {
        return Err(format!("--- wanted\n{want}--- got\n{text}"));
    }
    let after = plan.batches.iter().try_fold(records, |records, batch| apply(&records, batch))?;
    let again = evaluate(&asks, &after);
    let quiet = again.notes.iter().all(|note| plan.notes.contains(note));
    if !again.batches.is_empty() || !quiet || (asks.blocked && again.notes.is_empty()) {
        return Err(format!("not settled after it was applied:\n{}", print(&again)));
    }
    Ok(())
}

#[test]
fn plans_are_as_they_should_be() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let cases: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(cases.len() >= 12, "{} cases", cases.len());
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|error| format!("{}:\n{error}", case.display())))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn short_forms_mean_what_they_say() {
    assert_eq!(
        record(&serde_saphyr::from_str("{name: A.example.com., type: a, values: [192.0.2.1]}").unwrap()),
        { values("a.example.com", "A", 300, &["192.0.2.1"]) }
    );
    assert_eq!(kind("a"), kind("A"));
}
