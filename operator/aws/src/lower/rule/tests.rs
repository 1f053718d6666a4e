use fairway_core::{
    ids::{Key, Port},
    intent::{Backend, PortName},
    settings::Settings,
};

use super::*;

fn route(rule: usize, host: Option<&str>, path_type: PathType, path: &str) -> Route {
    let backend = Backend {
        service: Key::new("default", "web"),
        port: PortName::Number(Port::HTTP),
        found: None,
        settings: Settings::default(),
    };
    Route { rule, host: host.map(str::to_owned), path_type, path: path.to_owned(), backend }
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
    let rules = split(&[Condition::HostHeader(hosts.clone()), Condition::PathPattern(paths.clone())]);
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
    assert_eq!(split(&few), [few.to_vec()]);
}
