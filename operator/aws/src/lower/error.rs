//! Why a member, or a whole stack, cannot be lowered.

use fairway_core::{
    class::{Class, Classified},
    ids::{Key, ObjectRef},
    settings::Unreadable,
};

use crate::ownership::Taken;

/// Why something cannot be lowered. Sentences use the words of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LowerError {
    /// A value that its row cannot read.
    #[error("{0}")]
    Unreadable(Box<Unreadable>),
    /// Two members of one group ask for different things.
    #[error("{key}: {value} contradicts {first_value}, which {first} asks for")]
    Disagree {
        /// Key as written by the later member.
        key: String,
        /// What the later member asks for.
        value: String,
        /// What the earlier one asks for.
        first_value: String,
        /// The earlier one.
        first: ObjectRef,
    },
    /// Two members use one port with different protocols.
    #[error("port {port} is {protocol} here, but {first_protocol} for {first}")]
    ProtocolClash {
        /// The port.
        port: u16,
        /// Of the later member.
        protocol: &'static str,
        /// Of the earlier one.
        first_protocol: &'static str,
        /// The earlier one.
        first: ObjectRef,
    },
    /// Two members have a default backend on one port.
    #[error("spec.defaultBackend: port {port} already has the default backend of {first}")]
    TwoDefaults {
        /// The port.
        port: u16,
        /// Who has it.
        first: ObjectRef,
    },
    /// Discovery found too few subnets.
    #[error("no suitable subnets for an {scheme} load balancer: {}", reasons(candidates))]
    NoSubnets {
        /// `internal` or `internet-facing`.
        scheme: &'static str,
        /// One entry a subnet: which, and why it was refused.
        candidates: Vec<String>,
    },
    /// A subnet that was asked for does not exist.
    #[error("no subnet {0:?} in the VPC")]
    SubnetNotFound(String),
    /// The subnets that were asked for cannot be used together.
    #[error("the subnets cannot be used: {0}")]
    BadSubnets(String),
    /// A certificate that was asked for does not exist.
    #[error("there is no certificate {0}")]
    CertificateNotFound(String),
    /// A certificate that was asked for has not been issued.
    #[error("certificate {0} is not issued yet")]
    CertificatePending(String),
    /// A rule that goes on to forward to the targets it had.
    #[error("requests go where they went: no target of target group {0} is healthy yet")]
    TargetsUnhealthy(String),
    /// No certificate matches a host.
    #[error("no certificate matches host {0}")]
    NoCertificate(String),
    /// There is no host from which a certificate could be found, and no other member brings one.
    #[error("a listener is HTTPS, but there is neither a certificate ARN nor a host to find one by")]
    NoHost,
    /// A trust store that was asked for does not exist.
    #[error("mutual-authentication: there is no trust store {0}")]
    TrustStoreNotFound(String),
    /// A web ACL that was asked for by name does not exist.
    #[error("wafv2-acl-name: there is no regional web ACL of the name {0}")]
    WebAclNotFound(String),
    /// The account cannot have protections.
    #[error("shield-advanced-protection: the account has no subscription of Shield Advanced")]
    NoShield,
    /// A setting that is fixed when a load balancer is made.
    #[error(
        "customer-owned-ipv4-pool is fixed when a load balancer is made, and {name} was made with {made}"
    )]
    PoolIsFixed {
        /// The load balancer.
        name: String,
        /// What it was made with.
        made: String,
    },
    /// Elastic addresses are public.
    #[error(
        "frontend-nlb-eip-allocations is for frontend-nlb-scheme internet-facing, and the scheme is internal"
    )]
    AddressesOfInternal,
    /// Each subnet takes one elastic address.
    #[error(
        "frontend-nlb-eip-allocations names {addresses} addresses for {subnets} subnets, and one a subnet is needed"
    )]
    AddressCount {
        /// How many addresses there are.
        addresses: usize,
        /// How many subnets there are.
        subnets: usize,
    },
    /// A setting that is fixed when a load balancer is made.
    #[error(
        "frontend-nlb-eip-allocations is fixed when a load balancer is made, and {name} was made with {made}"
    )]
    AddressesAreFixed {
        /// The load balancer.
        name: String,
        /// What it was made with.
        made: String,
    },
    /// A security group that was asked for does not exist, or the name is not unique.
    #[error("{found} security groups match {name:?}, one is needed")]
    SecurityGroupNotFound {
        /// Id or name as written.
        name: String,
        /// How many match.
        found: usize,
    },
    /// Nodes do not answer for the target optimizer's agent.
    #[error(
        "target-control-port is for target type ip, and port {port} of Service {service} is reached through nodes"
    )]
    ControlPortOfNodes {
        /// The Service.
        service: Key,
        /// The port, as written.
        port: String,
    },
    /// A node port is needed and there is none.
    #[error("target type instance needs a node port, and port {port} of Service {service} has none")]
    NoNodePort {
        /// The Service.
        service: Key,
        /// The port, as written.
        port: String,
    },
    /// A Service of type ExternalName has no targets.
    #[error("Service {0} is of type ExternalName, which has no targets")]
    ExternalName(Key),
    /// `*` and `?` have a meaning that these path types cannot express.
    #[error("path {0:?}: `*` and `?` cannot be used with pathType Exact or Prefix")]
    PathWildcard(String),
    /// One rule cannot take both.
    #[error(
        "path {path:?}: the {what} is given as a pattern and as a regular expression, and a rule takes one of them"
    )]
    MixedMatch {
        /// The path whose rule it is.
        path: String,
        /// `host` or `path`.
        what: &'static str,
    },
    /// A condition value that AWS does not take.
    #[error("condition value {value:?} has {length} characters, and a rule takes at most 128")]
    ValueTooLong {
        /// The value.
        value: String,
        /// Its characters.
        length: usize,
    },
    /// More than one value is needed of too many conditions, so that no several rules can stand for it.
    #[error("path {path:?} needs {number} conditions at once, and a rule takes at most 5")]
    TooManyConditions {
        /// The path whose rule it is.
        path: String,
        /// How many.
        number: usize,
    },
    /// One value of each condition has too many wildcards already.
    #[error("path {path:?} needs {number} wildcards at once, and a rule takes at most 6")]
    TooManyWildcards {
        /// The path whose rule it is.
        path: String,
        /// How many.
        number: usize,
    },
    /// A Secret that was asked for does not exist.
    #[error("{at} names Secret {secret}, which does not exist")]
    SecretNotFound {
        /// Where it is named.
        at: &'static str,
        /// The Secret.
        secret: Key,
    },
    /// The stack's own certificate for an Ingress.
    #[error(transparent)]
    Request(#[from] super::RequestError),
    /// The certificate of a Secret is not valid any more.
    #[error("spec.tls names Secret {0}, whose certificate has expired")]
    CertificateExpired(Key),
    /// A Secret does not hold what it is asked for.
    #[error("{at} names Secret {secret}, which {problem}")]
    SecretUnusable {
        /// Where it is named.
        at: &'static str,
        /// The Secret.
        secret: Key,
        /// Such as `has no entry clientID`.
        problem: String,
    },
    /// A target group that was asked for by name does not exist.
    #[error("there is no target group {0}")]
    TargetGroupNotFound(String),
    /// One forward names a target group twice.
    #[error("one forward names target group {0} twice")]
    TargetTwice(String),
    /// A health check port that is no number and no port of the Service.
    #[error("health check port {port:?} is neither a number nor a usable port of Service {service}")]
    HealthCheckPort {
        /// As written.
        port: String,
        /// The Service.
        service: Key,
    },
    /// `ssl-redirect` names a port that no HTTPS listener has.
    #[error("ssl-redirect names port {0}, which is no HTTPS listener of this load balancer")]
    RedirectToNothing(u16),
    /// A name that AWS does not take.
    #[error("load balancer name {0:?} is longer than 32 characters")]
    NameTooLong(String),
    /// A protocol that load balancers do not take.
    #[error("port {0} is SCTP, which no load balancer of AWS passes on")]
    Sctp(u16),
    /// Two ports of one Service with one number.
    #[error("port {0} is there twice, as TCP and as UDP; one listener cannot be both")]
    PortTwice(u16),
    /// `ssl-ports` names a port that the Service does not have.
    #[error("ssl-ports names {0:?}, which is no port of the Service")]
    NoSuchSslPort(String),
    /// More than AWS allows.
    #[error("{needed} {what} are needed with it, and {most} is the most (quota {quota})")]
    LimitExceeded {
        /// What there would be too many of.
        what: String,
        /// How many there would be.
        needed: usize,
        /// How many there can be.
        most: usize,
        /// Name of the quota, as the flag has it.
        quota: &'static str,
    },
    /// The name belongs to something that is not ours.
    #[error(transparent)]
    NameTaken(Taken),
    /// It has the recorded id and nobody else's tags, but not all of ours.
    #[error(
        "{kind} {name} was made for this object and has lost its tag {tag}; nothing of this load balancer is changed until the tag is back"
    )]
    MarkLost {
        /// What it is.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Key of the tag.
        tag: String,
    },
    /// A port of our load balancer has a listener that is not ours.
    #[error("port {port} of load balancer {name} has a listener that is not ours")]
    PortTaken {
        /// The load balancer.
        name: String,
        /// The port.
        port: u16,
    },
    /// Nobody asks for it any more, and it may not be deleted.
    #[error(
        "load balancer {name} has deletion protection (deletion_protection.enabled): it stays with all that belongs to \
         it, its records too, until that is switched off in AWS"
    )]
    DeletionProtected {
        /// The load balancer.
        name: String,
    },
    /// A setting that is fixed when a load balancer is made, under a name that is fixed too.
    #[error("load balancer {name} has to be made anew for this change, which its fixed name prevents")]
    NameInTheWay {
        /// The fixed name.
        name: String,
    },
}

