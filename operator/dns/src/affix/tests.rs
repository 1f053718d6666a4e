use proptest::prelude::*;

use super::*;

fn naming(affix: &str) -> TxtNaming {
    let mut naming = TxtNaming::default();
    for part in affix.split_whitespace() {
        match part.split_once('=') {
            Some(("prefix", value)) => naming.prefix = value.to_owned(),
            Some(("suffix", value)) => naming.suffix = value.to_owned(),
            Some(("wildcard", value)) => naming.wildcard = value.to_owned(),
            _ => panic!("{part}"),
        }
    }
    naming
}

#[test]
fn names_are_what_external_dns_writes() {
    let cases = [
        ("", "foo.example.com", "A", "a-foo.example.com"),
        ("", "foo.example.com", "AAAA", "aaaa-foo.example.com"),
        ("", "foo.example.com", "CNAME", "cname-foo.example.com"),
        ("prefix=edns-", "foo.example.com", "A", "edns-a-foo.example.com"),
        ("prefix=edns.", "foo.example.com", "A", "edns.a-foo.example.com"),
        ("prefix=%{record_type}-edns-", "foo.example.com", "CNAME", "cname-edns-foo.example.com"),
        ("prefix=%{record_type}-edns.", "example.com", "A", "a-edns.example.com"),
        ("suffix=-edns", "foo.example.com", "A", "a-foo-edns.example.com"),
        ("suffix=-%{record_type}", "foo.example.com", "A", "foo-a.example.com"),
        ("suffix=.edns", "foo.example.com", "CNAME", "cname-foo.edns.example.com"),
        ("prefix=EDNS-", "foo.example.com", "A", "edns-a-foo.example.com"),
        ("", "*.example.com", "A", "a-*.example.com"),
        ("wildcard=any", "*.example.com", "A", "a-any.example.com"),
        ("prefix=txt- wildcard=wild", "*.example.com", "MX", "txt-mx-wild.example.com"),
    ];
    for (affix, name, kind, want) in cases {
        let (naming, name, kind) = (naming(affix), Name::observed(name), RecordType::from(kind.to_owned()));
        let apex = Name::observed("example.com");
        let txt = naming.txt_name(&name, &kind, &apex);
        assert_eq!(txt.as_str(), want, "{affix} {name}");
        let subject = naming.subject(&txt, &apex).unwrap();
        assert_eq!(
            subject,
            Subject { name: naming.replace_wildcard(&name), kind: Some(kind) },
            "{affix} {want}"
        );
    }
}

#[test]
fn ownership_of_an_apex_stays_in_its_zone() {
    let apex = Name::observed("example.com");
    for affix in ["", "suffix=-x", "suffix=.x", "prefix=%{record_type}-x-", "prefix=x."] {
        let naming = naming(affix);
        let txt = naming.txt_name(&apex, &RecordType::Aaaa, &apex);
        assert_eq!(txt.as_str(), "fairway-apex-aaaa.example.com", "{affix}");
        let subject = naming.subject(&txt, &apex).unwrap();
        assert_eq!(subject, Subject { name: apex.clone(), kind: Some(RecordType::Aaaa) }, "{affix}");
    }
}

#[test]
fn every_generation_is_read() {
    let typed = |name: &str, kind: &str| Some((name.to_owned(), Some(RecordType::from(kind.to_owned()))));
    let old = |name: &str| Some((name.to_owned(), None));
    let cases = [
        ("", "foo.example.com", old("foo.example.com")),
        ("", "cname-foo.example.com", typed("foo.example.com", "CNAME")),
        ("", "mx-relay.example.com", typed("relay.example.com", "MX")),
        ("", "web-1.example.com", old("web-1.example.com")),
        ("prefix=own.", "own.foo.example.com", old("foo.example.com")),
        ("prefix=own.", "a-foo.example.com", None),
        ("prefix=%{record_type}-own.", "-own.foo.example.com", old("foo.example.com")),
        ("prefix=%{record_type}", "aaaafoo.example.com", typed("aaafoo.example.com", "A")),
        ("suffix=-own", "foo-own.example.com", old("foo.example.com")),
        ("suffix=-own", "foo.example.com", None),
        ("suffix=.own", "foo.own.example.com", old("foo.example.com")),
    ];
    for (affix, txt, want) in cases {
        let read = naming(affix).subject(&Name::observed(txt), &Name::observed("example.com"));
        assert_eq!(read.map(|s| (s.name.to_string(), s.kind)), want, "{affix} {txt}");
    }
}

proptest! {
    /// Affixes that end in a separator: what is written is read back, whatever the name.
    #[test]
    fn a_name_survives_its_ownership_name(
        affix in prop::sample::select(vec![
            "", "prefix=own.", "prefix=own-", "prefix=%{record_type}-own.", "prefix=%{record_type}-own-",
            "suffix=-own", "suffix=.own", "suffix=-%{record_type}-own", "wildcard=any",
        ]),
        labels in prop::collection::vec("[a-z0-9]{1,8}(-[a-z0-9]{1,8})?", 1..4),
        kind in prop::sample::select(vec!["A", "AAAA", "CNAME"]),
    ) {
        let (naming, apex) = (naming(affix), Name::observed("example.com"));
        let name = Name::observed(&format!("{}.{apex}", labels.join(".")));
        let kind = RecordType::from(kind.to_owned());
        let txt = naming.txt_name(&name, &kind, &apex);
        prop_assert!(txt.is_in(&apex));
        prop_assert_eq!(naming.subject(&txt, &apex), Some(Subject { name, kind: Some(kind) }));
    }
}
