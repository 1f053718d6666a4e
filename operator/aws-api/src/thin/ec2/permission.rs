//! What a security group lets in.
//!
//! Shape: AWS puts several sources under one protocol and port range; here each permission has one source, which is
//! also how AWS counts, describes and refuses them. Equal permissions are equal values.
//! Errors: `InvalidPermission.Duplicate` and `InvalidPermission.NotFound` when one of a request is there already,
//! or not; AWS then applies none of the request.
//! Source: EC2 API reference, AuthorizeSecurityGroupIngress, RevokeSecurityGroupIngress, IpPermission.

use super::super::error::CallError;
use super::super::query::Query;
use super::super::xml::{Decode, Element, Malformed};
use super::Ec2;

/// One protocol, one range of ports, one source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol number, or `-1` for all.
    pub protocol: String,
    /// First port, or the ICMP type; absent when the protocol is `-1`.
    pub from_port: Option<i32>,
    /// Last port, or the ICMP code; absent when the protocol is `-1`.
    pub to_port: Option<i32>,
    /// Who may come in.
    pub source: Source,
    /// Note, at most 255 characters.
    pub description: Option<String>,
}

/// Where traffic comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// An IPv4 range, `10.0.0.0/8`.
    Ipv4(String),
    /// An IPv6 range.
    Ipv6(String),
    /// Members of a security group.
    Group(GroupSource),
    /// A prefix list, `pl-...`.
    PrefixList(String),
}

/// A security group as a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct GroupSource {
    /// `sg-...`
    pub id: String,
    /// The account it belongs to; AWS always tells it, a request may leave it out.
    pub owner_id: Option<String>,
}

impl Permission {
    pub(super) fn write(&self, prefix: &str, query: &mut Query) {
        query.put(format!("{prefix}.IpProtocol"), &self.protocol);
        if let Some(port) = self.from_port {
            query.put(format!("{prefix}.FromPort"), port.to_string());
        }
        if let Some(port) = self.to_port {
            query.put(format!("{prefix}.ToPort"), port.to_string());
        }
        let (list, key, value) = match &self.source {
            Source::Ipv4(cidr) => ("IpRanges", "CidrIp", cidr),
            Source::Ipv6(cidr) => ("Ipv6Ranges", "CidrIpv6", cidr),
            Source::Group(group) => ("Groups", "GroupId", &group.id),
            Source::PrefixList(id) => ("PrefixListIds", "PrefixListId", id),
        };
        query.put(format!("{prefix}.{list}.1.{key}"), value);
        if let Source::Group(GroupSource { owner_id: Some(owner), .. }) = &self.source {
            query.put(format!("{prefix}.{list}.1.UserId"), owner);
        }
        if let Some(text) = &self.description {
            query.put(format!("{prefix}.{list}.1.Description"), text);
        }
    }
}

impl Ec2 {
    /// Lets `permissions` into the group `id`: all of them or none.
    pub async fn authorize_ingress(&self, id: &str, permissions: &[Permission]) -> Result<(), CallError> {
        self.change_ingress("AuthorizeSecurityGroupIngress", id, permissions).await
    }

    /// Takes `permissions` out of the group `id`: all of them or none.
    ///
    /// Give them as they were observed: AWS can do without the description, but not with another one.
    pub async fn revoke_ingress(&self, id: &str, permissions: &[Permission]) -> Result<(), CallError> {
        self.change_ingress("RevokeSecurityGroupIngress", id, permissions).await
    }

    async fn change_ingress(
        &self,
        action: &'static str,
        id: &str,
        permissions: &[Permission],
    ) -> Result<(), CallError> {
        if permissions.is_empty() {
            return Ok(());
        }
        let mut query = Query::default();
        query.put("GroupId", id);
        for (at, permission) in (1..).zip(permissions) {
            permission.write(&format!("IpPermissions.{at}"), &mut query);
        }
        self.command(action, &query).await
    }
}

/// Reads AWS' permissions and gives each source its own.
pub(super) fn read_permissions(set: Element<'_, '_>) -> Result<Vec<Permission>, Malformed> {
    let grouped: Vec<Grouped> = set.items()?;
    let mut single = Vec::new();
    for one in grouped {
        single.extend(one.into_single()?);
    }
    Ok(single)
}

/// A permission as AWS tells it, with several sources.
#[derive(Default)]
struct Grouped {
    protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    sources: Vec<Described>,
}

impl Grouped {
    fn into_single(self) -> Result<Vec<Permission>, Malformed> {
        let Self { protocol, from_port, to_port, sources } = self;
        let single = |one: Described| {
            let source =
                one.source.ok_or_else(|| Malformed::new("a permission has a source without a name"))?;
            let protocol = protocol.clone();
            Ok(Permission { protocol, from_port, to_port, source, description: one.description })
        };
        sources.into_iter().map(single).collect()
    }
}

impl Decode for Grouped {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "ipProtocol" => self.protocol = child.text()?,
            "fromPort" => self.from_port = Some(child.parse()?),
            "toPort" => self.to_port = Some(child.parse()?),
            "groups" | "ipRanges" | "ipv6Ranges" | "prefixListIds" => {
                self.sources.extend(child.items::<Described>()?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// One source and its note, in any of the four lists.
#[derive(Default)]
struct Described {
    source: Option<Source>,
    owner_id: Option<String>,
    description: Option<String>,
}

impl Decode for Described {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "cidrIp" => self.source = Some(Source::Ipv4(child.text()?)),
            "cidrIpv6" => self.source = Some(Source::Ipv6(child.text()?)),
            "prefixListId" => self.source = Some(Source::PrefixList(child.text()?)),
            "groupId" => {
                let owner_id = self.owner_id.take();
                self.source = Some(Source::Group(GroupSource { id: child.text()?, owner_id }));
            }
            "userId" => self.set_owner(child.optional()?),
            "description" => self.description = child.optional()?,
            _ => {}
        }
        Ok(())
    }
}

impl Described {
    /// The account may come before or after the group.
    fn set_owner(&mut self, owner: Option<String>) {
        match &mut self.source {
            Some(Source::Group(group)) => group.owner_id = owner,
            _ => self.owner_id = owner,
        }
    }
}
