use super::*;

#[test]
fn a_certificate_covers_equal_names_and_one_label_of_its_wildcards() {
    let certificate = |names: &[&str]| Certificate {
        arn: "arn".to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        issued: true,
    };
    let cases = [
        ("shop.example.com", &["shop.example.com"], true),
        ("shop.example.com", &["*.example.com"], true),
        ("SHOP.example.com", &["*.example.com"], true),
        ("a.shop.example.com", &["*.example.com"], false),
        ("example.com", &["*.example.com"], false),
        ("*.example.com", &["*.example.com"], true),
        ("shop.example.org", &["*.example.com"], false),
    ];
    for (host, names, want) in cases {
        assert_eq!(matches(&certificate(names), host), want, "{host} {names:?}");
    }
}
