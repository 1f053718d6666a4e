use proptest::prelude::*;

use super::*;

const AT: &str = "127.0.0.1:80";

fn at() -> SocketAddr {
    AT.parse().unwrap()
}

fn fixed(name: &str) -> Action {
    Action::Fixed(FixedResponse::new(200, "text/plain", name).unwrap())
}

fn table(routes: &[(&str, PathPattern, &str)]) -> RouteTable {
    let mut builder = RouteTable::builder();
    builder.listen(at(), Protocol::Plain).unwrap();
    for (host, path, name) in routes {
        builder.route(at(), &HostPattern::parse(host).unwrap(), path, fixed(name)).unwrap();
    }
    builder.build()
}

fn found<'t>(table: &'t RouteTable, host: &str, path: &str) -> Option<&'t str> {
    let normal = normal_path(path.as_bytes())?;
    match table.listener(&at())?.action(host, &normal)? {
        Action::Fixed(fixed) => Some(&fixed.body),
        other => panic!("{other:?}"),
    }
}

fn exact(path: &str) -> PathPattern {
    PathPattern::exact(path).unwrap()
}

fn prefix(path: &str) -> PathPattern {
    PathPattern::prefix(path).unwrap()
}

#[test]
fn paths_match_as_ingress_documents_them() {
    let cases = [
        ("all paths", prefix("/"), "/any/path", true),
        ("an exact path", exact("/foo"), "/foo", true),
        ("an exact path is not a shorter one", exact("/foo"), "/bar", false),
        ("an exact path has no implied slash", exact("/foo"), "/foo/", false),
        ("an exact path may end in a slash", exact("/foo/"), "/foo", false),
        ("a prefix is itself", prefix("/foo"), "/foo", true),
        ("a prefix with the slash", prefix("/foo"), "/foo/", true),
        ("a trailing slash does not count", prefix("/foo/"), "/foo", true),
        ("a trailing slash on both", prefix("/foo/"), "/foo/", true),
        ("only whole elements", prefix("/aaa/bb"), "/aaa/bbb", false),
        ("a whole path", prefix("/aaa/bbb"), "/aaa/bbb", true),
        ("a slash in the rule is ignored", prefix("/aaa/bbb/"), "/aaa/bbb", true),
        ("a slash in the request is ignored", prefix("/aaa/bbb"), "/aaa/bbb/", true),
        ("a sub path", prefix("/aaa/bbb"), "/aaa/bbb/ccc", true),
        ("not a string prefix", prefix("/aaa/bbb"), "/aaa/bbbxyz", false),
        ("upper case is another path", prefix("/foo"), "/FOO", false),
        ("dots are resolved first", prefix("/admin"), "/open/../admin/x", true),
        ("codes are resolved first", exact("/admin"), "/%61dmin", true),
        ("an encoded slash is a slash", prefix("/admin"), "/admin%2fx", true),
        ("repeated slashes are one", exact("/a/b"), "//a///b", true),
    ];
    for (name, pattern, path, matches) in cases {
        let table = table(&[("", pattern, "hit")]);
        assert_eq!(found(&table, "x", path).is_some(), matches, "{name}");
    }
}

#[test]
fn the_most_specific_route_answers() {
    let table = table(&[
        ("", prefix("/"), "any"),
        ("*.example.com", prefix("/"), "wildcard"),
        ("a.example.com", prefix("/"), "root"),
        ("a.example.com", prefix("/foo"), "prefix"),
        ("a.example.com", exact("/foo"), "exact"),
        ("a.example.com", prefix("/foo/bar"), "longer"),
        ("b.example.com", exact("/only"), "only"),
    ]);
    let cases = [
        ("a.example.com", "/foo", Some("exact")),
        ("a.example.com", "/foo/x", Some("prefix")),
        ("a.example.com", "/foo/bar/x", Some("longer")),
        ("a.example.com", "/", Some("root")),
        ("a.example.com.", "/", Some("root")),
        ("c.example.com", "/", Some("wildcard")),
        ("x.c.example.com", "/", Some("any")),
        ("example.com", "/", Some("any")),
        ("b.example.com", "/only", Some("only")),
        ("b.example.com", "/else", None),
        ("", "/", Some("any")),
    ];
    for (host, path, want) in cases {
        assert_eq!(found(&table, host, path), want, "{host}{path}");
    }
}

