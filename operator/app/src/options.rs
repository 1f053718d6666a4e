//! Flags, named as the peers' where they mean the same.

use std::{collections::BTreeMap, time::Duration};

use clap::{Args, ValueEnum};
use fairway_aws::{
    config::{Config as AwsConfig, Quota, Quotas},
    model::{Scheme, TargetType},
};
use fairway_core::{policy::Policy, read::ReadConfig};
use fairway_dns::{
    DnsConfig,
    config::{TxtNaming, ZoneFilter},
};

/// What an installation is called and where it runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Name of the cluster: part of every name's hash and of every ownership tag.
    #[arg(long, env = "FAIRWAY_CLUSTER_NAME", default_value = "")]
    pub(crate) cluster_name: String,
    /// AWS region. Cluster name, region and VPC go together: without them, nothing is done on AWS.
    #[arg(long, env = "AWS_REGION", default_value = "")]
    pub(crate) aws_region: String,
    /// VPC of the cluster.
    #[arg(long, env = "FAIRWAY_AWS_VPC_ID", default_value = "")]
    pub(crate) aws_vpc_id: String,
    /// Value of the annotation kubernetes.io/ingress.class that is ours.
    #[arg(long, default_value = "alb")]
    pub(crate) ingress_class: String,
    /// `spec.loadBalancerClass` of Services that are ours.
    #[arg(long, default_value = "service.k8s.aws/nlb")]
    pub(crate) load_balancer_class: String,
    /// Lease of an AWS Load Balancer Controller in this cluster, in any namespace. While it is fresh, nothing is done on
    /// AWS. Empty: it is not looked for.
    #[arg(long, default_value = "aws-load-balancer-controller-leader")]
    pub(crate) peer_leader_election_id: String,
    /// Tags put on everything that is made: key=value, repeated or separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = pair)]
    pub(crate) default_tags: Vec<(String, String)>,
    /// Scheme of load balancers that name none.
    #[arg(long, value_enum, default_value = "internal")]
    pub(crate) default_load_balancer_scheme: SchemeWord,
    /// Target type of backends that name none.
    #[arg(long, value_enum, default_value = "instance")]
    pub(crate) default_target_type: TargetWord,
    /// Policy of HTTPS and TLS listeners that name none.
    #[arg(long, default_value = "ELBSecurityPolicy-2016-08")]
    pub(crate) default_ssl_policy: String,
    /// What is switched on or off: name=true or name=false, repeated or separated by commas. EnableCertificateManagement, off by
    /// default: certificates are requested from ACM for Ingresses that ask for it.
    #[arg(long, value_delimiter = ',', value_parser = gate)]
    pub(crate) feature_gates: Vec<(Gate, bool)>,
    /// Private authority that issues the certificates that are requested, for Ingresses that name none. Without one, Amazon
    /// does.
    #[arg(long)]
    pub(crate) default_pca_arn: Option<String>,
    /// No more targets are registered in one target group; 0 is no limit.
    #[arg(long, default_value = "0")]
    pub(crate) max_targets_per_target_group: usize,
    /// How often the health of targets is asked for that a pod waits for, in seconds.
    #[arg(long, default_value = "15", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) targetgroupbinding_requeue_duration: u64,
    /// Load balancers may reach every TCP port of the nodes and pods behind Ingresses, and each port that others ask for has
    /// a rule of its own. Without it, one rule a load balancer source spans the ports that are needed.
    #[arg(long)]
    pub(crate) disable_restricted_sg_rules: bool,
    /// How many AWS allows, in place of what it says of the account: rules=200, repeated or separated by commas. Also
    /// target-groups, listeners, certificates, security-group-rules and security-groups (of a load balancer); of the last two
    /// AWS says nothing.
    #[arg(long, value_delimiter = ',', value_parser = quota)]
    pub(crate) quotas: Vec<(Quota, usize)>,
    /// Owner of the DNS records that are made. Without it, DNS is left alone.
    #[arg(long, env = "FAIRWAY_TXT_OWNER_ID")]
    pub(crate) txt_owner_id: Option<String>,
    /// Prefix of the names of ownership records.
    #[arg(long, default_value = "")]
    pub(crate) txt_prefix: String,
    /// Suffix of the names of ownership records.
    #[arg(long, default_value = "", conflicts_with = "txt_prefix")]
    pub(crate) txt_suffix: String,
    /// What stands for `*` in the names of ownership records.
    #[arg(long, default_value = "")]
    pub(crate) txt_wildcard_replacement: String,
    /// Only these domains are looked at: repeated or separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) domain_filter: Vec<String>,
    /// These domains are left alone.
    #[arg(long, value_delimiter = ',')]
    pub(crate) exclude_domains: Vec<String>,
    /// Only these hosted zones are looked at.
    #[arg(long, value_delimiter = ',')]
    pub(crate) zone_id_filter: Vec<String>,
    /// What may be done: everything, nothing deleted, or nothing at all.
    #[arg(long, value_enum, default_value = "sync")]
    pub(crate) policy: PolicyWord,
    /// At most so many deletions in one pass over one load balancer or zone.
    #[arg(long)]
    pub(crate) max_deletes: Option<u32>,
    /// How often AWS is compared with what was applied, in seconds.
    #[arg(long, default_value = "36000", value_parser = seconds)]
    pub(crate) drift_period: Duration,
    /// How often Secrets that Ingresses name are read again, in seconds.
    #[arg(long, default_value = "60", value_parser = seconds)]
    pub(crate) secrets_period: Duration,
}

