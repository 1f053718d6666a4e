//! A listener: a port of a load balancer and what it does by default.

use serde::{Deserialize, Serialize};

use super::{Action, Attributes, Certificate, LoadBalancer, Ref, ResourceKind, Tags};

/// A listener. Matched with what exists by its port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Whose it is.
    pub load_balancer: Ref<LoadBalancer>,
    /// 1 to 65535.
    pub port: u16,
    /// Protocol.
    pub protocol: ListenerProtocol,
    /// What is done when no rule matches.
    pub default_actions: Vec<Action>,
    /// HTTPS and TLS only.
    pub ssl_policy: Option<String>,
    /// The default first. HTTPS and TLS only.
    pub certificates: Vec<Ref<Certificate>>,
    /// TLS only; `None` leaves it alone.
    pub alpn_policy: Option<String>,
    /// HTTPS only; `None` leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificates: Option<ClientCertificates>,
    /// Only those that someone asked for.
    pub attributes: Attributes,
    /// All tags, ownership included.
    pub tags: Tags,
}

impl ResourceKind for Listener {
    const KIND: &'static str = "listener";
}

/// What a listener does with client certificates (`MutualAuthentication`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// They are not asked for.
    Off,
    /// They are passed on, unchecked.
    Passthrough,
    /// They are checked.
    Verify {
        /// ARN.
        trust_store: String,
        /// Whether expired ones are as good.
        ignore_expiry: bool,
        /// Whether clients are told whose certificates are accepted; `None` leaves it alone.
        advertise_authorities: Option<bool>,
    },
}

/// Protocol of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ListenerProtocol {
    /// HTTP.
    Http,
    /// HTTPS.
    Https,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// TLS.
    Tls,
    /// TCP and UDP.
    #[serde(rename = "TCP_UDP")]
    TcpUdp,
}

impl ListenerProtocol {
    /// AWS's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Tls => "TLS",
            Self::TcpUdp => "TCP_UDP",
        }
    }
}

impl Listener {
    /// How others refer to it.
    #[must_use]
    pub fn reference(&self) -> Ref<Self> {
        Ref::new(format!("{}:{}", self.load_balancer.name(), self.port))
    }
}