#[test]
fn a_default_action_answers_what_no_route_takes() {
    let mut builder = RouteTable::builder();
    builder.listen(at(), Protocol::Plain).unwrap();
    builder.route(at(), &HostPattern::parse("a").unwrap(), &exact("/x"), fixed("route")).unwrap();
    builder.default_action(at(), fixed("default")).unwrap();
    let table = builder.build();
    assert_eq!(found(&table, "a", "/x"), Some("route"));
    assert_eq!(found(&table, "a", "/y"), Some("default"));
    assert_eq!(found(&table, "b", "/x"), Some("default"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for host in ["a b", "*", "*.", "a..b", "-*.x", "a.*.b", "é"] {
        let parsed = HostPattern::parse(host);
        assert_eq!(parsed.is_err(), host != "*", "{host}");
    }
    for path in ["", "x", "/a?b", "/a#b", "/a\nb"] {
        assert_eq!(PathPattern::exact(path), Err(TableError::BadPath(path.to_owned())));
    }
    assert_eq!(Redirect::new(200), Err(TableError::BadRedirect(200)));
    assert_eq!(FixedResponse::new(204, "", "x"), Err(TableError::BadStatus(204)));
    assert!(FixedResponse::new(200, "a\r\nX: y", "").is_err());
    let mut builder = RouteTable::builder();
    assert_eq!(
        builder.route(at(), &HostPattern::Any, &exact("/"), fixed("")).err(),
        Some(TableError::NoListener(at()))
    );
    builder.listen(at(), Protocol::Plain).unwrap();
    assert_eq!(builder.listen(at(), Protocol::Plain).err(), Some(TableError::DuplicateListener(at())));
    builder.route(at(), &HostPattern::Any, &prefix("/a"), fixed("")).unwrap();
    let again = builder.route(at(), &HostPattern::Any, &prefix("/a/"), fixed(""));
    let (host, path) = ("*".to_owned(), "/a/".to_owned());
    assert_eq!(again.err(), Some(TableError::DuplicateRoute { listener: at(), host, path }));
}

#[test]
fn a_path_that_climbs_or_is_broken_has_no_normal_form() {
    for path in ["", "x", "/..", "/a/../..", "/%", "/%2", "/%zz", "/%00"] {
        assert_eq!(normal_path(path.as_bytes()), None, "{path}");
    }
    for (path, want) in
        [("/", "/"), ("/a/..", "/"), ("/a/.", "/a/"), ("/a/./b/../c", "/a/c"), ("/a%20b", "/a b")]
    {
        assert_eq!(normal_path(path.as_bytes()).as_deref(), Some(want.as_bytes()), "{path}");
    }
}

#[test]
fn redirects_keep_what_they_do_not_name() {
    let keep = || Redirect::new(301).unwrap();
    let cases = [
        ("nothing named", keep(), "http://a.b:8080/x?y"),
        ("a scheme brings its port", keep().to_scheme(Scheme::Https), "https://a.b/x?y"),
        ("a port", keep().to_scheme(Scheme::Https).to_port(8443), "https://a.b:8443/x?y"),
        ("the scheme's own port is not written", keep().to_port(80), "http://a.b/x?y"),
        ("a host", keep().to_host("c.d").unwrap(), "http://c.d:8080/x?y"),
        ("a path keeps the query", keep().to_path("/z").unwrap(), "http://a.b:8080/z?y"),
        ("a path with a query", keep().to_path("/z?q").unwrap(), "http://a.b:8080/z?q"),
    ];
    for (name, redirect, want) in cases {
        assert_eq!(redirect.location(Scheme::Http, "a.b:8080", "/x?y"), want, "{name}");
    }
}

#[test]
fn requests_are_spread_exactly_by_weight() {
    let address = |last: u8| SocketAddr::from(([127, 0, 0, last], 1));
    for weights in [vec![1, 1], vec![3, 0, 1], vec![7, 7, 2, 1], vec![100, 1], vec![65535, 1]] {
        let endpoints = (1_u8..).zip(&weights).map(|(n, &weight)| Endpoint { address: address(n), weight });
        let upstream = Upstream::new(endpoints);
        let round: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        let mut got: BTreeMap<SocketAddr, u64> = BTreeMap::new();
        for _ in 0..round {
            *got.entry(upstream.next().next().unwrap()).or_default() += 1;
        }
        for (n, &weight) in (1_u8..).zip(&weights) {
            assert_eq!(got.get(&address(n)).copied().unwrap_or(0), u64::from(weight), "{weights:?}");
        }
    }
}

#[test]
fn an_upstream_without_weight_has_nobody_to_try() {
    let address = at();
    assert_eq!(Upstream::new([Endpoint { address, weight: 0 }]).next().count(), 0);
    assert_eq!(Upstream::new([]).next().count(), 0);
}

fn route_path() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab]{1,2}", 0..4).prop_map(|elements| format!("/{}", elements.join("/")))
}

proptest! {
    #[test]
    fn the_longest_prefix_wins_in_any_order(
        mut paths in prop::collection::btree_set(route_path(), 1..8).prop_map(Vec::from_iter).prop_shuffle(),
        asked in route_path(),
    ) {
        let mut forward = Paths::default();
        for path in &paths {
            forward.insert(&prefix(path), path.clone());
        }
        let elements = |path: &str| -> Vec<String> {
            path.split('/').filter(|e| !e.is_empty()).map(str::to_owned).collect()
        };
        paths.retain(|path| elements(&asked).starts_with(&elements(path)));
        let want = paths.into_iter().max_by_key(|path| elements(path).len());
        prop_assert_eq!(forward.find(asked.as_bytes()).cloned(), want);
    }

    #[test]
    fn an_exact_path_beats_every_prefix(path in route_path()) {
        let mut paths = Paths::default();
        paths.insert(&prefix(&path), "prefix");
        paths.insert(&exact(&path), "exact");
        prop_assert_eq!(paths.find(path.as_bytes()), Some(&"exact"));
    }

    #[test]
    fn a_normal_path_stays_as_it_is(raw in prop::collection::vec(prop::sample::select(b"/.%2ea".to_vec()), 0..24)) {
        if let Some(once) = normal_path(&raw) {
            prop_assert_eq!(once.first(), Some(&b'/'));
            let element = |e: &[u8]| e == b"." || e == b"..";
            prop_assert!(!once.split(|&b| b == b'/').any(element), "{:?}", once);
            prop_assert!(!once.windows(2).any(|pair| pair == b"//"));
        }
    }
}
