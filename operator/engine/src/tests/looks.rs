//! One look at one unit.

use std::{sync::PoisonError, time::Duration};

use fairway_core::{
    class::Class,
    plan::{Handle, Wait},
    policy::Policy,
    report::{PublishedAddress, Report, Requeue, StatusWrite},
};

use super::toy::{DAY, Stage, Toy, key, member, refusal};
use crate::{
    board::{Announces, Dns, Standing},
    plan::plan,
    ports::Term,
    reconcile::{Next, reconcile},
};

async fn look(stage: &Stage) -> Next {
    reconcile::<Toy>(&"toy".to_owned(), &stage.ctx).await
}

fn is_daily(next: Next) -> bool {
    matches!(next, Next::Within(after) if (DAY * 3 / 4..=DAY).contains(&after))
}

#[tokio::test]
async fn finalizers_stand_before_the_first_effect_and_the_record_follows_the_last() {
    let stage = Stage::wanting(&["a", "b"]);
    assert!(is_daily(look(&stage).await));
    let log = stage.world.take_log();
    assert_eq!(
        log,
        ["answer", "observe", "add toy/finalizer to Service default/toy", "create a", "create b", "record"]
    );
}

#[tokio::test]
async fn a_settled_unit_is_not_observed_even_by_another_process() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    let restarted = Stage::wanting(&["a"]);
    restarted.world.inner().recorded = stage.world.inner().recorded.clone();
    assert!(is_daily(look(&restarted).await));
    assert!(!restarted.world.take_log().contains(&"observe".to_owned()));
}

#[tokio::test]
async fn what_is_recorded_and_not_changed_is_not_kept_a_second_time() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    let restarted = Stage::wanting(&["a"]);
    restarted.world.inner().recorded = stage.world.inner().recorded.clone();
    for (stage, kept) in [(restarted, false), (stage, true)] {
        let _ = look(&stage).await;
        stage.world.inner().recorded = crate::ports::Remembered::default();
        stage.world.take_log();
        let _ = look(&stage).await;
        assert_eq!(stage.world.take_log().contains(&"observe".to_owned()), !kept);
    }
}

#[tokio::test]
async fn what_changed_behind_our_back_is_repaired_within_one_drift_period() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    stage.world.inner().things.clear();
    let _ = look(&stage).await;
    assert!(stage.world.inner().things.is_empty(), "nobody looks before the period is over");
    stage.world.inner().now += DAY;
    let _ = look(&stage).await;
    assert!(stage.world.inner().things.contains("a"));
}

