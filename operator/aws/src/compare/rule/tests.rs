use super::*;
use crate::model::{Action, Condition, FixedResponse, Rewrite, Transform};

fn marks() -> Tags {
    Tags::from([("mark".to_owned(), "ours".to_owned())])
}

fn conditions(path: &str) -> Vec<Condition> {
    vec![Condition::PathPattern(vec![path.to_owned()])]
}

fn actions() -> Vec<Action> {
    vec![Action::FixedResponse(FixedResponse {
        content_type: None,
        body: None,
        status_code: "404".to_owned(),
    })]
}

fn want(paths: &[&str]) -> Vec<Rule> {
    let rule = |(path, priority): (&&str, i32)| Rule {
        listener: Ref::new("lb:80"),
        priority,
        conditions: conditions(path),
        transforms: Vec::new(),
        actions: actions(),
        tags: marks(),
    };
    paths.iter().zip(1..).map(rule).collect()
}

fn have(rules: &[(i32, &str)]) -> Vec<RuleSeen> {
    let rule = |(priority, path): &(i32, &str)| RuleSeen {
        arn: format!("arn:{path}"),
        priority: *priority,
        conditions: conditions(path),
        transforms: Vec::new(),
        actions: actions(),
        unknown: Vec::new(),
        tags: marks(),
    };
    rules.iter().map(rule).collect()
}

/// The changes, in a short form.
fn compare(want: &[Rule], have: &[RuleSeen]) -> Vec<String> {
    let config = Config::new("demo", "us-east-1", "vpc-1");
    let changes = changes(&config, &Ref::new("lb:80"), want, have, &marks());
    let short = |op: &StackOp| match op {
        StackOp::SetRulePriorities(_, moves) => {
            let moves = moves.iter().map(|step| format!("{}>{}", step.rule.get().arn, step.priority));
            format!("move {}", moves.collect::<Vec<_>>().join(" "))
        }
        StackOp::ModifyRule(_, seen, rule) => format!("modify {} {}", seen.get().arn, rule.priority),
        StackOp::CreateRule(rule) => format!("create {}", rule.priority),
        StackOp::DeleteRule(name, seen) => format!("delete {} {}", seen.get().arn, name.name()),
        other => format!("{other:?}"),
    };
    changes.now.iter().chain(&changes.tags).chain(&changes.deletions).map(short).collect()
}

#[test]
fn rules_are_moved_changed_made_and_deleted_as_little_as_possible() {
    type Case =
        (&'static str, &'static [&'static str], &'static [(i32, &'static str)], &'static [&'static str]);
    let cases: [Case; 7] = [
        ("all as wanted", &["/a", "/b"], &[(1, "/a"), (2, "/b")], &[]),
        ("one is new at the end", &["/a", "/b"], &[(1, "/a")], &["create 2"]),
        ("one is new at the top", &["/b", "/a"], &[(1, "/a")], &["move arn:/a>2", "create 1"]),
        ("two change places", &["/b", "/a"], &[(1, "/a"), (2, "/b")], &["move arn:/b>1 arn:/a>2"]),
        ("one changes", &["/a", "/c"], &[(1, "/a"), (2, "/b")], &["modify arn:/b 2"]),
        (
            "the first goes",
            &["/b"],
            &[(1, "/a"), (2, "/b")],
            &["move arn:/b>1 arn:/a>50000", "delete arn:/a lb:80:50000"],
        ),
        ("the last goes", &["/a"], &[(1, "/a"), (2, "/b")], &["delete arn:/b lb:80:2"]),
    ];
    for (name, wanted, there, expected) in cases {
        assert_eq!(compare(&want(wanted), &have(there)), expected, "{name}");
    }
}

#[test]
fn a_rule_with_something_unknown_is_never_as_wanted() {
    let mut there = have(&[(1, "/a")]);
    there[0].unknown.push("authenticate-oidc".to_owned());
    assert_eq!(compare(&want(&["/a"]), &there), ["modify arn:/a 1"]);
}

#[test]
fn transforms_count_in_any_order_and_are_cleared_where_none_is_asked_for() {
    let rewrite = |replace: &str| vec![Rewrite { regex: "^/a".to_owned(), replace: replace.to_owned() }];
    let (url, host) = (Transform::UrlRewrite(rewrite("/")), Transform::HostHeaderRewrite(rewrite("b")));
    let (mut wanted, mut there) = (want(&["/a"]), have(&[(1, "/a")]));
    there[0].transforms = vec![url.clone()];
    assert_eq!(compare(&wanted, &there), ["modify arn:/a 1"], "somebody set one by hand");
    wanted[0].transforms = vec![url.clone(), host.clone()];
    assert_eq!(compare(&wanted, &there), ["modify arn:/a 1"], "one is missing");
    there[0].transforms = vec![host, url];
    assert_eq!(compare(&wanted, &there), Vec::<String>::new());
    wanted[0].transforms = vec![Transform::UrlRewrite(rewrite("/b"))];
    assert_eq!(compare(&wanted, &there), ["modify arn:/a 1"], "another replacement");
}

#[test]
fn rules_that_are_not_ours_keep_their_place_and_stay() {
    let mut there = have(&[(1, "/theirs"), (2, "/a")]);
    there[0].tags.clear();
    let taken = BTreeSet::from([1]);
    let numbered = around(&want(&["/a", "/b"]), &taken, 80, "resource");
    assert_eq!(numbered.iter().map(|rule| rule.priority).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(numbered[0].tags["resource"], "80:2");
    let mut plain = numbered;
    plain.iter_mut().for_each(|rule| rule.tags = marks());
    assert_eq!(compare(&plain, &there), ["create 3"]);
}

#[test]
fn a_resource_id_without_its_port_is_as_good_while_the_rule_stays_where_it_is() {
    let key = || "resource".to_owned();
    let wanted = |paths: &[&str]| around(&want(paths), &BTreeSet::new(), 80, "resource");
    let mut there = have(&[(1, "/a"), (2, "/b")]);
    for seen in &mut there {
        seen.tags.insert(key(), seen.priority.to_string());
    }
    assert_eq!(compare(&wanted(&["/a", "/b"]), &there), Vec::<String>::new());
    let moved = compare(&wanted(&["/b", "/a"]), &there);
    assert_eq!(moved.first().unwrap(), "move arn:/b>1 arn:/a>2");
    assert!(moved[1].contains(r#"{"resource": "80:1"}"#), "{moved:?}");
    there[0].tags.insert(key(), "81:1".to_owned());
    assert_eq!(compare(&wanted(&["/a", "/b"]), &there).len(), 1, "another id is another id");
}

#[test]
fn what_does_as_wanted_and_is_nobodys_lost_its_tags() {
    let untagged = |mut rules: Vec<RuleSeen>| {
        rules.iter_mut().for_each(|rule| rule.tags.clear());
        rules
    };
    let wanted = want(&["/a", "/b"]);
    let arns = |rules: &[RuleSeen]| lost(&wanted, rules, &marks()).into_iter().collect::<Vec<_>>();
    assert_eq!(arns(&untagged(have(&[(1, "/a"), (2, "/theirs")]))), ["arn:/a"]);
    let mut beside = have(&[(1, "/a"), (2, "/a")]);
    beside[1].tags.clear();
    assert_eq!(arns(&beside), Vec::<String>::new(), "a rule of ours does the same");
    let mut other = have(&[(1, "/a")]);
    other[0].tags = Tags::from([("mark".to_owned(), "theirs".to_owned())]);
    assert_eq!(arns(&other), Vec::<String>::new(), "it is somebody else's");
}