/// What can be switched on or off, spelled as the peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    EnableCertificateManagement,
}

/// A scheme.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemeWord {
    Internal,
    InternetFacing,
}

/// A target type.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TargetWord {
    Instance,
    Ip,
}

/// A policy.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PolicyWord {
    /// Create, modify and delete.
    Sync,
    /// Never delete.
    UpsertOnly,
    /// Change nothing.
    Freeze,
}

impl Options {
    /// # Errors
    /// A part of what AWS needs, without the rest. A region alone asks for nothing: it may be the environment's.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let flags = [
            ("--cluster-name", &self.cluster_name),
            ("--aws-region", &self.aws_region),
            ("--aws-vpc-id", &self.aws_vpc_id),
        ];
        let missing: Vec<&str> =
            flags.iter().filter(|(_, word)| word.is_empty()).map(|(flag, _)| *flag).collect();
        let asked = !self.cluster_name.is_empty() || !self.aws_vpc_id.is_empty();
        anyhow::ensure!(
            !asked || missing.is_empty(),
            "AWS needs --cluster-name, --aws-region and --aws-vpc-id together; {} is missing",
            missing.join(" and ")
        );
        Ok(())
    }

    /// Identity and defaults on AWS; `None` when AWS is not configured.
    pub(crate) fn aws(&self) -> Option<AwsConfig> {
        let named =
            [&self.cluster_name, &self.aws_region, &self.aws_vpc_id].iter().all(|word| !word.is_empty());
        named.then(|| AwsConfig {
            default_tags: self.default_tags.iter().cloned().collect::<BTreeMap<_, _>>(),
            default_scheme: match self.default_load_balancer_scheme {
                SchemeWord::Internal => Scheme::Internal,
                SchemeWord::InternetFacing => Scheme::InternetFacing,
            },
            default_target_type: match self.default_target_type {
                TargetWord::Instance => TargetType::Instance,
                TargetWord::Ip => TargetType::Ip,
            },
            default_ssl_policy: self.default_ssl_policy.clone(),
            ingress_class: self.ingress_class.clone(),
            load_balancer_class: self.load_balancer_class.clone(),
            max_targets: self.max_targets_per_target_group,
            health_period: self.targetgroupbinding_requeue_duration,
            restricted_ports: !self.disable_restricted_sg_rules,
            quotas: Quotas::default().raised(&self.quotas),
            dns: self.txt_owner_id.is_some(),
            request_certificates: self.is_on(Gate::EnableCertificateManagement),
            default_authority: self.default_pca_arn.clone().filter(|arn| !arn.is_empty()),
            ..AwsConfig::new(&self.cluster_name, &self.aws_region, &self.aws_vpc_id)
        })
    }

    /// As it was said last; off when nothing was.
    fn is_on(&self, gate: Gate) -> bool {
        self.feature_gates.iter().rev().find(|(known, _)| *known == gate).is_some_and(|(_, on)| *on)
    }

    /// How objects are read.
    pub(crate) fn read(&self) -> ReadConfig {
        ReadConfig {
            ingress_class: self.ingress_class.clone(),
            load_balancer_class: self.load_balancer_class.clone(),
        }
    }

    /// Whose records are ours.
    pub(crate) fn dns(&self) -> DnsConfig {
        DnsConfig {
            owner: self.txt_owner_id.clone(),
            naming: TxtNaming {
                prefix: self.txt_prefix.clone(),
                suffix: self.txt_suffix.clone(),
                wildcard: self.txt_wildcard_replacement.clone(),
            },
            filter: ZoneFilter {
                domains: self.domain_filter.clone(),
                excluded: self.exclude_domains.clone(),
                zone_ids: self.zone_id_filter.clone(),
                ..ZoneFilter::default()
            },
            ..DnsConfig::default()
        }
    }

    /// What may be applied.
    pub(crate) const fn policy(&self) -> Policy {
        Policy {
            freeze: matches!(self.policy, PolicyWord::Freeze),
            no_deletes: matches!(self.policy, PolicyWord::UpsertOnly),
            max_deletes: self.max_deletes,
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not key=value"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn gate(text: &str) -> Result<(Gate, bool), String> {
    let (name, on) = pair(text)?;
    let gate = match name.as_str() {
        "EnableCertificateManagement" => Gate::EnableCertificateManagement,
        _ => return Err(format!("{name:?} is no feature gate; there is EnableCertificateManagement")),
    };
    let on = on.to_lowercase().parse().map_err(|_| format!("{on:?} is neither true nor false"))?;
    Ok((gate, on))
}

fn quota(text: &str) -> Result<(Quota, usize), String> {
    let (name, number) = pair(text)?;
    let known = Quota::ALL.into_iter().find(|quota| quota.as_str() == name);
    let names = Quota::ALL.map(Quota::as_str).join(", ");
    let quota = known.ok_or_else(|| format!("{name:?} is no quota; there are {names}"))?;
    let number = number.parse().map_err(|_| format!("{number:?} is not a number"))?;
    Ok((quota, number))
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| format!("{text:?} is not a number of seconds"))
}
