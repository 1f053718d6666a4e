use std::fmt::Debug;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::settings::words::CheckPort;

type Case<T> = (&'static str, &'static str, Option<T>);

fn check<T: PartialEq + Debug>(parse: fn(&str) -> Result<T, BadValue>, cases: Vec<Case<T>>) {
    for (name, text, want) in cases {
        assert_eq!(parse(text).ok(), want, "{name}: {text:?}");
    }
}

#[test]
fn booleans_are_those_of_go() {
    for text in ["1", "t", "T", "TRUE", "true", "True"] {
        assert_eq!(boolean(text), Ok(true), "{text}");
    }
    for text in ["0", "f", "F", "FALSE", "false", "False"] {
        assert_eq!(boolean(text), Ok(false), "{text}");
    }
    for text in ["", "tRUE", "yes", "on", " true", "true ", "2", "TrUe"] {
        assert!(boolean(text).is_err(), "{text:?}");
    }
}

#[test]
fn numbers_are_decimal_and_fit() {
    check(
        int32,
        vec![
            ("digits", "15", Some(15)),
            ("a sign", "-5", Some(-5)),
            ("the other sign", "+5", Some(5)),
            ("leading zeros", "007", Some(7)),
            ("the smallest", "-2147483648", Some(i32::MIN)),
            ("the largest", "2147483647", Some(i32::MAX)),
            ("one too many", "2147483648", None),
            ("nothing", "", None),
            ("a sign alone", "-", None),
            ("spaces", " 15", None),
            ("a fraction", "1.0", None),
            ("underscores", "1_000", None),
            ("hexadecimal", "0x10", None),
        ],
    );
    assert_eq!(int64("9223372036854775807"), Ok(i64::MAX));
    assert!(int64("9223372036854775808").is_err());
}

#[test]
fn ports_are_1_to_65535() {
    check(
        port,
        vec![
            ("the first", "1", Port::new(1)),
            ("the last", "65535", Port::new(65535)),
            ("zero", "0", None),
            ("one too many", "65536", None),
            ("a name", "https", None),
        ],
    );
    assert_eq!(ports("80, 443,").map(|all| all.len()), Ok(2));
    assert!(ports("80,x").is_err());
}

#[test]
fn lists_drop_empty_items() {
    let all = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
    check(
        list,
        vec![
            ("items are trimmed", " a , b", all(&["a", "b"])),
            ("empty items are dropped", "a,,b,", all(&["a", "b"])),
            ("empty is an empty list", "", all(&[])),
            ("commas alone are an empty list", " , ,", all(&[])),
            ("nothing is escaped", r"a\,b", all(&["a\\", "b"])),
        ],
    );
}

#[test]
fn maps_follow_the_grammar_of_the_peer() {
    let all = |pairs: &[(&str, &str)]| {
        Some(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<TextMap>())
    };
    check(
        map,
        vec![
            ("pairs", "a=1,b=2", all(&[("a", "1"), ("b", "2")])),
            ("keys and values are trimmed", " a = 1 , b = 2 ", all(&[("a", "1"), ("b", "2")])),
            ("an item splits at the first equals sign", "a=b=c", all(&[("a", "b=c")])),
            ("an empty value is a value", "a=,b=2", all(&[("a", ""), ("b", "2")])),
            ("the last of a repeated key wins", "a=1,a=2", all(&[("a", "2")])),
            ("an escaped comma belongs to the value", r"a=1\,2,b=3", all(&[("a", "1,2"), ("b", "3")])),
            ("an escaped backslash is one", r"a=\\,b=2", all(&[("a", "\\"), ("b", "2")])),
            ("any character may be escaped", r"a=\x\=", all(&[("a", "x=")])),
            ("a trailing comma is part of the value", "a=1,", all(&[("a", "1,")])),
            ("a comma behind a comma is an error", "a=1,b=2,,", None),
            ("text without an equals sign is an error", "a=1,b", None),
            ("also between pairs", "a=1,b,c=2", None),
            ("also when it is a space", "a=1, ", None),
            ("an empty key is an error", "=1", None),
            ("a word alone is an error", "a", None),
            ("an empty text has no pairs", "", all(&[])),
            ("a backslash at the end stays", "a=1\\", all(&[("a", "1\\")])),
        ],
    );
}

