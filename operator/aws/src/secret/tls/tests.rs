use std::collections::BTreeMap;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair as Key, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, SignatureAlgorithm,
};

use super::*;

/// An authority that issues certificates.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, Key>,
}

impl Authority {
    fn called(name: &str) -> Self {
        let key = Key::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, key: &Key) -> String {
        let params = CertificateParams::new(vec!["shop.example.com".to_owned()]).unwrap();
        params.signed_by(key, &self.issuer).unwrap().pem()
    }
}

fn key(algorithm: &'static SignatureAlgorithm) -> Key {
    Key::generate_for(algorithm).unwrap()
}

fn secret(entries: &[(&str, &str)]) -> Secret {
    let entries = entries.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Secret { uid: "1".to_owned(), entries: entries.collect::<BTreeMap<_, _>>() }
}

fn problem(certificate: &str, key: &str) -> String {
    match TlsSeen::of(Some(&secret(&[("tls.crt", certificate), ("tls.key", key)])), 0) {
        TlsSeen::Unusable(problem) => problem,
        other => panic!("{other:?}"),
    }
}

fn block(label: &str, der: &[u8]) -> String {
    pem(&Pem { label: label.to_owned(), contents: der.to_vec() })
}

/// The key as older tools write it, without the envelope that names its kind.
fn bare(key: &Key) -> Vec<u8> {
    sequence(key.serialized_der()).unwrap()[2].data.to_vec()
}

#[test]
fn a_certificate_is_sent_apart_from_those_that_issued_it() {
    let (authority, own) = (Authority::called("Authority"), key(&PKCS_ECDSA_P256_SHA256));
    let leaf = authority.issue(&own);
    let chained = format!("a comment\n{leaf}{}", authority.certificate);
    let pair = KeyPair::of(&secret(&[("tls.crt", &chained), ("tls.key", &own.serialize_pem())])).unwrap();
    let plain = |pem: &str| pem.replace("\r\n", "\n");
    assert_eq!(pair.certificate, plain(&leaf));
    assert_eq!(pair.chain, plain(&authority.certificate));
    assert_eq!(pair.key, plain(&own.serialize_pem()));
    let alone = KeyPair::of(&secret(&[("tls.crt", &leaf), ("tls.key", &own.serialize_pem())])).unwrap();
    assert_eq!(alone.chain, "");
    assert_ne!(alone.digest(), pair.digest(), "another chain is another content");
}

#[test]
fn keys_of_every_kind_that_acm_takes_are_matched_with_their_certificate() {
    let authority = Authority::called("Authority");
    let kinds = [
        ("RSA PRIVATE KEY", &PKCS_RSA_SHA256),
        ("EC PRIVATE KEY", &PKCS_ECDSA_P256_SHA256),
        ("EC PRIVATE KEY", &PKCS_ECDSA_P384_SHA384),
    ];
    for (label, algorithm) in kinds {
        let (own, other) = (key(algorithm), key(algorithm));
        let leaf = authority.issue(&own);
        for text in [own.serialize_pem(), block(label, &bare(&own))] {
            let seen = TlsSeen::of(Some(&secret(&[("tls.crt", &leaf), ("tls.key", &text)])), 0);
            assert!(matches!(seen, TlsSeen::Known { expired: false, .. }), "{label}: {seen:?}");
        }
        for text in [other.serialize_pem(), block(label, &bare(&other))] {
            assert_eq!(
                problem(&leaf, &text),
                "has an entry tls.key that is not the key of tls.crt",
                "{label}"
            );
        }
    }
    let (rsa, elliptic) = (key(&PKCS_RSA_SHA256), key(&PKCS_ECDSA_P256_SHA256));
    let crossed = problem(&authority.issue(&rsa), &elliptic.serialize_pem());
    assert_eq!(crossed, "has an entry tls.key that is not the key of tls.crt");
}

#[test]
fn what_acm_would_refuse_is_said_in_the_words_of_the_secret() {
    let (authority, other) = (Authority::called("Authority"), Authority::called("Other"));
    let own = key(&PKCS_ECDSA_P256_SHA256);
    let (leaf, text) = (authority.issue(&own), own.serialize_pem());
    let edwards = key(&PKCS_ED25519);
    let cases = [
        ("not PEM", problem("-----BEGIN CERTIFICATE-----\n??", &text), "has an entry tls.crt that is no PEM"),
        ("empty", problem("", &text), "has an entry tls.crt without a certificate"),
        (
            "not a certificate",
            problem(&block("CERTIFICATE", b"nothing"), &text),
            "has an entry tls.crt with a certificate that cannot be read",
        ),
        (
            "the wrong authority",
            problem(&format!("{leaf}{}", other.certificate), &text),
            "has an entry tls.crt in which certificate 2 does not issue the one before it",
        ),
        ("no key", problem(&leaf, &leaf), "has an entry tls.key without a private key"),
        (
            "encrypted",
            problem(&leaf, &text.replace("PRIVATE", "ENCRYPTED PRIVATE")),
            "has an entry tls.key that is encrypted",
        ),
        (
            "a broken key",
            problem(&leaf, &block("PRIVATE KEY", &[0x30, 1, 2])),
            "has an entry tls.key that cannot be read",
        ),
        (
            "a kind that ACM does not take",
            problem(&authority.issue(&edwards), &edwards.serialize_pem()),
            "has a certificate with a key that is neither RSA nor of an elliptic curve, which ACM does not take",
        ),
    ];
    for (what, said, want) in cases {
        assert_eq!(said, want, "{what}");
    }
    let lacking = |entries: &[(&str, &str)]| KeyPair::of(&secret(entries)).err().unwrap();
    assert_eq!(lacking(&[("tls.crt", &leaf)]), "has no entry tls.key");
    assert_eq!(lacking(&[("tls.key", &text)]), "has no entry tls.crt");
}

#[test]
fn a_certificate_has_expired_after_its_last_second() {
    let own = key(&PKCS_ECDSA_P256_SHA256);
    let mut params = CertificateParams::new(vec!["shop.example.com".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2001, 9, 9);
    let leaf = params.self_signed(&own).unwrap().pem();
    let held = secret(&[("tls.crt", &leaf), ("tls.key", &own.serialize_pem())]);
    let expired = |now| match TlsSeen::of(Some(&held), now) {
        TlsSeen::Known { expired, .. } => expired,
        other => panic!("{other:?}"),
    };
    let last = 999_993_600;
    assert!(!expired(last));
    assert!(expired(last + 1));
}
