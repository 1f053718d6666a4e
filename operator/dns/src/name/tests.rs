use proptest::prelude::*;

use super::*;

#[test]
fn names_have_one_spelling() {
    let cases = [
        ("dots at the end and capitals mean nothing", "WWW.Example.COM.", "www.example.com"),
        ("an asterisk comes back escaped", "\\052.example.com.", "*.example.com"),
        ("an at sign comes back escaped", "a\\100b.example.com", "a@b.example.com"),
        ("a dot inside a label separates nothing", "a\\056b.example.com", "a\\056b.example.com"),
        ("a space stays escaped", "a b.example.com", "a\\040b.example.com"),
        ("escaped capitals are capitals", "\\101.example.com", "a.example.com"),
        ("a backslash that escapes nothing is one", "a\\9.example.com", "a\\1349.example.com"),
        ("three digits may be no byte", "\\777.example.com", "\\134777.example.com"),
        ("other scripts are bytes", "ü.example.com", "\\303\\274.example.com"),
    ];
    for (name, text, want) in cases {
        assert_eq!(Name::observed(text).as_str(), want, "{name}");
    }
}

#[test]
fn names_that_no_zone_takes_are_refused() {
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{label}.example.com");
    let cases = [
        ("an empty name", "", Some("InvalidHostname")),
        ("an empty label", "a..example.com", Some("InvalidHostname")),
        ("a leading dot", ".example.com", Some("InvalidHostname")),
        ("a label of 64", &*format!("a{label}.example.com"), Some("InvalidHostname")),
        ("a label of 63", &*format!("{label}.example.com"), None),
        ("more than 253 characters", &*long, Some("InvalidHostname")),
        ("an asterisk in the middle", "a.*.example.com", Some("InvalidHostname")),
        ("an asterisk with company", "a*.example.com", Some("InvalidHostname")),
        ("another script", "ü.example.com", Some("InvalidHostname")),
        ("a space", "a b.example.com", Some("InvalidHostname")),
        ("an underscore", "_sip._tcp.example.com", None),
        ("a wildcard", "*.example.com", None),
    ];
    for (name, text, want) in cases {
        assert_eq!(Name::wanted(text).err().map(|error| error.code()), want, "{name}");
    }
}

#[test]
fn a_name_lies_in_zones_by_whole_labels() {
    let zone = Name::observed("example.com");
    let inside = ["example.com", "www.example.com", "*.example.com", "a.b.example.com"];
    assert!(inside.iter().all(|name| Name::observed(name).is_in(&zone)));
    let outside = ["example.org", "badexample.com", "com", "example.com.org", "a\\056example.com"];
    assert!(outside.iter().all(|name| !Name::observed(name).is_in(&zone)));
}

proptest! {
    #[test]
    fn a_spelling_is_spelled_as_itself(text in "\\PC{0,40}") {
        let once = Name::observed(&text);
        prop_assert_eq!(Name::observed(once.as_str()), once);
    }

    #[test]
    fn what_is_wanted_is_what_comes_back(labels in prop::collection::vec("[A-Za-z0-9_-]{1,20}", 1..5)) {
        let text = labels.join(".");
        let wanted = Name::wanted(&text).unwrap();
        let escaped: String = text.bytes().map(|byte| if byte == b'.' { ".".to_owned() } else { format!("\\{byte:03o}") }).collect();
        prop_assert_eq!(Name::observed(&escaped), wanted);
    }
}
