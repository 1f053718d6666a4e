use fairway_core::intent::{Action, Answer, HeaderMatch};

use super::{
    split::{Excess, VALUES, values},
    *,
};

fn route(rule: usize, host: Option<&str>, path_type: PathType, path: &str) -> Route {
    Route {
        rule,
        host: host.map(str::to_owned),
        path_type,
        path: path.to_owned(),
        matches: Vec::new(),
        rewrites: Vec::new(),
        guard: None,
        action: Action::Answer(Answer { status: 503, content_type: None, body: None }),
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn exact_comes_before_prefix_and_longer_prefixes_before_shorter_within_a_rule() {
    let routes = [
        route(0, None, PathType::Prefix, "/"),
        route(0, None, PathType::ImplementationSpecific, "/raw*"),
        route(0, None, PathType::Exact, "/b"),
        route(0, None, PathType::Prefix, "/longer"),
        route(0, None, PathType::Exact, "/a"),
        route(1, None, PathType::Exact, "/second"),
    ];
    let order: Vec<&str> = in_order(&routes).iter().map(|route| route.path.as_str()).collect();
    assert_eq!(order, ["/b", "/a", "/longer", "/", "/raw*", "/second"]);
}

#[test]
fn a_route_matches_what_its_path_type_says() {
    let (exact, prefix, own) = (PathType::Exact, PathType::Prefix, PathType::ImplementationSpecific);
    let cases: [(Option<&str>, PathType, &str, &[&str]); 8] = [
        (None, exact, "/a", &["/a"]),
        (None, prefix, "/", &["/*"]),
        (None, prefix, "/a", &["/a", "/a/*"]),
        (None, prefix, "/a/", &["/a", "/a/*"]),
        (None, own, "/raw*", &["/raw*"]),
        (None, own, "", &["/*"]),
        (Some("h"), own, "", &[]),
        (Some("h"), prefix, "/", &["/*"]),
    ];
    for (host, path_type, path, want) in cases {
        let mut expected = Vec::new();
        expected.extend(host.map(|host| Condition::HostHeader(vec![host.to_owned()])));
        if !want.is_empty() {
            expected.push(Condition::PathPattern(want.iter().map(|path| (*path).to_owned()).collect()));
        }
        assert_eq!(conditions(&route(0, host, path_type, path)), Ok(expected), "{path:?}");
    }
    assert_eq!(conditions(&route(0, None, prefix, "/a*")), Err(LowerError::PathWildcard("/a*".to_owned())));
}

#[test]
fn too_many_values_become_several_rules_that_match_the_same() {
    let hosts: Vec<String> = (0..4).map(|n| format!("h{n}")).collect();
    let paths: Vec<String> = (0..7).map(|n| format!("/p{n}")).collect();
    let rules =
        split(&[Condition::HostHeader(hosts.clone()), Condition::PathPattern(paths.clone())]).unwrap();
    let mut pairs = Vec::new();
    for rule in &rules {
        assert!(rule.iter().map(values).sum::<usize>() <= VALUES, "{rule:?}");
        let [Condition::HostHeader(hosts), Condition::PathPattern(paths)] = rule.as_slice() else {
            panic!("{rule:?}");
        };
        pairs
            .extend(hosts.iter().flat_map(|host| paths.iter().map(move |path| (host.clone(), path.clone()))));
    }
    pairs.sort();
    let all: Vec<_> =
        hosts.iter().flat_map(|host| paths.iter().map(move |path| (host.clone(), path.clone()))).collect();
    assert_eq!(pairs, all);
    let few = [Condition::PathPattern(vec!["/a".to_owned()])];
    assert_eq!(split(&few), Ok(vec![few.to_vec()]));
}

#[test]
fn what_annotations_add_to_host_and_path_is_an_alternative_and_the_rest_has_to_hold_besides() {
    let patterns = |values: &[&str]| Texts::Patterns(texts(values));
    let regexes = |values: &[&str]| Texts::Regexes(texts(values));
    let header = |values| Match::Header(HeaderMatch { name: "X-A".to_owned(), values });
    let query = QueryMatch { key: Some("v".to_owned()), value: "1".to_owned() };
    let matching = |path_type, path: &str, matches: Vec<Match>| {
        conditions(&Route { matches, ..route(0, Some("h"), path_type, path) })
    };
    let host = || Condition::HostHeader(texts(&["h"]));
    assert_eq!(
        matching(
            PathType::Exact,
            "/a",
            vec![
                Match::Path(patterns(&["/b"])),
                Match::Source(texts(&["10.0.0.0/8"])),
                Match::Host(patterns(&["i"])),
                header(patterns(&["1"])),
                header(regexes(&["^1$"])),
                Match::Method(texts(&["GET"])),
                Match::Query(vec![query.clone()]),
            ],
        ),
        Ok(vec![
            Condition::SourceIp(texts(&["10.0.0.0/8"])),
            Condition::HttpHeader { name: "X-A".to_owned(), values: texts(&["1"]) },
            Condition::HttpHeaderRegex { name: "X-A".to_owned(), values: texts(&["^1$"]) },
            Condition::HttpRequestMethod(texts(&["GET"])),
            Condition::QueryString(vec![pair(&query)]),
            Condition::HostHeader(texts(&["h", "i"])),
            Condition::PathPattern(texts(&["/a", "/b"])),
        ])
    );
    assert_eq!(
        matching(PathType::Regex, "^a", vec![Match::Path(regexes(&["b$"]))]),
        Ok(vec![host(), Condition::PathRegex(texts(&["^a", "b$"]))])
    );
    let mixed = |what| Err(LowerError::MixedMatch { path: "/a".to_owned(), what });
    assert_eq!(matching(PathType::Exact, "/a", vec![Match::Host(regexes(&["^h"]))]), mixed("host"));
    assert_eq!(matching(PathType::Prefix, "/a", vec![Match::Path(regexes(&["^h"]))]), mixed("path"));
    assert!(matches!(
        matching(PathType::Exact, &"/".repeat(129), Vec::new()),
        Err(LowerError::ValueTooLong { length: 129, .. })
    ));
}

#[test]
fn regular_expressions_are_divided_and_wildcards_too() {
    let regexes: Vec<String> = (0..7).map(|n| format!("^{n}")).collect();
    let rules = split(&[Condition::PathRegex(regexes.clone())]).unwrap();
    let all: Vec<String> = rules
        .iter()
        .flat_map(|rule| match rule.as_slice() {
            [Condition::PathRegex(values)] => values.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((rules.len(), all), (2, regexes));
    let starred = |values: &[&str]| Condition::PathPattern(texts(values));
    let rules = split(&[starred(&["/*/*/*/*", "/a/*/*/*"])]).unwrap();
    assert_eq!(rules, [vec![starred(&["/*/*/*/*"])], vec![starred(&["/a/*/*/*"])]]);
    assert_eq!(split(&[starred(&["/*/*/*/*/*/*/*", "/a"])]), Err(Excess::Wildcards(7)));
    let header = |n: usize| Condition::HttpHeader { name: format!("X-{n}"), values: texts(&["1", "2"]) };
    let headers: Vec<Condition> = (0..6).map(header).collect();
    assert_eq!(split(&headers), Err(Excess::Conditions(6)), "all six have to hold at once");
}
