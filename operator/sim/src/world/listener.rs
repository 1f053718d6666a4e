//! Listeners: ports, protocols, certificates, default actions.

use fairway_aws::model::{Action, Attributes, ClientCertificates, ListenerProtocol, LoadBalancerKind, Tags};

use super::{Answered, Aws, attributes, refuse, tag, unless};

/// Source: CreateListener, SslPolicy.
const DEFAULT_POLICY: &str = "ELBSecurityPolicy-2016-08";
const POLICIES: [&str; 4] = [
    DEFAULT_POLICY,
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
];

/// What is asked for at creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerAsk {
    /// ARN.
    pub load_balancer: String,
    /// 1 to 65535.
    pub port: u16,
    /// Protocol.
    pub protocol: ListenerProtocol,
    /// In order.
    pub default_actions: Vec<Action>,
    /// HTTPS and TLS only.
    pub ssl_policy: Option<String>,
    /// The default certificate. HTTPS and TLS only.
    pub certificate: Option<String>,
    /// TLS only.
    pub alpn_policy: Option<String>,
    /// HTTPS only.
    pub client_certificates: Option<ClientCertificates>,
    /// Tags.
    pub tags: Tags,
}

/// What is changed; the rest stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListenerChange {
    /// Port.
    pub port: Option<u16>,
    /// Protocol.
    pub protocol: Option<ListenerProtocol>,
    /// In order.
    pub default_actions: Option<Vec<Action>>,
    /// Policy.
    pub ssl_policy: Option<String>,
    /// The default certificate.
    pub certificate: Option<String>,
    /// ALPN.
    pub alpn_policy: Option<String>,
    /// Client certificates.
    pub client_certificates: Option<ClientCertificates>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerRow {
    /// ARN.
    pub arn: String,
    /// ARN of its load balancer.
    pub load_balancer: String,
    /// Port.
    pub port: u16,
    /// Protocol.
    pub protocol: ListenerProtocol,
    /// In order.
    pub default_actions: Vec<Action>,
    /// HTTPS and TLS only.
    pub ssl_policy: Option<String>,
    /// The default first.
    pub certificates: Vec<String>,
    /// TLS only.
    pub alpn_policy: Option<String>,
    /// HTTPS only.
    pub client_certificates: Option<ClientCertificates>,
    /// All.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
}

fn encrypted(protocol: ListenerProtocol) -> bool {
    matches!(protocol, ListenerProtocol::Https | ListenerProtocol::Tls)
}

fn fits(kind: LoadBalancerKind, protocol: ListenerProtocol) -> bool {
    let http = matches!(protocol, ListenerProtocol::Http | ListenerProtocol::Https);
    http == (kind == LoadBalancerKind::Application)
}

/// TCP (or TLS) and UDP may stand on one port.
fn share_a_port(one: ListenerProtocol, other: ListenerProtocol) -> bool {
    let udp = |protocol| protocol == ListenerProtocol::Udp;
    let stream = |protocol| matches!(protocol, ListenerProtocol::Tcp | ListenerProtocol::Tls);
    (udp(one) && stream(other)) || (stream(one) && udp(other))
}

impl Aws {
    /// CreateListener: succeeds again with equal settings.
    ///
    /// # Errors
    /// `DuplicateListener`, `LoadBalancerNotFound`, and what is wrong with protocol, certificate or actions.
    pub fn create_listener(&mut self, mut ask: ListenerAsk) -> Answered<ListenerRow> {
        let kind = self.balancer(&ask.load_balancer)?.kind;
        if encrypted(ask.protocol) {
            ask.ssl_policy.get_or_insert_with(|| DEFAULT_POLICY.to_owned());
        } else {
            (ask.ssl_policy, ask.certificate) = (None, None);
        }
        let row = ListenerRow {
            arn: String::new(),
            certificates: ask.certificate.into_iter().collect(),
            attributes: attributes::of_listener(ask.protocol),
            load_balancer: ask.load_balancer,
            port: ask.port,
            protocol: ask.protocol,
            default_actions: ask.default_actions,
            ssl_policy: ask.ssl_policy,
            alpn_policy: ask.alpn_policy,
            client_certificates: ask.client_certificates,
            tags: ask.tags,
        };
        self.listener_is_valid(kind, &row)?;
        tag::check(&row.tags)?;
        if let Some(other) = self.on_same_port(&row) {
            let identity = |row: &ListenerRow| {
                let default = row.certificates.first().cloned();
                (row.protocol, row.default_actions.clone(), row.ssl_policy.clone(), default)
            };
            return match identity(other) == identity(&row) {
                true => Ok(other.clone()),
                false => {
                    refuse("DuplicateListener", format!("a listener already exists on port {}", row.port))
                }
            };
        }
        let parent = row.load_balancer.replace(":loadbalancer/", ":listener/");
        let row = ListenerRow { arn: format!("{parent}/{:016x}", self.next()), ..row };
        self.listeners.insert(row.arn.clone(), row.clone());
        Ok(row)
    }

