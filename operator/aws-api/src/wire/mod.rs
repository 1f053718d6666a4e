//! AWS's shapes and ours, one file a resource kind: `encode` for requests, `decode` for answers.
//!
//! Errors: [`Fault`] when an answer lacks what AWS always sends. What AWS has and the model has no word for is told
//! apart: a resource of a kind that is never made here is `None`, a part of a rule goes into its `unknown`.

pub(crate) mod action;
pub(crate) mod condition;
pub(crate) mod guard;
pub(crate) mod listener;
pub(crate) mod load_balancer;
pub(crate) mod record;
pub(crate) mod rule;
pub(crate) mod security_group;
pub(crate) mod tags;
pub(crate) mod target;
pub(crate) mod target_group;
pub(crate) mod transform;

use aws_sdk_elasticloadbalancingv2::types::ProtocolEnum;
use fairway_aws::model::{ListenerProtocol, TargetProtocol};

use crate::fault::Fault;

/// A field that AWS always sends.
pub(crate) fn required<T>(what: &str, field: Option<T>) -> Result<T, Fault> {
    field.ok_or_else(|| Fault::unreadable("elbv2", format!("{what} is missing")))
}

/// `None` for what no target group of ours has.
pub(crate) fn target_protocol(protocol: &ProtocolEnum) -> Option<TargetProtocol> {
    Some(match protocol {
        ProtocolEnum::Http => TargetProtocol::Http,
        ProtocolEnum::Https => TargetProtocol::Https,
        ProtocolEnum::Tcp => TargetProtocol::Tcp,
        ProtocolEnum::Udp => TargetProtocol::Udp,
        ProtocolEnum::Tls => TargetProtocol::Tls,
        ProtocolEnum::TcpUdp => TargetProtocol::TcpUdp,
        _ => return None,
    })
}

/// `None` for what no listener of ours has.
pub(crate) fn listener_protocol(protocol: &ProtocolEnum) -> Option<ListenerProtocol> {
    Some(match protocol {
        ProtocolEnum::Http => ListenerProtocol::Http,
        ProtocolEnum::Https => ListenerProtocol::Https,
        ProtocolEnum::Tcp => ListenerProtocol::Tcp,
        ProtocolEnum::Udp => ListenerProtocol::Udp,
        ProtocolEnum::Tls => ListenerProtocol::Tls,
        ProtocolEnum::TcpUdp => ListenerProtocol::TcpUdp,
        _ => return None,
    })
}
