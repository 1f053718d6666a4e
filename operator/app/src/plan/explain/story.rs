//! What is known of one object, and whose move it is.

use fairway_aws_api::TargetHealth;
use fairway_core::{
    class::Class,
    evaluate::LastGood,
    ids::{Key, ObjectRef, StackId},
    read::{self, Candidate, ReadConfig},
    snapshot::Snapshot,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Serialize;

use super::{UnitPlan, concerns};

/// All there is to say about one object.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    /// `Kind namespace/name`.
    pub(super) object: String,
    /// Why it is not ours; absent when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_ours: Option<String>,
    /// Where it belongs: its stack, and those that it leaves.
    pub(super) stacks: Vec<Home>,
    /// What its status shows.
    pub(super) addresses: Vec<String>,
    /// The plans that speak of it, cut to what concerns it and its stacks.
    pub(super) units: Vec<UnitPlan>,
    /// Its target groups.
    pub(super) target_groups: Vec<Group>,
    /// Whose move it is.
    pub(super) verdict: Verdict,
}

/// One stack.
#[derive(Debug, Serialize)]
pub(super) struct Home {
    /// As plans print it.
    pub(super) stack: String,
    /// Who shares it, in order.
    pub(super) members: Vec<String>,
    /// What was recorded about it.
    pub(super) conditions: Vec<Said>,
}

/// A condition, cut to what a person reads.
#[derive(Debug, Serialize)]
pub(super) struct Said {
    pub(super) condition: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
}

impl From<&Condition> for Said {
    fn from(condition: &Condition) -> Self {
        Self {
            condition: condition.type_.clone(),
            status: condition.status.clone(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
        }
    }
}

/// One target group.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) binding: String,
    pub(super) service: String,
    pub(super) targets: Vec<TargetHealth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// Whose move it is, and why.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) whose: &'static str,
    pub(super) why: String,
}

impl Story {
    pub(super) fn of(
        snapshot: &Snapshot,
        config: &ReadConfig,
        candidate: Candidate<'_>,
        plans: &[UnitPlan],
        target_groups: Vec<Group>,
    ) -> Self {
        let object = candidate.object();
        let stacks = read::stacks_of(snapshot, config, candidate);
        let homes: Vec<Home> = stacks.iter().map(|stack| home(snapshot, config, stack)).collect();
        let named = |plan: &&UnitPlan| stacks.iter().any(|stack| stack.to_string() == plan.unit);
        let of_targets = |plan: &&UnitPlan| target_groups.iter().any(|group| group.binding == plan.unit);
        let units: Vec<UnitPlan> = plans
            .iter()
            .filter(|plan| named(plan) || of_targets(plan) || concerns(plan, &object))
            .map(|plan| if named(&plan) || of_targets(&plan) { plan.clone() } else { cut(plan, &object) })
            .collect();
        let not_ours = stacks.is_empty().then(|| read::why_not_ours(snapshot, config, candidate));
        let verdict = verdict(&object, not_ours.as_deref(), &units, &target_groups);
        Self {
            object: object.to_string(),
            not_ours,
            stacks: homes,
            addresses: addresses(candidate),
            units,
            target_groups,
            verdict,
        }
    }
}

fn home(snapshot: &Snapshot, config: &ReadConfig, stack: &StackId) -> Home {
    let state = snapshot.states.get(&Key::cluster(&stack.state_name()));
    let status = state.and_then(|state| state.status.as_ref());
    let last_good = LastGood::of(status);
    let (intent, _) = read::intent(snapshot, config, stack, &last_good);
    let members = intent.members.iter().map(|member| member.object.to_string());
    let unreadable = intent.unreadable.iter().map(ToString::to_string);
    let conditions = status.map(|status| status.conditions.as_slice());
    Home {
        stack: stack.to_string(),
        members: members.chain(unreadable).collect(),
        conditions: conditions.unwrap_or_default().iter().map(Said::from).collect(),
    }
}

/// Of a zone's plan only what the object asked for.
fn cut(plan: &UnitPlan, object: &ObjectRef) -> UnitPlan {
    let mut cut = plan.clone();
    cut.ops.retain(|op| op.because.iter().any(|from| from.object == *object));
    cut.notes.retain(|note| note.about == *object);
    cut.withheld.retain(|withheld| cut.ops.iter().any(|op| op.id == withheld.op.0));
    cut
}

fn addresses(candidate: Candidate<'_>) -> Vec<String> {
    let shown = |hostname: &Option<String>, ip: &Option<String>| hostname.clone().or_else(|| ip.clone());
    match candidate {
        Candidate::Ingress(ingress) => {
            let status = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
            let entries = status.into_iter().flat_map(|balancer| balancer.ingress.iter().flatten());
            entries.filter_map(|entry| shown(&entry.hostname, &entry.ip)).collect()
        }
        Candidate::Service(service) => {
            let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
            let entries = status.into_iter().flat_map(|balancer| balancer.ingress.iter().flatten());
            entries.filter_map(|entry| shown(&entry.hostname, &entry.ip)).collect()
        }
    }
}

