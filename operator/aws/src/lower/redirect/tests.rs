use super::*;
use crate::model::FixedResponse;

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn hosts(values: &[&str]) -> Condition {
    Condition::HostHeader(texts(values))
}

fn paths(values: &[&str]) -> Condition {
    Condition::PathPattern(texts(values))
}

fn rule(conditions: Vec<Condition>, action: Action) -> RuleDraft {
    RuleDraft { rules: vec![conditions.clone()], conditions, transforms: Vec::new(), guard: None, action }
}

fn to(change: impl FnOnce(&mut Redirect)) -> Action {
    let mut redirect = Redirect {
        host: "#{host}".to_owned(),
        path: "/#{path}".to_owned(),
        port: "#{port}".to_owned(),
        protocol: "#{protocol}".to_owned(),
        query: "#{query}".to_owned(),
        status_code: "HTTP_301".to_owned(),
    };
    change(&mut redirect);
    Action::Redirect(redirect)
}

fn to_https() -> Action {
    to(|to| {
        "HTTPS".clone_into(&mut to.protocol);
        "443".clone_into(&mut to.port);
    })
}

fn answer() -> Action {
    Action::FixedResponse(FixedResponse { content_type: None, body: None, status_code: "404".to_owned() })
}

#[test]
fn a_redirect_loops_where_nothing_would_change() {
    let all = || vec![paths(&["/*"])];
    let host = |host: &str| to(|to| host.clone_into(&mut to.host));
    let cases = [
        ("to HTTPS on the HTTPS port", all(), to_https(), true),
        ("without any change", all(), to(|_| {}), true),
        ("to another port", all(), to(|to| "8443".clone_into(&mut to.port)), false),
        ("to the other protocol", all(), to(|to| "HTTP".clone_into(&mut to.protocol)), false),
        ("with another query", all(), to(|to| "a=1".clone_into(&mut to.query)), false),
        ("to another host", vec![hosts(&["a.example"])], host("b.example"), false),
        ("to one of its hosts", vec![hosts(&["a.example", "b.example"])], host("b.example"), true),
        ("to its own path", vec![paths(&["/a"])], to(|to| "/a".clone_into(&mut to.path)), true),
        ("to another path", vec![paths(&["/a"])], to(|to| "/b".clone_into(&mut to.path)), false),
        ("on a path by expression", vec![Condition::PathRegex(texts(&["^a"]))], to_https(), false),
        ("on a host by expression", vec![Condition::HostRegex(texts(&["^a"]))], to_https(), true),
        ("an answer is no redirect", all(), answer(), false),
    ];
    for (name, conditions, action, want) in cases {
        assert_eq!(loops(&rule(conditions, action), 443, HttpProtocol::Https), want, "{name}");
    }
    assert!(!loops(&rule(all(), to_https()), 80, HttpProtocol::Http), "on the plain listener it is needed");
}

#[test]
fn a_redirect_covers_what_it_would_take_first() {
    let (a, ab) = (|| hosts(&["a.example"]), || hosts(&["a.example", "b.example"]));
    let method = || Condition::HttpRequestMethod(texts(&["GET"]));
    let cases = [
        ("everything", vec![paths(&["/*"])], vec![a(), paths(&["/x"])], true),
        ("all paths of a host", vec![a()], vec![a(), paths(&["/x"])], true),
        ("also for fewer requests", vec![a()], vec![method(), a()], true),
        ("not of another host", vec![a()], vec![hosts(&["b.example"])], false),
        ("not of all hosts", vec![a()], vec![paths(&["/x"])], false),
        ("some of its hosts", vec![ab()], vec![a()], true),
        ("more than its hosts", vec![a()], vec![ab()], false),
        ("the same paths", vec![paths(&["/a", "/a/*"])], vec![paths(&["/a/*"])], true),
        ("a pattern is not worked out", vec![paths(&["/a/*"])], vec![paths(&["/a/b"])], false),
        ("with a further condition nothing", vec![method(), a()], vec![a()], false),
        ("by expression nothing", vec![Condition::HostRegex(texts(&[".*"]))], vec![a()], false),
        ("an expression for hosts", vec![a()], vec![Condition::HostRegex(texts(&["^a"]))], false),
        ("an expression for paths", vec![a()], vec![a(), Condition::PathRegex(texts(&["^x"]))], true),
    ];
    for (name, earlier, later, want) in cases {
        let later = rule(later, answer());
        assert_eq!(covers(&rule(earlier.clone(), to_https()), &later), want, "{name}");
        assert!(!covers(&rule(earlier, answer()), &later), "{name}: only redirects cover");
    }
}