#[tokio::test]
async fn the_fingerprint_is_taken_back_before_anything_changes() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    stage.world.take_log();
    stage.want(&["b"]);
    stage.world.inner().refuse.insert("delete a".to_owned(), refusal(Class::Transient, None));
    assert_eq!(look(&stage).await, Next::Backoff(None));
    let log = stage.world.take_log();
    let place = |line: &str| log.iter().position(|entry| entry == line).unwrap();
    assert!(place("forget") < place("create b"), "{log:?}");
    // The change is taken back: what the recorded fingerprint said is not true any more.
    stage.want(&["a"]);
    stage.world.inner().refuse.clear();
    let _ = look(&stage).await;
    assert_eq!(stage.world.inner().things.iter().collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn a_watch_that_lags_does_not_bring_an_old_fingerprint_back() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    let lagging = stage.world.inner().recorded.clone();
    stage.want(&["b"]);
    let _ = look(&stage).await;
    stage.want(&["a"]);
    stage.world.inner().recorded = lagging;
    let _ = look(&stage).await;
    assert_eq!(stage.world.inner().things.iter().collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn memory_of_an_earlier_term_is_worth_nothing() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    stage.world.inner().term = Some(Term(2));
    stage.world.inner().recorded = crate::ports::Remembered::default();
    stage.world.take_log();
    let _ = look(&stage).await;
    assert!(stage.world.take_log().contains(&"observe".to_owned()));
}

#[tokio::test]
async fn without_the_lease_nothing_is_even_asked() {
    let stage = Stage::wanting(&["a"]);
    stage.world.inner().term = None;
    assert_eq!(look(&stage).await, Next::OnChange);
    assert!(stage.world.take_log().is_empty());
}

#[tokio::test]
async fn a_lease_lost_between_two_ops_stops_everything_after_it() {
    let stage = Stage::wanting(&["a", "b"]);
    // answer, observe, finalizer, create a.
    stage.world.inner().lease_lasts = Some(4);
    assert_eq!(look(&stage).await, Next::OnChange);
    let log = stage.world.take_log();
    assert_eq!(log.last().map(String::as_str), Some("create a"), "{log:?}");
}

#[tokio::test]
async fn at_every_position_a_lost_lease_means_that_nothing_more_is_written() {
    let whole = Stage::wanting(&["a", "b"]);
    let _ = look(&whole).await;
    let full = whole.world.take_log();
    for lasts in 2..full.len() {
        let stage = Stage::wanting(&["a", "b"]);
        stage.world.inner().lease_lasts = Some(lasts);
        let _ = look(&stage).await;
        assert_eq!(stage.world.take_log(), full[..lasts], "lease lasted {lasts} calls");
    }
}

#[tokio::test]
async fn a_failing_op_takes_its_dependents_with_it_and_no_others() {
    for (chained, want) in [(true, vec!["c"]), (false, vec!["b", "c"])] {
        let stage = Stage::wanting(&["a", "b"]);
        stage.script.lock().unwrap().chained = chained;
        // Not wanted, so it would be deleted after the last creation.
        stage.world.inner().things.insert("c".to_owned());
        let hint = Some(Duration::from_secs(7));
        stage.world.inner().refuse.insert("create a".to_owned(), refusal(Class::Transient, hint));
        stage.world.inner().refuse.insert("delete c".to_owned(), refusal(Class::Transient, None));
        assert_eq!(look(&stage).await, Next::Backoff(hint));
        assert_eq!(stage.world.inner().things.iter().collect::<Vec<_>>(), want, "chained: {chained}");
        assert_eq!(stage.world.inner().recorded.last_good.fingerprint, None);
        let deleted = stage.world.take_log().contains(&"delete c".to_owned());
        assert_eq!(deleted, !chained);
    }
}

#[tokio::test]
async fn finalizers_fall_after_the_record_and_only_when_settled() {
    let stage = Stage::wanting(&[]);
    stage.world.inner().things.insert("a".to_owned());
    stage.world.inner().refuse.insert("delete a".to_owned(), refusal(Class::Environment, None));
    let _ = look(&stage).await;
    assert!(!stage.world.take_log().iter().any(|line| line.starts_with("remove")));
    stage.world.inner().refuse.clear();
    assert_eq!(look(&stage).await, Next::OnChange);
    let log = stage.world.take_log();
    assert_eq!(log[2..], ["delete a", "record nothing", "remove toy/finalizer from Service default/toy"]);
}

#[tokio::test]
async fn what_the_provider_refuses_is_tried_again_although_nothing_changes() {
    for class in [Class::Conflict, Class::Invalid] {
        let stage = Stage::wanting(&["a"]);
        stage.world.inner().refuse.insert("create a".to_owned(), refusal(class, None));
        assert_eq!(look(&stage).await, Next::Slow, "{class:?}");
    }
}

#[tokio::test]
async fn an_address_is_withdrawn_before_what_it_points_at_goes() {
    let stage = Stage::wanting(&[]);
    stage.script.lock().unwrap().withdraws = true;
    stage.world.inner().things.insert("a".to_owned());
    let _ = look(&stage).await;
    let log = stage.world.take_log();
    assert_eq!(log[2..4], ["status Service default/toy", "delete a"], "{log:?}");
}

#[tokio::test]
async fn a_panic_costs_one_look_at_one_unit() {
    let stage = Stage::wanting(&["a"]);
    stage.script.lock().unwrap().panics = true;
    assert_eq!(look(&stage).await, Next::Slow);
    assert_eq!(stage.world.take_log(), ["stumble InternalError Panic"]);
    // The script's own lock is poisoned by the panic; the engine's are not.
    stage.script.clear_poison();
    stage.script.lock().unwrap_or_else(PoisonError::into_inner).panics = false;
    assert!(is_daily(look(&stage).await));
}

#[tokio::test]
async fn a_panic_while_applying_is_a_bug_and_leaves_no_fingerprint() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    stage.want(&["b"]);
    stage.world.inner().panic_on_apply = true;
    let panics = std::panic::AssertUnwindSafe(look(&stage));
    assert_eq!(futures::FutureExt::catch_unwind(panics).await.unwrap(), Next::Slow);
    assert_eq!(stage.world.inner().recorded.last_good.fingerprint, None);
}