impl From<Box<Unreadable>> for LowerError {
    fn from(error: Box<Unreadable>) -> Self {
        Self::Unreadable(error)
    }
}

impl Classified for LowerError {
    fn class(&self) -> Class {
        match self {
            Self::Request(error) => error.class(),
            Self::Unreadable(_)
            | Self::BadSubnets(_)
            | Self::NoHost
            | Self::ControlPortOfNodes { .. }
            | Self::NoNodePort { .. }
            | Self::ExternalName(_)
            | Self::PathWildcard(_)
            | Self::MixedMatch { .. }
            | Self::ValueTooLong { .. }
            | Self::TooManyConditions { .. }
            | Self::TooManyWildcards { .. }
            | Self::TargetTwice(_)
            | Self::SecretNotFound { .. }
            | Self::CertificateExpired(_)
            | Self::SecretUnusable { .. }
            | Self::HealthCheckPort { .. }
            | Self::RedirectToNothing(_)
            | Self::NameTooLong(_)
            | Self::Sctp(_)
            | Self::PortTwice(_)
            | Self::NoSuchSslPort(_)
            | Self::AddressesOfInternal
            | Self::AddressCount { .. }
            | Self::AddressesAreFixed { .. }
            | Self::PoolIsFixed { .. } => Class::Invalid,
            Self::Disagree { .. }
            | Self::ProtocolClash { .. }
            | Self::TwoDefaults { .. }
            | Self::NameTaken(_)
            | Self::MarkLost { .. }
            | Self::PortTaken { .. }
            | Self::NameInTheWay { .. } => Class::Conflict,
            Self::NoSubnets { .. }
            | Self::SubnetNotFound(_)
            | Self::CertificateNotFound(_)
            | Self::NoCertificate(_)
            | Self::TargetGroupNotFound(_)
            | Self::TrustStoreNotFound(_)
            | Self::WebAclNotFound(_)
            | Self::NoShield
            | Self::LimitExceeded { .. }
            | Self::DeletionProtected { .. }
            | Self::SecurityGroupNotFound { .. } => Class::Environment,
            Self::CertificatePending(_) | Self::TargetsUnhealthy(_) => Class::Pending,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(error) => error.code(),
            Self::Request(error) => error.code(),
            Self::Disagree { .. } => "ConflictingSetting",
            Self::ProtocolClash { .. } => "ConflictingProtocol",
            Self::TwoDefaults { .. } => "ConflictingDefaultBackend",
            Self::NoSubnets { .. } => "NoSubnets",
            Self::SubnetNotFound(_) => "SubnetNotFound",
            Self::BadSubnets(_) => "InvalidSubnets",
            Self::CertificateNotFound(_) | Self::NoCertificate(_) => "CertificateNotFound",
            Self::CertificatePending(_) => "CertificatePending",
            Self::TargetsUnhealthy(_) => "WaitingForTargets",
            Self::NoHost => "NoCertificateHost",
            Self::TrustStoreNotFound(_) => "TrustStoreNotFound",
            Self::WebAclNotFound(_) => "WebAclNotFound",
            Self::NoShield => "NoShieldAdvanced",
            Self::PoolIsFixed { .. } => "AddressPoolFixed",
            Self::AddressesOfInternal | Self::AddressCount { .. } => "InvalidElasticAddresses",
            Self::AddressesAreFixed { .. } => "ElasticAddressesFixed",
            Self::SecurityGroupNotFound { .. } => "SecurityGroupNotFound",
            Self::ControlPortOfNodes { .. } => "ControlPortOfNodes",
            Self::NoNodePort { .. } => "NoNodePort",
            Self::ExternalName(_) => "ExternalNameBackend",
            Self::PathWildcard(_) => "InvalidPath",
            Self::MixedMatch { .. } | Self::ValueTooLong { .. } => "InvalidCondition",
            Self::TooManyConditions { .. } | Self::TooManyWildcards { .. } => "TooManyConditions",
            Self::TargetGroupNotFound(_) => "TargetGroupNotFound",
            Self::SecretNotFound { .. } => "SecretNotFound",
            Self::CertificateExpired(_) => "CertificateExpired",
            Self::SecretUnusable { .. } => "SecretUnusable",
            Self::TargetTwice(_) => "InvalidForward",
            Self::LimitExceeded { .. } => "LimitExceeded",
            Self::HealthCheckPort { .. } => "InvalidHealthCheckPort",
            Self::RedirectToNothing(_) => "InvalidSslRedirect",
            Self::NameTooLong(_) => "InvalidName",
            Self::Sctp(_) => "UnsupportedProtocol",
            Self::PortTwice(_) => "PortTwice",
            Self::NoSuchSslPort(_) => "InvalidSslPorts",
            Self::NameTaken(error) => error.code(),
            Self::MarkLost { .. } => "OwnershipTagMissing",
            Self::PortTaken { .. } => "PortTaken",
            Self::NameInTheWay { .. } => "ReplacementBlocked",
            Self::DeletionProtected { .. } => "DeletionProtected",
        }
    }
}

fn reasons(candidates: &[String]) -> String {
    if candidates.is_empty() { "the VPC has none".to_owned() } else { candidates.join("; ") }
}
