//! Objects as the peer wrote them in a cluster survive reading and writing, byte for byte.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking, and so may what it calls")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fairway_crds::{IngressClassParams, TargetGroupBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Pods behind a port by name; no selector, no optional field of ours.
const POD_BINDING: &str = include_str!("fixtures/target_group_binding_ip.json");
/// Nodes, two ports in one rule.
const NODE_BINDING: &str = include_str!("fixtures/target_group_binding_instance.json");
/// One port by UDP and by TCP.
const UDP_BINDING: &str = include_str!("fixtures/target_group_binding_udp.json");
/// Every optional field.
const FULL_BINDING: &str = include_str!("fixtures/target_group_binding_full.json");
/// Class parameters as a cluster stores them.
const CLASS_PARAMS: &str = include_str!("fixtures/ingress_class_params.json");
/// Every field, and both spellings of the prefix lists.
const FULL_CLASS_PARAMS: &str = include_str!("fixtures/ingress_class_params_full.json");

/// Reads `text` as `T` and writes it with sorted keys, as the API does.
fn rewritten<T: DeserializeOwned + Serialize>(text: &str) -> String {
    let object: T = serde_json::from_str(text).unwrap();
    serde_json::to_string_pretty(&serde_json::to_value(&object).unwrap()).unwrap() + "\n"
}

#[test]
fn target_group_bindings_of_the_peer_come_back_byte_for_byte() {
    for text in [POD_BINDING, NODE_BINDING, UDP_BINDING, FULL_BINDING] {
        assert_eq!(rewritten::<TargetGroupBinding>(text), text);
    }
}

#[test]
fn ingress_class_params_of_the_peer_come_back_byte_for_byte() {
    for text in [CLASS_PARAMS, FULL_CLASS_PARAMS] {
        assert_eq!(rewritten::<IngressClassParams>(text), text);
    }
}

#[test]
fn the_spec_is_written_as_the_peer_hashes_it() {
    for text in [POD_BINDING, NODE_BINDING, UDP_BINDING] {
        let binding: TargetGroupBinding = serde_json::from_str(text).unwrap();
        let written = serde_json::to_string(&binding.spec).unwrap();
        let checkpoint = &binding.metadata.annotations.unwrap()["elbv2.k8s.aws/checkpoint"];
        let (_, spec_hash) = checkpoint.split_once('/').unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(&written)), spec_hash, "{written}");
    }
}

#[test]
fn every_field_is_written_in_the_peers_order() {
    let binding: TargetGroupBinding = serde_json::from_str(FULL_BINDING).unwrap();
    let written = serde_json::to_string(&binding.spec).unwrap();
    let fields = [
        "targetGroupARN",
        "targetGroupName",
        "multiClusterTargetGroup",
        "targetType",
        "targetGroupProtocol",
        "serviceRef",
        "networking",
        "nodeSelector",
        "matchLabels",
        "matchExpressions",
        "ipAddressType",
        "vpcID",
        "iamRoleArnToAssume",
        "assumeRoleExternalId",
    ];
    let places: Vec<usize> =
        fields.iter().map(|field| written.find(&format!("\"{field}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{written}");
}

#[test]
fn a_word_that_the_schema_does_not_know_is_still_read() {
    let text = CLASS_PARAMS.replace("internet-facing", "sideways");
    let params: IngressClassParams = serde_json::from_str(&text).unwrap();
    assert_eq!(params.spec.scheme.as_deref(), Some("sideways"));
}
