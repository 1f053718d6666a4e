//! Listeners, as AWS answers with them.

use aws_sdk_elasticloadbalancingv2::types::{Certificate, Listener as Wire};
use fairway_aws::model::{Attributes, Tags};
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
        attributes: Attributes::new(),
        tags,
        rules: Vec::new(),
    }))
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
