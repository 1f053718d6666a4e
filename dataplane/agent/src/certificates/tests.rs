use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use kube::api::ObjectMeta;

use super::*;

fn good() -> (Vec<u8>, Vec<u8>) {
    let pair = rcgen::generate_simple_self_signed(["shop.example.com".to_owned()]).unwrap();
    (pair.cert.pem().into_bytes(), pair.signing_key.serialize_pem().into_bytes())
}

fn secret(version: &str, parts: &[(&str, &[u8])]) -> Result<Secret, SecretError> {
    let data: BTreeMap<String, ByteString> =
        parts.iter().map(|(key, bytes)| ((*key).to_owned(), ByteString(bytes.to_vec()))).collect();
    let metadata = ObjectMeta { resource_version: Some(version.to_owned()), ..ObjectMeta::default() };
    Ok(Secret { metadata, data: Some(data), ..Secret::default() })
}

fn unread() -> Known {
    Known { credential: Credential::Refuse, version: None, problem: None, state: State::ReadingFirst }
}

fn serves(known: &Known) -> bool {
    matches!(known.credential, Credential::Serve(_))
}

#[tokio::test]
async fn a_certificate_that_was_good_outlives_what_is_wrong_with_its_secret_but_not_the_secret() {
    let name = Key::new("shop", "tls");
    let (chain, key) = good();
    let fine = |version: &str| secret(version, &[(CHAIN, &chain), (KEY, &key)]);
    let mut known = unread();
    assert!(known.take(&name, fine("1")) && serves(&known));
    assert!(!known.take(&name, fine("1")), "the same version changes nothing");
    assert!(!known.take(&name, secret("2", &[(CHAIN, &chain)])), "it has no key any more");
    assert!(serves(&known) && known.problem.is_some());
    assert!(!known.take(&name, Err(SecretError::Silent)) && serves(&known));
    assert!(known.take(&name, fine("1")) && known.problem.is_none(), "it is as it was again");
    assert!(known.take(&name, Err(SecretError::Missing)), "it was deleted");
    assert!(!serves(&known));
    assert!(!known.take(&name, Err(SecretError::Missing)), "and stays so");
}

#[tokio::test]
async fn a_secret_that_was_never_good_refuses() {
    let name = Key::new("shop", "tls");
    let (chain, key) = good();
    let (_, other) = good();
    let cases = [
        ("is not there", Err(SecretError::Missing)),
        ("has no chain", secret("1", &[(KEY, &key)])),
        ("has a key that fits another certificate", secret("1", &[(CHAIN, &chain), (KEY, &other)])),
        ("is no PEM", secret("1", &[(CHAIN, b"certificate"), (KEY, &key)])),
    ];
    for (case, read) in cases {
        let mut known = unread();
        assert!(!known.take(&name, read), "{case}");
        assert!(!serves(&known), "{case}");
        assert!(
            matches!(known.state, State::Due(at) if at <= Instant::now() + RETRY),
            "{case}: it is read again soon"
        );
    }
}

#[test]
fn readings_are_spread() {
    for name in ["a", "tls", "shop-certificate"] {
        let after = spread(&Key::new("default", name));
        assert!((45..=75).contains(&after.as_secs()), "{name}: {after:?}");
    }
}