/// The first that applies: somebody else's object, what stands in the way, what is to do, what is unhealthy.
fn verdict(object: &ObjectRef, not_ours: Option<&str>, units: &[UnitPlan], groups: &[Group]) -> Verdict {
    let say = |whose, why: String| Verdict { whose, why };
    if let Some(why) = not_ours {
        return say("not Fairway's", why.to_owned());
    }
    let notes = || units.iter().flat_map(|plan| &plan.notes).filter(|note| !note.advice);
    // What is said about the object itself comes before what is said about its neighbours, and what holds it before
    // the rest.
    let worst = notes().max_by_key(|note| (note.about == *object, note.held, note.class));
    if let Some(note) = worst {
        let elsewhere = if note.about == *object { String::new() } else { format!("{}: ", note.about) };
        let more = match notes().count() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        return say(mover(note.class), format!("{elsewhere}{}{more}", note.message));
    }
    if let Some(error) = units.iter().find_map(|plan| plan.error.as_ref()) {
        return say("an administrator's", format!("the plan could not be made: {error}"));
    }
    let ops: usize = units.iter().map(|plan| plan.ops.len()).sum();
    let withheld: usize = units.iter().map(|plan| plan.withheld.len()).sum();
    if ops > 0 {
        let why =
            format!("{ops} operations are to do; if they stay, look whether an operator runs and leads");
        return say("Fairway's", why);
    }
    if withheld > 0 {
        return say("an administrator's", format!("{withheld} operations are withheld by policy"));
    }
    let sick =
        |group: &&Group| group.problem.is_some() || group.targets.iter().any(|one| !is_well(&one.state));
    if let Some(group) = groups.iter().find(|group| group.targets.is_empty() && group.problem.is_none()) {
        return say("the workload's", format!("Service {} has no ready endpoint", group.service));
    }
    match groups.iter().find(sick) {
        Some(group) => say("the workload's", format!("targets of Service {} are not healthy", group.service)),
        None => say("nobody's", "everything is as it was asked for".to_owned()),
    }
}

/// A target that is leaving is not ill.
fn is_well(state: &str) -> bool {
    matches!(state, "healthy" | "draining" | "unused")
}

const fn mover(class: Class) -> &'static str {
    match class {
        Class::Invalid => "yours",
        Class::Conflict => "yours, or the other owner's",
        Class::Environment => "an administrator's",
        Class::Pending | Class::Transient => "time's",
        Class::Bug => "Fairway's: please report it",
    }
}

#[cfg(test)]
mod tests {
    use fairway_core::{ids::Kind, note::Note};

    use super::*;

    fn front() -> ObjectRef {
        ObjectRef::new(Kind::Ingress, Key::new("shop", "front"))
    }

    fn unit(notes: Vec<Note>) -> UnitPlan {
        UnitPlan {
            unit: "aws:group:shop".into(),
            ops: vec![],
            withheld: vec![],
            notes,
            finalizers: vec![],
            error: None,
        }
    }

    fn note(name: &str, class: Class, advice: bool) -> Note {
        Note {
            about: ObjectRef::new(Kind::Ingress, Key::new("shop", name)),
            class,
            code: "Code".into(),
            message: format!("{name} is wrong"),
            held: !advice,
            advice,
        }
    }

    fn group(state: &str) -> Group {
        let health = TargetHealth { target: "10.0.0.1:80".into(), state: state.into(), reason: None };
        Group {
            binding: "shop/k8s-a".into(),
            service: "shop/web".into(),
            targets: vec![health],
            problem: None,
        }
    }

    #[test]
    fn the_first_thing_in_the_way_decides() {
        let (own, other) = (note("front", Class::Environment, false), note("back", Class::Bug, false));
        let advice = note("front", Class::Invalid, true);
        let failed = UnitPlan { error: Some("AccessDenied: no".into()), ..unit(vec![]) };
        let cases = [
            (
                vec![unit(vec![other.clone(), own])],
                "healthy",
                "an administrator's",
                "front is wrong (and 1 more)",
            ),
            (
                vec![unit(vec![other])],
                "healthy",
                "Fairway's: please report it",
                "Ingress shop/back: back is wrong",
            ),
            (vec![unit(vec![advice])], "healthy", "nobody's", "everything is as it was asked for"),
            (vec![failed], "healthy", "an administrator's", "the plan could not be made: AccessDenied: no"),
            (vec![], "unhealthy", "the workload's", "targets of Service shop/web are not healthy"),
            (vec![], "draining", "nobody's", "everything is as it was asked for"),
        ];
        for (units, state, whose, why) in cases {
            let verdict = verdict(&front(), None, &units, &[group(state)]);
            assert_eq!((verdict.whose, verdict.why.as_str()), (whose, why));
        }
        let idle = Group { targets: vec![], ..group("healthy") };
        assert_eq!(verdict(&front(), None, &[], &[idle]).why, "Service shop/web has no ready endpoint");
        assert_eq!(verdict(&front(), Some("it is not"), &[], &[]).whose, "not Fairway's");
    }
}
