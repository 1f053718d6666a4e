//! Identities: objects, stacks, units and the small network words, each parsed once at the edge.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A kind of Kubernetes object that something can be said about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// networking.k8s.io/v1 Ingress.
    Ingress,
    /// v1 Service.
    Service,
    /// networking.k8s.io/v1 IngressClass.
    IngressClass,
    /// elbv2.k8s.aws/v1beta1 IngressClassParams.
    IngressClassParams,
    /// elbv2.k8s.aws/v1beta1 TargetGroupBinding.
    TargetGroupBinding,
    /// metallb.io/v1beta1 IPAddressPool.
    IpAddressPool,
    /// v1 Node.
    Node,
    /// v1 Secret, by name only.
    Secret,
    /// fairway.dev/v1alpha1 LoadBalancerState.
    LoadBalancerState,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Ingress,
        Self::Service,
        Self::IngressClass,
        Self::IngressClassParams,
        Self::TargetGroupBinding,
        Self::IpAddressPool,
        Self::Node,
        Self::Secret,
        Self::LoadBalancerState,
    ];

    /// The kind as manifests spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Service => "Service",
            Self::IngressClass => "IngressClass",
            Self::IngressClassParams => "IngressClassParams",
            Self::TargetGroupBinding => "TargetGroupBinding",
            Self::IpAddressPool => "IPAddressPool",
            Self::Node => "Node",
            Self::Secret => "Secret",
            Self::LoadBalancerState => "LoadBalancerState",
        }
    }
}

/// Namespace and name; the namespace is empty for cluster-scoped objects. Orders by namespace, then by name, which is
/// not quite the order of the strings `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Empty when cluster-scoped.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl Key {
    /// A namespaced key.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key of a cluster-scoped object.
    #[must_use]
    pub fn cluster(name: &str) -> Self {
        Self::new("", name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}", self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// One object, as errors, events and plans name it: `Ingress default/shop`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRef {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    #[serde(flatten)]
    pub key: Key,
}

impl ObjectRef {
    /// An object of `kind`.
    #[must_use]
    pub fn new(kind: Kind, key: Key) -> Self {
        Self { kind, key }
    }
}

impl ObjectRef {
    /// The object whose `Display` this is: `Ingress default/shop`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ')?;
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        Some(Self::new(kind, Key::new(namespace, name)))
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.key)
    }
}

/// Who builds load balancers for a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// Elastic Load Balancing.
    Aws,
    /// Fairway's own data plane.
    InCluster,
}

impl ProviderKind {
    /// Stable spelling, as in `LoadBalancerState.spec.provider`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::InCluster => "in-cluster",
        }
    }
}

/// What makes members belong together, apart from the provider that serves them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackKey {
    /// An explicit group of Ingresses; cluster-wide.
    Group(String),
    /// One Ingress of its own.
    Ingress(Key),
    /// One Service of its own.
    Service(Key),
}

/// One load balancer and all it owns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StackId {
    /// Who builds it.
    pub provider: ProviderKind,
    /// Whose it is.
    pub key: StackKey,
}

impl StackId {
    /// A stack of `provider`.
    #[must_use]
    pub fn new(provider: ProviderKind, key: StackKey) -> Self {
        Self { provider, key }
    }

    /// The group id of the peers: the group's name, or `namespace/name`. Value of the stack tag.
    #[must_use]
    pub fn group_id(&self) -> String {
        match &self.key {
            StackKey::Group(name) => name.clone(),
            StackKey::Ingress(key) | StackKey::Service(key) => key.to_string(),
        }
    }

    /// The stack whose `Display` this is: `aws:group:shop`, `in-cluster:ingress:default/web`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, rest) = text.split_once(':')?;
        let (kind, name) = rest.split_once(':')?;
        let provider =
            [ProviderKind::Aws, ProviderKind::InCluster].into_iter().find(|p| p.as_str() == provider)?;
        let key = || name.split_once('/').map(|(namespace, name)| Key::new(namespace, name));
        let key = match kind {
            "group" => StackKey::Group(name.to_owned()),
            "ingress" => StackKey::Ingress(key()?),
            "service" => StackKey::Service(key()?),
            _ => return None,
        };
        Some(Self::new(provider, key))
    }

    /// Name of the stack's `LoadBalancerState`: a DNS label that no other stack shares.
    #[must_use]
    pub fn state_name(&self) -> String {
        let kind = match &self.key {
            StackKey::Group(_) => "group",
            StackKey::Ingress(_) => "ingress",
            StackKey::Service(_) => "service",
        };
        let digest = hex(&Sha256::digest(format!("{}\n{kind}\n{}", self.provider.as_str(), self.group_id())));
        format!("{}-{kind}-{}", self.provider.as_str(), digest.get(..16).unwrap_or_default())
    }
}

impl fmt::Display for StackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.key {
            StackKey::Group(_) => "group",
            StackKey::Ingress(_) => "ingress",
            StackKey::Service(_) => "service",
        };
        write!(f, "{}:{kind}:{}", self.provider.as_str(), self.group_id())
    }
}

/// A TCP or UDP port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Port(u16);

impl Port {
    /// Port 80.
    pub const HTTP: Self = Self(80);
    /// Port 443.
    pub const HTTPS: Self = Self(443);

    /// `None` for 0 and for what does not fit in 16 bits.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        u16::try_from(number).ok().filter(|number| *number != 0).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Port {
    type Error = String;

    fn try_from(number: u16) -> Result<Self, String> {
        Self::new(i64::from(number)).ok_or_else(|| "0 is not a port".to_owned())
    }
}

impl From<Port> for u16 {
    fn from(port: Port) -> Self {
        port.0
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Lower-case hex of some bytes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lower-case hex of the SHA-256 of `parts`, put one after the other without separators.
#[must_use]
pub fn sha256_hex<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    parts.into_iter().for_each(|part| digest.update(part.as_bytes()));
    hex(&digest.finalize())
}
