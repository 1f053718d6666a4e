//! Listeners, as AWS answers with them.

use aws_sdk_elasticloadbalancingv2::types::{
    AdvertiseTrustStoreCaNamesEnum as Advertise, Certificate, Listener as Wire,
    MutualAuthenticationAttributes as Mutual,
};
use fairway_aws::model::{Attributes, ClientCertificates, Tags};
use fairway_aws::observed::ListenerSeen;

use super::{action, listener_protocol, required};
use crate::fault::Fault;

/// Reads a listener without its rules and further certificates; `None` for protocols that are never made here.
pub(crate) fn decode(listener: &Wire, tags: Tags) -> Result<Option<ListenerSeen>, Fault> {
    let Some(protocol) = listener_protocol(required("Protocol", listener.protocol())?) else {
        return Ok(None);
    };
    let port = listener.port().and_then(|port| u16::try_from(port).ok());
    Ok(Some(ListenerSeen {
        arn: required("ListenerArn", listener.listener_arn())?.to_owned(),
        port: required("Port", port)?,
        protocol,
        default_actions: action::decode(listener.default_actions()).0,
        ssl_policy: listener.ssl_policy().map(str::to_owned),
        certificates: listener
            .certificates()
            .iter()
            .filter_map(Certificate::certificate_arn)
            .map(str::to_owned)
            .collect(),
        alpn_policy: listener.alpn_policy().first().cloned(),
        client_certificates: listener.mutual_authentication().and_then(decode_mutual),
        attributes: Attributes::new(),
        tags,
        rules: Vec::new(),
    }))
}

/// `None` for a mode that is not known.
fn decode_mutual(mutual: &Mutual) -> Option<ClientCertificates> {
    match mutual.mode()? {
        "off" => Some(ClientCertificates::Off),
        "passthrough" => Some(ClientCertificates::Passthrough),
        "verify" => Some(ClientCertificates::Verify {
            trust_store: mutual.trust_store_arn().unwrap_or_default().to_owned(),
            ignore_expiry: mutual.ignore_client_certificate_expiry().unwrap_or_default(),
            advertise_authorities: mutual.advertise_trust_store_ca_names().map(|on| *on == Advertise::On),
        }),
        _ => None,
    }
}

/// What listeners ask clients for.
pub(crate) fn encode_mutual(asked: &ClientCertificates) -> Mutual {
    let mutual = Mutual::builder();
    match asked {
        ClientCertificates::Off => mutual.mode("off").build(),
        ClientCertificates::Passthrough => mutual.mode("passthrough").build(),
        ClientCertificates::Verify { trust_store, ignore_expiry, advertise_authorities } => mutual
            .mode("verify")
            .trust_store_arn(trust_store)
            .ignore_client_certificate_expiry(*ignore_expiry)
            .set_advertise_trust_store_ca_names(
                advertise_authorities.map(|on| if on { Advertise::On } else { Advertise::Off }),
            )
            .build(),
    }
}

/// The default certificate first, then the others sorted, each once.
pub(crate) fn certificates(default: &[String], all: &[Certificate]) -> Vec<String> {
    let first = default.first().cloned();
    let mut others: Vec<String> =
        all.iter().filter_map(Certificate::certificate_arn).map(str::to_owned).collect();
    others.sort();
    others.dedup();
    others.retain(|arn| Some(arn) != first.as_ref());
    first.into_iter().chain(others).collect()
}
