//! Lost answers, refused pages, throttles: what is made of them, against the emulator over HTTP.
//!
//! As for the thin clients: `FAIRWAY_TEST_AWS_ENDPOINT` names a running emulator, each test has its own account. A
//! script of faults replaces the one before, so the tests of this program take turns.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

mod site;
mod world;

use fairway_aws::stack::StackOp;
use fairway_core::class::Class;
use fairway_core::plan::{Effect, Operation as _};

use site::{Site, permission};

static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Calls of `operation` that mention `word` end in `action`, `count` of them.
fn fault(operation: &str, word: &str, action: &str, count: i32) -> String {
    // A throttle has its own code.
    let code = if action == "throttle" { "" } else { r#","status":503,"code":"ServiceUnavailable""# };
    format!(
        r#"[{{"id":"f","operation":"{operation}","match":"{word}","action":"{action}","count":{count}{code}}}]"#
    )
}

const CREATIONS: [(&str, &str); 6] = [
    ("CreateSecurityGroup", "ManagedLBSecurityGroup"),
    ("AuthorizeSecurityGroupIngress", "sg-"),
    ("CreateTargetGroup", "lost"),
    ("CreateLoadBalancer", "lost"),
    ("CreateListener", "lost"),
    ("CreateRule", "lost"),
];

#[tokio::test]
async fn an_answer_that_is_lost_once_is_asked_for_again_and_found() {
    let _turn = TURN.lock().await;
    let Some(site) = Site::open(31).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("lost");
    stack.observe(&aws).await;
    for (op, (operation, word)) in stack.creations().into_iter().zip(CREATIONS) {
        for action in ["cut", "lost"] {
            site.world.load_faults(&fault(operation, word, action, 1)).await;
            let applied = stack.apply(&aws, &op).await;
            assert!(applied.is_ok(), "{operation} {action}: {applied:?}");
        }
    }
    site.world.load_faults("[]").await;
    stack.is_as_wanted(&stack.observe(&aws).await);
    stack.is_as_wanted(&stack.observe(&site.aws()).await);
}

#[tokio::test]
async fn an_answer_that_stays_lost_is_looked_for_on_the_next_look() {
    let _turn = TURN.lock().await;
    let Some(site) = Site::open(32).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("lost");
    stack.observe(&aws).await;
    for (op, (operation, word)) in stack.creations().into_iter().zip(CREATIONS) {
        site.world.load_faults(&fault(operation, word, "lost", -1)).await;
        let refusal = stack.apply(&aws, &op).await.unwrap_err();
        assert_eq!(refusal.failure.class, Class::Transient, "{operation}: {refusal:?}");
        site.world.load_faults("[]").await;
        // It was applied although nobody said so, and the next look sees it.
        let seen = stack.observe(&aws).await;
        let there = match &op {
            StackOp::CreateSecurityGroup(_) => seen.security_groups.contains_key("lost"),
            StackOp::AuthorizeIngress(..) => {
                seen.security_groups["lost"].permissions.contains(&permission(80, "0.0.0.0/0"))
            }
            StackOp::CreateTargetGroup(_) => seen.target_groups.contains_key("lost"),
            StackOp::CreateLoadBalancer(_) => seen.load_balancers.contains_key("lost"),
            StackOp::CreateListener(_) => seen.load_balancers["lost"].listeners.contains_key(&80),
            _ => seen.load_balancers["lost"].listeners[&80].rules.len() == 1,
        };
        assert!(there, "{operation}: {seen:?}");
        // Whoever asks again all the same gets what is there.
        let applied = stack.apply(&aws, &op).await.unwrap();
        assert!(op.effect() == Effect::Modify || stack.bindings.contains_key(&op.resource()), "{applied:?}");
    }
    stack.is_as_wanted(&stack.observe(&aws).await);
}

#[tokio::test]
async fn a_list_that_is_not_read_to_its_end_is_an_error() {
    let _turn = TURN.lock().await;
    let Some(site) = Site::open(33).await else { return };
    let first = site.aws();
    for name in ["page-a", "page-b"] {
        site.stack(name).create_all(&first).await;
    }
    let stack = site.stack("page-a");
    let lists = [
        "DescribeTargetGroups",
        "DescribeLoadBalancers",
        "DescribeTags",
        "DescribeListeners",
        "DescribeRules",
    ];
    for operation in lists {
        let aws = site.aws().with_page_size(1);
        // The second page of lists, the first answer of what has one page.
        let skip = i32::from(operation == "DescribeTargetGroups" || operation == "DescribeLoadBalancers");
        let rule = format!(
            r#"[{{"id":"f","operation":"{operation}","skip":{skip},"count":1,"action":"error","status":403,"code":"AccessDenied","message":"not allowed"}}]"#
        );
        site.world.load_faults(&rule).await;
        let refusal = stack.try_observe(&aws).await.unwrap_err();
        assert_eq!(
            (refusal.failure.class, refusal.failure.code.as_str()),
            (Class::Environment, "Forbidden"),
            "{operation}"
        );
        assert!(refusal.failure.message.contains("AccessDenied"), "{refusal:?}");
        site.world.load_faults("[]").await;
        let seen = stack.observe(&aws).await;
        assert_eq!(
            seen.load_balancers.keys().collect::<Vec<_>>(),
            ["page-a"],
            "the other stack is out of scope"
        );
    }
}

#[tokio::test]
async fn throttles_are_transient_and_applied_nothing() {
    let _turn = TURN.lock().await;
    let Some(site) = Site::open(34).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("slow");
    stack.observe(&aws).await;
    let shared = site.calls();
    site.world.load_faults(&fault("CreateTargetGroup", "slow", "throttle", -1)).await;
    let refusal = stack.apply(&aws, &StackOp::CreateTargetGroup(stack.group.clone())).await.unwrap_err();
    assert_eq!((refusal.failure.class, refusal.failure.code.as_str()), (Class::Transient, "Throttled"));
    assert!(refusal.retry_after.is_some());
    site.world.load_faults("[]").await;
    let seen = stack.observe(&aws).await;
    assert!(seen.target_groups.is_empty());
    let reads =
        site.calls_since(&shared).into_keys().filter(|call| call.operation.starts_with("Describe")).count();
    assert_eq!(reads, 0, "nothing is in doubt");
}

/// How often tags were asked for, by whom they were asked: DescribeTags, GetResources.
async fn asked_for_tags(site: &Site, stack: &mut site::Stack) -> (u64, u64) {
    let before = site.calls();
    let seen = stack.observe(&site.aws()).await;
    stack.is_as_wanted(&seen);
    let calls = site.calls_since(&before);
    let count = |operation: &str| {
        calls.iter().filter(|(call, _)| call.to_string().ends_with(operation)).map(|(_, count)| *count).sum()
    };
    (count("DescribeTags"), count("GetResources"))
}

#[tokio::test]
async fn tags_of_others_are_read_a_hundred_at_a_time_where_that_is_allowed() {
    let _turn = TURN.lock().await;
    let Some(site) = Site::open(39).await else { return };
    let mut stack = site.stack("ours");
    stack.observe(&site.aws()).await;
    stack.create_all(&site.aws()).await;
    for number in 0..110 {
        site.tagged_target_group(&format!("theirs-{number}"), ("team", "theirs")).await;
    }
    site.tagged_target_group("somebodys", ("kubernetes.io/cluster/other", "owned")).await;

    let with = asked_for_tags(&site, &mut stack).await;
    assert_eq!(with, (2, 2), "of ours with what a controller has made, and of our listener");
    let denied = r#"[{"id":"f","operation":"GetResources","match":"","action":"error","count":-1,"status":400,"code":"AccessDeniedException"}]"#;
    site.world.load_faults(denied).await;
    assert_eq!(asked_for_tags(&site, &mut stack).await, (7, 1), "of all 113, and of our listener");
    site.world.load_faults("[]").await;
}