#[test]
fn listeners_are_json_with_upper_case_words() {
    let listen = |protocol, port| Listen { port: Port::new(port).unwrap(), protocol };
    let (http, https) = (listen(HttpProtocol::Http, 80), listen(HttpProtocol::Https, 443));
    check(
        listens,
        vec![
            ("a map each", r#"[{"HTTP":80},{"HTTPS":443}]"#, Some(vec![http, https])),
            ("one map", r#"[{"HTTPS":443,"HTTP":80}]"#, Some(vec![http, https])),
            ("in the order of the list", r#"[{"HTTPS": 443}, {"HTTP": 80}]"#, Some(vec![https, http])),
            ("the same twice", r#"[{"HTTP":80},{"HTTP":80}]"#, Some(vec![http])),
            ("one port, two protocols", r#"[{"HTTP":80},{"HTTPS":80}]"#, None),
            ("an empty list", "[]", None),
            ("a list of nothing", "[{}]", None),
            ("lower case", r#"[{"http":80}]"#, None),
            ("text for a number", r#"[{"HTTP":"80"}]"#, None),
            ("a fraction", r#"[{"HTTP":80.5}]"#, None),
            ("zero", r#"[{"HTTP":0}]"#, None),
            ("one too many", r#"[{"HTTP":65536}]"#, None),
            ("no JSON", "80", None),
            ("nothing", "", None),
        ],
    );
}

#[test]
fn ranges_lose_their_host_bits() {
    let text = |text: &str| ranges(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(text("10.1.2.3/16, fd00::1/8"), Ok(vec!["10.1.0.0/16".to_owned(), "fd00::/8".to_owned()]));
    assert!(text("10.0.0.0").is_err(), "an address alone is no range");
    assert!(text("10.0.0.0/33").is_err());
}

#[test]
fn names_fit_a_load_balancer() {
    let longest = "a".repeat(32);
    assert_eq!(short_name(&longest), Ok(longest.clone()));
    assert!(short_name(&format!("{longest}a")).is_err());
    assert!(short_name("").is_err());
}

#[test]
fn seconds_are_numbers_or_durations() {
    check(
        seconds,
        vec![
            ("a number", "60", Some(60)),
            ("a duration", "10m", Some(600)),
            ("several units", "1h30m", Some(5400)),
            ("fractions of a minute", "1.5m", Some(90)),
            ("fractions of a second are dropped", "1.9s", Some(1)),
            ("less than a second", "500ms", None),
            ("zero", "0", None),
            ("below zero", "-1", None),
            ("the largest", "2147483647", Some(2_147_483_647)),
            ("one too many", "2147483648", None),
            ("a unit that is none", "5d", None),
            ("a number that is none", "1.2.3s", None),
            ("a unit alone", "s", None),
            ("spaces", "10 m", None),
            ("nothing", "", None),
            ("beyond all measure", "99999999999999999999h", None),
        ],
    );
}

#[test]
fn check_ports_are_numbers_names_or_traffic() {
    check(
        CheckPort::parse,
        vec![
            ("the traffic port", "traffic-port", Some(CheckPort::Traffic)),
            ("a number", "8080", Port::new(8080).map(CheckPort::Number)),
            ("a name", "admin", Some(CheckPort::Name("admin".into()))),
            ("no port", "0", None),
            ("nothing", "", None),
        ],
    );
}

#[test]
fn fields_are_found_in_any_case() {
    let value = json!({"Type": "redirect", "redirectConfig": 1, "REDIRECTCONFIG": 2, "gone": null});
    let fields = Fields::of(&value).unwrap();
    assert_eq!(fields.get("type"), Some(&json!("redirect")));
    assert_eq!(fields.get("redirectConfig"), Some(&json!(1)), "the exact spelling wins");
    assert_eq!(fields.get("gone"), None, "null is absent");
    assert_eq!(fields.get("other"), None);
    assert!(Fields::of(&json!([])).is_err());
}

proptest! {
    #[test]
    fn what_is_written_as_a_map_reads_as_the_same(
        pairs in prop::collection::btree_map("[a-z.:/\\\\,]{1,6}", "[a-z=,\\\\.]{0,6}", 0..5)
    ) {
        let text = write_map(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))).unwrap();
        prop_assert_eq!(map(&text), Ok(pairs), "{}", text);
    }

    #[test]
    fn nothing_that_is_written_makes_a_parser_panic(text in any::<String>()) {
        let _ = (map(&text), list(&text), listens(&text), seconds(&text), ranges(&text), ports(&text));
    }
}