#[tokio::test]
async fn a_plan_that_fails_its_lint_is_not_applied() {
    let stage = Stage::wanting(&["a"]);
    stage.script.lock().unwrap().dangling = true;
    assert_eq!(look(&stage).await, Next::Slow);
    assert_eq!(stage.world.take_log(), ["answer", "observe", "stumble InternalError UnsafePlan"]);
}

#[tokio::test]
async fn lookups_that_do_not_settle_are_a_bug() {
    let stage = Stage::wanting(&["a"]);
    stage.script.lock().unwrap().never_settles = true;
    assert_eq!(look(&stage).await, Next::Slow);
    assert!(stage.world.take_log().contains(&"stumble InternalError LookupsDidNotSettle".to_owned()));
}

#[tokio::test]
async fn the_class_of_a_refusal_decides_when_to_look_again_and_whether_it_is_recorded() {
    let hint = Some(Duration::from_secs(9));
    let cases = [
        (Class::Transient, Next::Backoff(hint), false),
        (Class::Pending, Next::Within(Duration::from_secs(5)), true),
        (Class::Environment, Next::Slow, true),
        (Class::Bug, Next::Slow, true),
    ];
    for (class, want, recorded) in cases {
        let stage = Stage::wanting(&["a"]);
        stage.world.inner().refuse.insert("observe".to_owned(), refusal(class, hint));
        assert_eq!(look(&stage).await, want, "{class:?}");
        let log = stage.world.take_log();
        assert_eq!(log.iter().any(|line| line.starts_with("stumble")), recorded, "{class:?}: {log:?}");
        assert!(stage.world.inner().things.is_empty(), "{class:?}");
    }
}

/// A throttle or an outage is told when it has lasted for five looks, and from then on as it is again.
#[tokio::test]
async fn what_is_nobodys_fault_is_told_when_it_lasts() {
    let told =
        |log: &[String]| log.iter().any(|line| line.starts_with("event") || line.starts_with("stumble"));
    for observing in [false, true] {
        let stage = Stage::wanting(&[]);
        stage.script.lock().unwrap().withdraws = true;
        for wanted in ["a", "b"] {
            stage.want(&[wanted]);
            let refused = if observing { "observe".to_owned() } else { format!("create {wanted}") };
            stage.world.inner().refuse.insert(refused, refusal(Class::Transient, None));
            for number in 1..=6 {
                assert_eq!(look(&stage).await, Next::Backoff(None));
                let log = stage.world.take_log();
                assert_eq!(told(&log), number >= 5, "{wanted}, look {number}: {log:?}");
            }
            stage.world.inner().refuse.clear();
            assert!(is_daily(look(&stage).await), "it passed");
            stage.world.take_log();
        }
    }
}

/// What only we can mend is tried again slowly.
#[tokio::test]
async fn a_request_that_cannot_be_read_is_tried_again_slowly() {
    let stage = Stage::wanting(&["a"]);
    stage.world.inner().refuse.insert("create a".to_owned(), refusal(Class::Bug, None));
    assert_eq!(look(&stage).await, Next::Slow);
}

