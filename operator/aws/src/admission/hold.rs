//! Holding a pod that ends until its load balancer has let go of it.
//!
//! A pod that is deleted leaves its target group at the same moment as it is told to stop. Requests arrive for some
//! seconds more, and those that are under way may take as long as the target group's deregistration delay. Containers
//! without a `preStop` of their own sleep for that long, still answering, before they are told to stop.
//!
//! | what         | seconds                                                                                       |
//! |--------------|-----------------------------------------------------------------------------------------------|
//! | hold         | the longest `deregistration_delay.timeout_seconds` of the pod's Services and of Ingresses that name them (AWS' default is 300), and 10 until the deregistration is known everywhere; at most the cap |
//! | grace period | what the pod asks for (30 by default), and the hold                                           |
//!
//! Shape: for pods whose annotation asks for it, or, where the installation says so, all that a load balancer reaches by
//! their own address. Looks at the Services and Ingresses of the pod's namespace.

use fairway_core::{
    admission::{Answer, Edit},
    ids::Key,
    read,
    settings::{alb, nlb},
    snapshot::Snapshot,
};
use k8s_openapi::{
    api::core::v1::{Container, Pod, Service},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde_json::json;

use super::pods::{NewPod, within};

/// Annotation of a pod: `true`, `false`, or a number of seconds.
pub const HOLD: &str = "fairway.dev/drain-hold";

/// Until a deregistration is known everywhere.
const SPREAD: u32 = 10;
/// AWS' default.
const DELAY: u32 = 300;
/// AWS allows no longer delay.
const LONGEST: u32 = 3600;
/// Kubernetes' default.
const GRACE: i64 = 30;

/// Which pods are held, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldConfig {
    /// Whether pods that a load balancer reaches are held without asking for it.
    pub all: bool,
    /// Seconds that no pod is held longer for, unless it names a number itself.
    pub cap: u32,
}

/// What a pod asks for.
enum Asked {
    Off,
    Seconds(u32),
    /// As long as its target groups need.
    Fitting,
}

/// What the API server is answered about a new pod.
#[must_use]
pub fn hold(snapshot: &Snapshot, config: HoldConfig, namespace: &str, pod: &Pod) -> Answer {
    let new = NewPod { namespace, pod };
    let wish = pod.metadata.annotations.as_ref().and_then(|all| all.get(HOLD));
    let asked = match wish.map(|text| asked(text)) {
        Some(Ok(asked)) => asked,
        Some(Err(problem)) => return Answer::refuse(problem),
        None if config.all && new.bindings(snapshot).next().is_some() => Asked::Fitting,
        None => Asked::Off,
    };
    match asked {
        Asked::Off => Answer::allow(),
        Asked::Seconds(seconds) => Answer::edit(edits(pod, seconds)),
        Asked::Fitting => {
            Answer::edit(edits(pod, fitting(snapshot, &new).saturating_add(SPREAD).min(config.cap)))
        }
    }
}

fn asked(text: &str) -> Result<Asked, String> {
    match text {
        "true" | "True" | "TRUE" | "t" | "T" => Ok(Asked::Fitting),
        "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(Asked::Off),
        _ => match text.parse() {
            Ok(seconds) if seconds <= LONGEST => Ok(Asked::Seconds(seconds)),
            _ => Err(format!(
                "{HOLD}: {text:?} is neither true nor false nor a number of seconds up to {LONGEST}"
            )),
        },
    }
}

/// The longest delay of all target groups that the pod can be in.
fn fitting(snapshot: &Snapshot, new: &NewPod<'_>) -> u32 {
    let services = new.services(snapshot);
    services.flat_map(|(key, service)| delays(snapshot, key, service)).max().unwrap_or(DELAY)
}

/// Delays of the target groups of one Service: a Service's own attributes replace the Ingress' whole.
fn delays(snapshot: &Snapshot, key: &Key, service: &Service) -> Vec<u32> {
    let of_alb = format!("{}{}", alb::PREFIX, alb::TARGET_GROUP_ATTRIBUTES.key);
    let of_nlb = format!("{}{}", nlb::PREFIX, nlb::TARGET_GROUP_ATTRIBUTES.key);
    let own = written(&service.metadata, &of_alb);
    let users = within(&snapshot.ingresses, &key.namespace)
        .filter(|(_, ingress)| read::backend_services(ingress).contains(key))
        .map(|(_, ingress)| own.or_else(|| written(&ingress.metadata, &of_alb)).unwrap_or(DELAY));
    users.chain(written(&service.metadata, &of_nlb)).collect()
}

/// The delay that attributes in an annotation ask for; `None` without the annotation. Attributes that cannot be read make
/// no target group; until they can, AWS' default is the best guess.
fn written(meta: &ObjectMeta, key: &str) -> Option<u32> {
    let text = meta.annotations.as_ref()?.get(key)?;
    // Both kinds of load balancer write the attribute alike.
    let attributes = (alb::TARGET_GROUP_ATTRIBUTES.parse)(text).unwrap_or_default();
    let delay = attributes.get("deregistration_delay.timeout_seconds").and_then(|text| text.parse().ok());
    Some(delay.unwrap_or(DELAY))
}

fn edits(pod: &Pod, seconds: u32) -> Vec<Edit> {
    let Some(spec) = pod.spec.as_ref().filter(|_| seconds > 0) else { return Vec::new() };
    let mut edits: Vec<Edit> = spec
        .containers
        .iter()
        .enumerate()
        .filter_map(|(place, container)| sleep(place, container, seconds))
        .collect();
    if !edits.is_empty() {
        let grace = spec.termination_grace_period_seconds.unwrap_or(GRACE);
        let grace = grace.saturating_add(i64::from(seconds));
        edits.push(Edit::set("/spec/terminationGracePeriodSeconds", grace));
    }
    edits
}

fn sleep(place: usize, container: &Container, seconds: u32) -> Option<Edit> {
    let hook = json!({"sleep": {"seconds": seconds}});
    match &container.lifecycle {
        None => Some(Edit::set(format!("/spec/containers/{place}/lifecycle"), json!({"preStop": hook}))),
        Some(cycle) if cycle.pre_stop.is_none() => {
            Some(Edit::set(format!("/spec/containers/{place}/lifecycle/preStop"), hook))
        }
        Some(_) => None,
    }
}