    /// ModifyListener: what is given; additional certificates stay.
    ///
    /// # Errors
    /// `ListenerNotFound`, and as at creation.
    pub fn modify_listener(&mut self, arn: &str, change: ListenerChange) -> Answered<ListenerRow> {
        let before = self.listener(arn)?.clone();
        let mut row = before.clone();
        row.port = change.port.unwrap_or(row.port);
        row.protocol = change.protocol.unwrap_or(row.protocol);
        row.default_actions = change.default_actions.unwrap_or(row.default_actions);
        row.ssl_policy = change.ssl_policy.or(row.ssl_policy);
        row.alpn_policy = change.alpn_policy.or(row.alpn_policy);
        row.client_certificates = change.client_certificates.or(row.client_certificates);
        if let Some(default) = change.certificate {
            let others = row.certificates.into_iter().skip(1).filter(|arn| *arn != default);
            row.certificates = std::iter::once(default.clone()).chain(others).collect();
        }
        if !encrypted(row.protocol) {
            (row.ssl_policy, row.certificates) = (None, Vec::new());
        }
        if row.protocol != before.protocol {
            row.attributes = attributes::of_listener(row.protocol);
        }
        let kind = self.balancer(&row.load_balancer)?.kind;
        self.listener_is_valid(kind, &row)?;
        unless(self.on_same_port(&row).is_none(), "DuplicateListener", "the port is taken")?;
        self.listeners.insert(arn.to_owned(), row.clone());
        Ok(row)
    }

    /// DeleteListener; its rules go with it.
    ///
    /// # Errors
    /// `ListenerNotFound`; `ResourceInUse` while a target group has it as its target.
    pub fn delete_listener(&mut self, arn: &str) -> Answered<()> {
        let row = self.listener(arn)?;
        let target = self.is_target(&row.load_balancer, Some(row.port));
        unless(!target, "ResourceInUse", "the listener's port is in use by a registered target")?;
        self.listeners.remove(arn);
        self.rules.retain(|_, rule| rule.listener != arn);
        Ok(())
    }

    /// AddListenerCertificates.
    ///
    /// # Errors
    /// `ListenerNotFound`, `CertificateNotFound`, `TooManyCertificates`.
    pub fn add_certificates(&mut self, arn: &str, certificates: &[String]) -> Answered<()> {
        self.certificates_exist(certificates)?;
        let row = self.listener_mut(arn)?;
        let new: Vec<String> =
            certificates.iter().filter(|arn| !row.certificates.contains(arn)).cloned().collect();
        unless(
            row.certificates.len() + new.len() <= 26,
            "TooManyCertificates",
            "at most 25 beside the default",
        )?;
        row.certificates.extend(new);
        Ok(())
    }

    /// RemoveListenerCertificates.
    ///
    /// # Errors
    /// `ListenerNotFound`; `OperationNotPermitted` for the default certificate.
    pub fn remove_certificates(&mut self, arn: &str, certificates: &[String]) -> Answered<()> {
        let row = self.listener_mut(arn)?;
        let default = row.certificates.first().is_some_and(|default| certificates.contains(default));
        unless(!default, "OperationNotPermitted", "the default certificate cannot be removed")?;
        row.certificates.retain(|arn| !certificates.contains(arn));
        Ok(())
    }

    /// ModifyListenerAttributes: all or none.
    ///
    /// # Errors
    /// `ListenerNotFound`, `InvalidConfigurationRequest`.
    pub fn modify_listener_attributes(&mut self, arn: &str, changes: &Attributes) -> Answered<()> {
        attributes::change(&mut self.listener_mut(arn)?.attributes, changes)
    }

    /// One listener.
    ///
    /// # Errors
    /// `ListenerNotFound`.
    pub fn listener(&self, arn: &str) -> Answered<&ListenerRow> {
        self.listeners.get(arn).map_or_else(|| refuse("ListenerNotFound", arn), Ok)
    }

    /// Listeners of one load balancer.
    pub fn listeners_of<'a>(&'a self, balancer: &'a str) -> impl Iterator<Item = &'a ListenerRow> {
        self.listeners.values().filter(move |row| row.load_balancer == balancer)
    }

    fn listener_mut(&mut self, arn: &str) -> Answered<&mut ListenerRow> {
        self.listeners.get_mut(arn).map_or_else(|| refuse("ListenerNotFound", arn), Ok)
    }

    fn on_same_port(&self, row: &ListenerRow) -> Option<&ListenerRow> {
        self.listeners.values().find(|other| {
            other.load_balancer == row.load_balancer
                && other.arn != row.arn
                && other.port == row.port
                && !share_a_port(other.protocol, row.protocol)
        })
    }

    fn listener_is_valid(&self, kind: LoadBalancerKind, row: &ListenerRow) -> Answered<()> {
        unless(fits(kind, row.protocol), "ValidationError", "the protocol does not fit the load balancer")?;
        unless(row.port > 0, "ValidationError", "the port must be between 1 and 65535")?;
        if encrypted(row.protocol) {
            unless(!row.certificates.is_empty(), "ValidationError", "a certificate must be specified")?;
            self.certificates_exist(&row.certificates)?;
            let known = row.ssl_policy.as_deref().is_some_and(|policy| POLICIES.contains(&policy));
            unless(known, "SSLPolicyNotFound", "the policy does not exist")?;
        }
        if let Some(ClientCertificates::Verify { trust_store, .. }) = &row.client_certificates {
            let known = self.trust_stores.values().any(|known| known == trust_store);
            unless(known, "TrustStoreNotFound", "the trust store does not exist")?;
        }
        self.actions_are_valid(&row.load_balancer, row.protocol, &row.default_actions)
    }
}