#[tokio::test]
async fn planning_writes_nothing_and_does_not_rely_on_the_fingerprint() {
    let stage = Stage::wanting(&["a"]);
    let _ = look(&stage).await;
    stage.world.inner().things.clear();
    stage.world.take_log();
    let planned = plan::<Toy>(&"toy".to_owned(), &stage.ctx.sources).await.unwrap();
    assert_eq!(planned.admitted.ops().len(), 1);
    assert_eq!(stage.world.take_log(), ["answer", "observe"]);
}

#[tokio::test]
async fn what_policy_withholds_is_not_applied_and_is_looked_at_again() {
    let mut stage = Stage::wanting(&["b"]);
    stage.ctx.sources.policy = Policy { no_deletes: true, ..Policy::default() };
    stage.world.inner().things.insert("a".to_owned());
    assert_eq!(look(&stage).await, Next::Within(Duration::from_secs(5)));
    assert_eq!(stage.world.inner().things.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(stage.world.inner().recorded.last_good.fingerprint, None);
}

#[tokio::test(start_paused = true)]
async fn an_op_waits_until_no_record_points_at_its_name() {
    let stage = Stage::wanting(&["a"]);
    stage.script.lock().unwrap().wait = Some(Wait::RecordsGone("LB.example".to_owned()));
    let board = &stage.ctx.board;
    assert_eq!(look(&stage).await, Next::Within(Duration::from_secs(5)), "nothing is known of records");
    board.set_dns(Dns::On(["zone".to_owned()].into()));
    let _ = look(&stage).await;
    let record = |target: &str| {
        let handle = Handle { dns_name: Some(target.to_owned()), ..Handle::default() };
        [(fairway_core::plan::ResourceKey::new("record", "shop"), handle)].into()
    };
    board.post("zone", Announces::Records, &record("lb.EXAMPLE"), &quiet());
    let _ = look(&stage).await;
    assert!(stage.world.inner().things.is_empty(), "a record still points there");
    board.post("zone", Announces::Records, &record("other.example"), &quiet());
    assert!(is_daily(look(&stage).await));
    assert!(stage.world.inner().things.contains("a"));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_what_is_still_in_use_is_tried_again_after_a_growing_delay() {
    let stage = Stage::wanting(&[]);
    stage.world.inner().things.insert("a".to_owned());
    stage.world.inner().refuse.insert("delete a".to_owned(), refusal(Class::Pending, None));
    let start = tokio::time::Instant::now();
    let mut tries = Vec::new();
    // Every look is brought about by an event: ten a second, for ten seconds.
    for _ in 0..100 {
        assert_eq!(look(&stage).await, Next::Within(Duration::from_secs(5)), "it is pending all the time");
        if stage.world.take_log().contains(&"delete a".to_owned()) {
            tries.push(start.elapsed().as_secs());
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert_eq!(tries, [0, 1, 3, 7]);
    stage.world.inner().refuse.clear();
    let _ = look(&stage).await;
    assert!(stage.world.inner().things.contains("a"), "not before the delay is over");
    tokio::time::advance(Duration::from_secs(5)).await;
    let _ = look(&stage).await;
    assert!(stage.world.inner().things.is_empty());
    // What is made again and in use again starts from the first delay.
    stage.world.inner().things.insert("a".to_owned());
    stage.world.inner().refuse.insert("delete a".to_owned(), refusal(Class::Pending, None));
    let _ = look(&stage).await;
    stage.world.take_log();
    tokio::time::advance(Duration::from_millis(1001)).await;
    let _ = look(&stage).await;
    assert!(stage.world.take_log().contains(&"delete a".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_refused_for_another_reason_is_tried_at_every_look() {
    for class in [Class::Transient, Class::Conflict, Class::Environment] {
        let stage = Stage::wanting(&[]);
        stage.world.inner().things.insert("a".to_owned());
        stage.world.inner().refuse.insert("delete a".to_owned(), refusal(class, None));
        for _ in 0..3 {
            let _ = look(&stage).await;
            assert!(stage.world.take_log().contains(&"delete a".to_owned()), "{class:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_bounded() {
    let stage = Stage::wanting(&["a"]);
    stage.script.lock().unwrap().wait = Some(Wait::BackendSecurityGroup);
    let _ = look(&stage).await;
    tokio::time::advance(Duration::from_secs(16 * 60)).await;
    assert_eq!(look(&stage).await, Next::Within(Duration::from_secs(120)), "an administrator should look");
}

#[tokio::test]
async fn facts_of_other_units_hold_as_they_were_posted() {
    let stage = Stage::wanting(&[]);
    let board = &stage.ctx.board;
    let none = std::collections::BTreeMap::new();
    let live = Wait::SuccessorLive(member());
    assert_eq!(board.ask("old", &live), Standing::Waits);
    board.post("old", Announces::LoadBalancers, &none, &serving());
    assert_eq!(board.ask("old", &live), Standing::Waits, "a unit is not its own successor");
    assert!(board.released().is_empty());
    board.post("new", Announces::LoadBalancers, &none, &serving());
    assert_eq!(board.released(), ["old".to_owned()].into());
    assert!(board.released().is_empty(), "each is named once");
    assert_eq!(board.ask("old", &live), Standing::Holds);
    board.post("new", Announces::LoadBalancers, &none, &quiet());
    assert_eq!(board.ask("old", &live), Standing::Waits, "it does not serve it any more");

    let balancer = fairway_core::plan::ResourceKey::new("load-balancer", "new");
    let active = Wait::LoadBalancerActive(balancer.clone());
    let ready = |ready| [(balancer.clone(), Handle { ready, ..Handle::default() })].into();
    board.post("new", Announces::LoadBalancers, &ready(false), &quiet());
    assert_eq!(board.ask("new", &active), Standing::Waits);
    board.post("new", Announces::LoadBalancers, &ready(true), &serving());
    assert_eq!(board.ask("new", &active), Standing::Holds);

    let mut bindings = [(key("backend"), Handle::default())].into();
    board.post("network", Announces::BackendSecurityGroup, &bindings, &quiet());
    assert_eq!(board.ask("old", &Wait::BackendSecurityGroup), Standing::Holds);
    bindings.clear();
    board.lend(&mut bindings);
    assert!(bindings.contains_key(&key("backend")));
}

#[tokio::test]
async fn a_name_is_withdrawn_once_statuses_are_known_to_show_another() {
    let stage = Stage::wanting(&[]);
    let (board, none) = (&stage.ctx.board, std::collections::BTreeMap::new());
    let withdrawn = |name: &str| board.ask("toy", &Wait::AddressWithdrawn(name.to_owned()));
    assert_eq!(withdrawn("front"), Standing::Waits, "nothing was written yet");
    board.post("toy", Announces::LoadBalancers, &none, &serving());
    assert_eq!((withdrawn("lb"), withdrawn("Front")), (Standing::Waits, Standing::Holds));
    board.post("other", Announces::LoadBalancers, &none, &serving());
    board.post("toy", Announces::LoadBalancers, &none, &quiet());
    assert_eq!(withdrawn("front"), Standing::Waits, "what statuses show is not known any more");
}

fn quiet() -> Report {
    Report {
        events: vec![],
        in_vain: vec![],
        status: vec![],
        release: vec![],
        state: None,
        requeue: Requeue::OnChange,
    }
}

fn serving() -> Report {
    let address =
        PublishedAddress { ip: None, hostname: Some("lb".to_owned()), zone_id: None, ports: vec![] };
    Report { status: vec![StatusWrite { object: member(), addresses: vec![address] }], ..quiet() }
}
