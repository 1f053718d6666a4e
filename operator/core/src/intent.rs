//! The neutral reading of a stack's members: what they ask for, whoever will build it.
//!
//! A member is read whole and alone; what combines members (one scheme, one protocol a port) is decided when a
//! provider lowers the intent. Everything here can be written to a file and read back: that is how a member's last
//! good reading is kept.

use serde::{Deserialize, Serialize};

mod guard;
mod route;

pub use guard::{Claim, Guard, IdentityProvider, Session, TokenCheck, UserPool};
pub use route::{
    Action, Answer, GroupName, HeaderMatch, Match, PathType, QueryMatch, Redirect, Replacement, Rewrite,
    Route, Share, Split, Target, Texts,
};

use crate::{
    ids::{Key, ObjectRef, Port, StackId},
    settings::Settings,
};

/// A stack and its members in their order: (`group.order`, `namespace/name`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Which stack.
    pub stack: StackId,
    /// Active members, held ones included with their last good reading.
    pub members: Vec<Member>,
    /// Members whose input cannot be read and of which no last good reading is known: while there is one, nothing of
    /// the stack is deleted.
    pub unreadable: Vec<ObjectRef>,
    /// Objects that hold this stack's finalizer without being members any more.
    pub leaving: Vec<Leaving>,
}

/// An object that was a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// The object.
    pub object: ObjectRef,
    /// The stack that serves it now, if any: its address must be live before this stack goes.
    pub successor: Option<StackId>,
}

/// One Ingress or Service, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The object.
    pub object: ObjectRef,
    /// `metadata.uid`: part of names.
    pub uid: String,
    /// Finalizer that the object has to carry before anything is made for it.
    pub finalizer: String,
    /// `group.order`, 0 for Services.
    pub order: i32,
    /// Whether this is the last good reading, kept because the present one cannot be read.
    pub held: bool,
    /// What it asks for.
    pub ask: Ask,
    /// DNS names it wants, each with where it was written.
    pub hostnames: Vec<DnsName>,
    /// Raw settings of the load balancer and its listeners: class parameters before annotations.
    pub settings: Settings,
}

/// A DNS name that a member asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DnsName {
    /// Lower-case, without the final dot; a leading `*.` is kept.
    pub name: String,
    /// Where it was written: `spec.rules`, `spec.tls`, or the annotation's key.
    pub from: String,
}

/// What a member asks for, by its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// HTTP routing.
    Http(Box<HttpAsk>),
    /// Ports, passed on as they are.
    L4(L4Ask),
}

/// What an Ingress asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpAsk {
    /// Ports to listen on; its rules go to these only. Never empty.
    pub listens: Vec<Listen>,
    /// HTTPS port that every plain listener redirects to.
    pub ssl_redirect: Option<Port>,
    /// In the order of `spec.rules`, and the order of paths within each.
    pub routes: Vec<Route>,
    /// Hosts of rules without paths: nothing is routed for them, but certificates are for them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts_without_routes: Vec<String>,
    /// What is done with requests that no route takes: `spec.defaultBackend`.
    pub default: Option<Action>,
    /// Who is let through to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_guard: Option<Guard>,
    /// `spec.tls`.
    pub tls: Vec<Tls>,
}

/// One listener of an Ingress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listen {
    /// Port on the load balancer.
    pub port: Port,
    /// Plain or TLS.
    pub protocol: HttpProtocol,
}

/// Protocol of an HTTP listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HttpProtocol {
    /// Plain.
    #[serde(rename = "HTTP")]
    Http,
    /// TLS is terminated.
    #[serde(rename = "HTTPS")]
    Https,
}

/// Certificate by reference: the Secret is read only by who serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// `spec.tls[].hosts`.
    pub hosts: Vec<String>,
    /// Secret in the Ingress' namespace.
    pub secret: Option<String>,
}

/// Where requests or connections go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Service in the member's namespace.
    pub service: Key,
    /// Port as written in the backend.
    pub port: PortName,
    /// What the Service is; `None` when there is no such Service.
    pub found: Option<FoundService>,
    /// Raw settings of this backend: class parameters, then the Service's annotations, then the Ingress'.
    pub settings: Settings,
}

/// A Service port by number or by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PortName {
    /// `port.number`.
    Number(Port),
    /// `port.name`.
    Name(String),
}

impl std::fmt::Display for PortName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => write!(f, "{name}"),
        }
    }
}

/// A Service that exists, and the port of it that a backend names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundService {
    /// `metadata.uid`: part of names.
    pub uid: String,
    /// `spec.type`.
    pub kind: ServiceType,
    /// `spec.externalTrafficPolicy: Local`.
    pub local_only: bool,
    /// The port that the backend names.
    pub port: ServicePort,
    /// All ports: health checks may name one of them.
    pub ports: Vec<ServicePort>,
    /// `spec.ipFamilies` contains IPv6 first or alone.
    pub ip_family: IpFamily,
}

/// `spec.type` of a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ServiceType {
    /// Inside only.
    ClusterIP,
    /// With node ports.
    NodePort,
    /// With node ports unless switched off.
    LoadBalancer,
    /// A name elsewhere.
    ExternalName,
}

/// First entry of `spec.ipFamilies`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpFamily {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// One port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServicePort {
    /// Empty when the Service has one port without a name.
    pub name: String,
    /// `port`.
    pub number: Port,
    /// `targetPort`; the port's number when absent.
    pub target: PortName,
    /// `nodePort`.
    pub node: Option<Port>,
    /// Transport.
    pub transport: Transport,
}

/// Transport of a Service port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// TCP.
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    Udp,
    /// SCTP: no provider takes it.
    #[serde(rename = "SCTP")]
    Sctp,
}

/// What a LoadBalancer Service asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct L4Ask {
    /// One backend a port, in the order of `spec.ports`. All name the member itself.
    pub ports: Vec<Backend>,
    /// `spec.loadBalancerSourceRanges`, as written.
    pub source_ranges: Vec<String>,
    /// `spec.healthCheckNodePort`, set when `externalTrafficPolicy` is Local.
    pub health_check_node_port: Option<Port>,
    /// `spec.sessionAffinity: ClientIP`.
    pub client_ip_affinity: bool,
}
