//! Identity and defaults of one installation, as flags and chart values set them.

use serde::{Deserialize, Serialize};

use crate::model::{Scheme, TargetType};

/// What does not change while the process runs. Part of names, tags and defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// `--cluster-name`: part of every name's hash and of every ownership tag.
    pub cluster: String,
    /// `--aws-region`.
    pub region: String,
    /// `--aws-vpc-id`.
    pub vpc: String,
    /// `--default-tags`, put on everything that is made.
    pub default_tags: std::collections::BTreeMap<String, String>,
    /// `--default-load-balancer-scheme`.
    pub default_scheme: Scheme,
    /// `--default-target-type`.
    pub default_target_type: TargetType,
    /// `--default-ssl-policy`.
    pub default_ssl_policy: String,
    /// `--ingress-class`: value of the `kubernetes.io/ingress.class` annotation that is ours.
    pub ingress_class: String,
    /// `--load-balancer-class`.
    pub load_balancer_class: String,
    /// `--max-targets-per-target-group`: no more are registered in one group; 0 is no limit.
    pub max_targets: usize,
    /// `--targetgroupbinding-requeue-duration`, seconds: how often the health of targets is asked for that a pod waits
    /// for.
    pub health_period: u64,
    /// Whether load balancers reach only the ports of nodes and pods that are needed; not so with
    /// `--disable-restricted-sg-rules`.
    pub restricted_ports: bool,
    /// `--quotas`: how many of what AWS allows.
    pub quotas: Quotas,
    /// Whether DNS is on: then a load balancer goes only after no record points at it, and the records that ACM looks for are
    /// made.
    pub dns: bool,
    /// `--feature-gates EnableCertificateManagement=true`: whether certificates are requested from ACM.
    pub request_certificates: bool,
    /// `--default-pca-arn`: who issues requested certificates; `None`: Amazon.
    pub default_authority: Option<String>,
}

impl Config {
    /// The peer's defaults for a cluster in a VPC.
    #[must_use]
    pub fn new(cluster: &str, region: &str, vpc: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            region: region.to_owned(),
            vpc: vpc.to_owned(),
            default_tags: std::collections::BTreeMap::new(),
            default_scheme: Scheme::Internal,
            default_target_type: TargetType::Instance,
            default_ssl_policy: "ELBSecurityPolicy-2016-08".to_owned(),
            ingress_class: "alb".to_owned(),
            load_balancer_class: "service.k8s.aws/nlb".to_owned(),
            max_targets: 0,
            health_period: 15,
            restricted_ports: true,
            quotas: Quotas::default(),
            dns: false,
            request_certificates: false,
            default_authority: None,
        }
    }
}

/// What AWS allows so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quota {
    /// Rules of a load balancer, without default ones.
    Rules,
    /// Target groups of a load balancer.
    TargetGroups,
    /// Listeners of a load balancer.
    Listeners,
    /// Certificates of a listener, without the default one.
    Certificates,
    /// Rules of a security group.
    SecurityGroupRules,
    /// Security groups of a load balancer.
    SecurityGroups,
}

impl Quota {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Rules,
        Self::TargetGroups,
        Self::Listeners,
        Self::Certificates,
        Self::SecurityGroupRules,
        Self::SecurityGroups,
    ];

    /// As flags spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::TargetGroups => "target-groups",
            Self::Listeners => "listeners",
            Self::Certificates => "certificates",
            Self::SecurityGroupRules => "security-group-rules",
            Self::SecurityGroups => "security-groups",
        }
    }

    /// What AWS grants without being asked.
    const fn granted(self) -> usize {
        match self {
            Self::Rules | Self::TargetGroups => 100,
            Self::Listeners => 50,
            Self::Certificates => 25,
            Self::SecurityGroupRules => 60,
            Self::SecurityGroups => 5,
        }
    }
}

/// How many AWS allows: what an account was granted above what every account has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotas(std::collections::BTreeMap<Quota, usize>);

impl Quotas {
    /// These, with others in their place.
    #[must_use]
    pub fn raised(mut self, to: &[(Quota, usize)]) -> Self {
        self.0.extend(to.iter().copied());
        self
    }

    /// How many security groups of a load balancer are managed ones: one place is the shared group's.
    #[must_use]
    pub fn managed_security_groups(&self) -> usize {
        self.most(Quota::SecurityGroups).saturating_sub(1).max(1)
    }

    /// How many.
    #[must_use]
    pub fn most(&self, quota: Quota) -> usize {
        self.0.get(&quota).copied().unwrap_or_else(|| quota.granted())
    }
}
