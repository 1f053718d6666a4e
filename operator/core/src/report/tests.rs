use proptest::prelude::*;

use super::*;
use crate::{
    evaluate::{AddressWish, StatusWish},
    ids::{Key, Kind},
    plan::{Effect, Handle, Plan, ResourceKey},
    toy::{evaluation, key, op, plans},
};

fn shop() -> ObjectRef {
    ObjectRef::new(Kind::Ingress, Key::new("default", "shop"))
}

fn note(class: Class, held: bool, advice: bool) -> Note {
    Note { about: shop(), class, code: format!("{class:?}"), message: "it is so".into(), held, advice }
}

fn one_op() -> Plan<crate::toy::ToyOp> {
    let mut plan = Plan::default();
    plan.push(op(Effect::Create, "a", &[]), []);
    plan
}

fn outcome(result: OpResult) -> Outcome {
    Outcome { results: BTreeMap::from([(OpId(0), result)]), ..Outcome::default() }
}

fn failure(class: Class) -> OpResult {
    OpResult::Failed(Failure { class, code: format!("{class:?}Failure"), message: "refused".into() })
}

fn ready_reason(report: &Report) -> (bool, &str) {
    let ready = &report.state.as_ref().unwrap().ready;
    (ready.status, ready.reason.as_str())
}

#[test]
fn the_condition_says_what_matters_most() {
    let withheld = Outcome {
        withheld: vec![Withheld { op: OpId(0), what: "delete a".into(), reason: "frozen".into() }],
        ..Outcome::default()
    };
    let waiting = outcome(OpResult::Waiting(Wait::BackendSecurityGroup));
    let applied = || Some(outcome(OpResult::Applied));
    let cases = [
        ("all is done", vec![], applied(), (true, "Ready")),
        ("advice changes nothing", vec![note(Class::Invalid, false, true)], applied(), (true, "Ready")),
        ("a hold is not ready", vec![note(Class::Invalid, true, false)], applied(), (false, "Invalid")),
        ("nor is a pending thing", vec![note(Class::Pending, false, false)], applied(), (false, "Pending")),
        (
            "waiting is said, advice is not the reason",
            vec![note(Class::Invalid, false, true)],
            Some(waiting),
            (false, "Waiting"),
        ),
        ("so is withholding", vec![], Some(withheld), (false, "Withheld")),
        ("so is a plan that nobody applied", vec![], None, (false, "NotApplied")),
        (
            "a failure is the reason",
            vec![],
            Some(outcome(failure(Class::Transient))),
            (false, "TransientFailure"),
        ),
        (
            "the worse of note and failure is",
            vec![note(Class::Environment, false, false)],
            Some(outcome(failure(Class::Transient))),
            (false, "Environment"),
        ),
        (
            "an operation without a result is not done",
            vec![],
            Some(Outcome::default()),
            (false, "NotApplied"),
        ),
    ];
    for (name, notes, outcome, want) in cases {
        let evaluation = Evaluation { notes, ..evaluation(one_op()) };
        assert_eq!(ready_reason(&report(&evaluation, outcome.as_ref())), want, "{name}");
    }
    assert_eq!(ready_reason(&report(&evaluation(Plan::default()), None)), (true, "Ready"), "nothing to do");
}

#[test]
fn the_next_look_depends_on_whose_move_it_is() {
    let cases = [
        ("nobody's fault", Class::Transient, Requeue::Backoff),
        ("ours", Class::Bug, Requeue::OnChange),
        ("time's", Class::Pending, Requeue::After(PENDING)),
        ("an administrator's", Class::Environment, Requeue::After(ENVIRONMENT)),
        ("the author's", Class::Invalid, Requeue::OnChange),
        ("another owner's", Class::Conflict, Requeue::OnChange),
    ];
    for (name, class, want) in cases {
        let noted = Evaluation { notes: vec![note(class, false, false)], ..evaluation(Plan::default()) };
        assert_eq!(report(&noted, None).requeue, want, "{name}: by a note");
        let failed = report(&evaluation(one_op()), Some(&outcome(failure(class))));
        assert_eq!(failed.requeue, want, "{name}: by a failure");
    }
}

#[test]
fn what_is_waited_for_without_being_told_is_looked_for() {
    let again = Some(std::time::Duration::from_secs(15));
    let cases = [
        ("nothing else is up", Vec::new(), Requeue::After(std::time::Duration::from_secs(15))),
        ("an administrator takes longer", vec![note(Class::Environment, false, false)], {
            Requeue::After(std::time::Duration::from_secs(15))
        }),
        ("time is quicker", vec![note(Class::Pending, false, false)], Requeue::After(PENDING)),
        ("a failure backs off", vec![note(Class::Transient, false, false)], Requeue::Backoff),
    ];
    for (name, notes, want) in cases {
        let waits = Evaluation { notes, again, ..evaluation(Plan::default()) };
        assert_eq!(report(&waits, None).requeue, want, "{name}");
    }
}

