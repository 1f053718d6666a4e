use super::*;

fn port(number: i64) -> Port {
    Port::new(number).unwrap()
}

fn certificates(number: i64, mode: ClientCertificateMode) -> ClientCertificates {
    ClientCertificates { port: port(number), mode }
}

#[test]
fn client_certificates_are_read_by_mode_and_in_any_case() {
    let verify = |ignore_expiry, advertise_authorities| ClientCertificateMode::Verify {
        trust_store: "staff".to_owned(),
        ignore_expiry,
        advertise_authorities,
    };
    let cases = [
        (r#"[{"port": 443, "mode": "off"}]"#, certificates(443, ClientCertificateMode::Off)),
        (
            r#"[{"Port": 8443, "MODE": "passthrough"}]"#,
            certificates(8443, ClientCertificateMode::Passthrough),
        ),
        (
            r#"[{"port": 443, "mode": "verify", "trustStore": "staff"}]"#,
            certificates(443, verify(false, None)),
        ),
        (
            r#"[{"port":443,"mode":"verify","truststore":"staff","ignoreClientCertificateExpiry":true,"advertiseTrustStoreCaNames":"on"}]"#,
            certificates(443, verify(true, Some(true))),
        ),
    ];
    for (text, want) in cases {
        assert_eq!(client_certificates(text), Ok(vec![want]), "{text}");
    }
    assert_eq!(client_certificates("[]"), Ok(Vec::new()));
}

#[test]
fn client_certificates_that_cannot_be_meant_are_refused() {
    let cases = [
        (r#"{"port":443}"#, "must be like"),
        (r#"[{"mode":"off"}]"#, "needs a port"),
        (r#"[{"port":70000,"mode":"off"}]"#, "needs a port"),
        (r#"[{"port":443,"mode":"on"}]"#, "one of off, passthrough, verify"),
        (r#"[{"port":443}]"#, "one of off, passthrough, verify"),
        (r#"[{"port":443,"mode":"verify"}]"#, "needs a trustStore"),
        (r#"[{"port":443,"mode":"off","trustStore":"staff"}]"#, "trustStore is for mode verify only"),
        (
            r#"[{"port":443,"mode":"passthrough","ignoreClientCertificateExpiry":false}]"#,
            "for mode verify only",
        ),
        (
            r#"[{"port":443,"mode":"verify","trustStore":"s","advertiseTrustStoreCaNames":"yes"}]"#,
            "on or off",
        ),
        (r#"[{"port":443,"mode":"off"},{"port":443,"mode":"passthrough"}]"#, "there twice"),
    ];
    for (text, want) in cases {
        let error = client_certificates(text).unwrap_err();
        assert!(error.0.contains(want), "{text}: {error}");
    }
}

#[test]
fn attachments_say_nothing_or_this() {
    let this = |text: &str| Ok(Attachment::This(text.to_owned()));
    assert_eq!(Attachment::parse("none"), Ok(Attachment::Nothing));
    assert_eq!(Attachment::parse(""), Ok(Attachment::Nothing));
    assert_eq!(Attachment::parse("arn:x"), this("arn:x"));
    assert_eq!(Attachment::parse_name("none"), Ok(Attachment::Nothing));
    assert_eq!(Attachment::parse_name("shop"), this("shop"));
    assert!(Attachment::parse_name("").is_err());
    assert_eq!(Attachment::parse_id("none"), Ok(Some(Attachment::Nothing)));
    assert_eq!(Attachment::parse_id(""), Ok(None));
}

#[test]
fn capacity_is_one_key_and_a_number() {
    assert_eq!(capacity_units("CapacityUnits=500"), Ok(500));
    assert_eq!(capacity_units("CapacityUnits=0"), Ok(0));
    for text in
        ["", "500", "capacityUnits=5", "CapacityUnits=5,Other=1", "CapacityUnits=many", "CapacityUnits=-1"]
    {
        assert!(capacity_units(text).is_err(), "{text}");
    }
}

#[test]
fn tags_of_subnets_are_json() {
    let want = BTreeMap::from([("tier".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
    assert_eq!(tag_values(r#"{"tier":["a","b"]}"#), Ok(want));
    assert!(tag_values("{}").is_err());
    assert!(tag_values("tier=a").is_err());
}

#[test]
fn a_port_leads_to_one_other() {
    let port = |number| Port::new(number).unwrap();
    let want = BTreeMap::from([(port(80), port(80)), (port(8443), port(443))]);
    assert_eq!(port_mapping("80=80, 8443=443"), Ok(want));
    for text in ["80", "0=80", "80=http", "80=65536"] {
        assert!(port_mapping(text).is_err(), "{text}");
    }
}