#[test]
fn a_status_is_written_when_its_address_is_live() {
    let address = Address::Of(key("lb"));
    let wish = StatusWish {
        object: shop(),
        addresses: vec![AddressWish { address, ports: vec![(80, String::new())] }],
    };
    let evaluation = Evaluation { status: vec![wish], ..evaluation(Plan::default()) };
    let handle = |ready| Handle {
        dns_name: Some("LB.example.com".into()),
        zone_id: Some("Z1".into()),
        ready,
        ..Handle::default()
    };
    let with = |bindings: BTreeMap<ResourceKey, Handle>| {
        report(&evaluation, Some(&Outcome { bindings, ..Outcome::default() }))
    };
    for (name, bindings) in
        [("not there", BTreeMap::new()), ("not active", BTreeMap::from([(key("lb"), handle(false))]))]
    {
        let report = with(bindings);
        assert!(report.status.is_empty(), "{name}: what is published stays");
        assert_eq!(report.requeue, Requeue::After(PENDING), "{name}");
        assert_eq!(report.state.unwrap().fingerprint, None, "{name}");
    }
    let report = with(BTreeMap::from([(key("lb"), handle(true))]));
    assert_eq!(report.status[0].addresses[0].hostname.as_deref(), Some("lb.example.com"));
    assert_eq!(report.state.unwrap().addresses, report.status[0].addresses);
}

#[test]
fn what_could_not_be_made_is_not_waited_for() {
    let address = Address::Of(key("lb"));
    let wish = StatusWish { object: shop(), addresses: vec![AddressWish { address, ports: Vec::new() }] };
    let evaluation = Evaluation { status: vec![wish], ..evaluation(one_op()) };
    let refused = outcome(failure(Class::Environment));
    assert_eq!(report(&evaluation, Some(&refused)).requeue, Requeue::After(ENVIRONMENT));
    let made = Outcome { bindings: BTreeMap::from([(key("lb"), Handle::default())]), ..refused };
    assert_eq!(report(&evaluation, Some(&made)).requeue, Requeue::After(PENDING), "it is being provisioned");
}

#[test]
fn lines_of_the_plan_say_what_became_of_each() {
    let evaluation = evaluation(one_op());
    let line = |outcome: Outcome| report(&evaluation, Some(&outcome)).state.unwrap().plan;
    let withheld = Withheld { op: OpId(0), what: String::new(), reason: String::new() };
    assert_eq!(line(outcome(OpResult::Applied)), ["done: Create a"]);
    assert_eq!(line(outcome(OpResult::Skipped)), ["not done: Create a"]);
    assert_eq!(line(Outcome { withheld: vec![withheld], ..Outcome::default() }), ["withheld: Create a"]);
}

fn classes() -> impl Strategy<Value = Class> {
    use Class::{Bug, Conflict, Environment, Invalid, Pending, Transient};
    prop::sample::select(vec![Pending, Transient, Invalid, Conflict, Environment, Bug])
}

fn notes() -> impl Strategy<Value = Vec<Note>> {
    let standing = prop::sample::select(vec![(false, false), (true, false), (false, true)]);
    prop::collection::vec(
        (classes(), standing).prop_map(|(class, (held, advice))| note(class, held, advice)),
        0..4,
    )
}

fn results() -> impl Strategy<Value = Vec<Option<OpResult>>> {
    let result = prop_oneof![
        6 => Just(Some(OpResult::Applied)),
        1 => classes().prop_map(|class| Some(failure(class))),
        1 => Just(Some(OpResult::Waiting(Wait::BackendSecurityGroup))),
        1 => Just(Some(OpResult::Skipped)),
        1 => Just(None),
    ];
    prop::collection::vec(result, 8)
}

proptest! {
    #[test]
    fn nothing_unfinished_is_called_finished(
        plan in plans(), notes in notes(), results in results(), gone in any::<bool>(), observed in any::<bool>(),
    ) {
        let ids: Vec<OpId> = plan.ops().iter().map(|planned| planned.id).collect();
        let done = observed && ids.iter().zip(&results).all(|(_, result)| *result == Some(OpResult::Applied));
        let done = done || ids.is_empty();
        let outcome = Outcome {
            results: ids.into_iter().zip(results).filter_map(|(id, result)| Some((id, result?))).collect(),
            ..Outcome::default()
        };
        let held = notes.iter().any(|note| note.held);
        let well = notes.iter().all(|note| note.advice);
        let evaluation = Evaluation { notes, gone, ..evaluation(plan) };
        let evaluation = Evaluation {
            finalizers: crate::evaluate::Finalizers { remove: vec![(shop(), "f".into())], ..Default::default() },
            ..evaluation
        };
        let report = report(&evaluation, observed.then_some(&outcome));
        prop_assert_eq!(!report.release.is_empty(), done, "finalizers go when all is done");
        prop_assert_eq!(report.state.is_none(), gone && done, "so does the state");
        if let Some(state) = report.state {
            prop_assert_eq!(state.ready.status, done && well);
            prop_assert_eq!(state.fingerprint.is_some(), done && !held);
        }
        let told = evaluation.notes.iter().filter(|note| note.class.warns()).all(|note| {
            report.events.iter().any(|event| event.warning && event.reason == note.code)
        });
        prop_assert!(told, "every warning is an event");
    }
}
