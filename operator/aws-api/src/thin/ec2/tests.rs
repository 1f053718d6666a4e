//! Answers as EC2 writes them, read into types; permissions written and read back.

use std::collections::BTreeMap;

use super::super::query::Query;
use super::super::xml::{Decode, Element, Malformed, decode};
use super::list::Listed;
use super::permission::{GroupSource, Permission, Source};
use super::*;

struct Set<T>(Vec<T>);

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Listed> Decode for Set<T> {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        if name == T::SET {
            self.0 = T::read_set(child)?;
        }
        Ok(())
    }
}

fn read<T: Listed>(answer: &str) -> Vec<T> {
    let answer = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{0}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>r</requestId>{answer}</{0}Response>",
        T::ACTION
    );
    decode::<Set<T>>(&answer).unwrap().0
}

fn tag(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

#[test]
fn a_subnet_is_read() {
    let found: Vec<Subnet> = read(
        "<subnetSet><item><subnetId>subnet-1</subnetId><state>available</state><vpcId>vpc-1</vpcId>
         <cidrBlock>10.0.1.0/24</cidrBlock><availableIpAddressCount>251</availableIpAddressCount>
         <availabilityZone>eu-west-1a</availabilityZone><availabilityZoneId>euw1-az1</availabilityZoneId>
         <mapPublicIpOnLaunch>true</mapPublicIpOnLaunch>
         <ipv6CidrBlockAssociationSet>
           <item><ipv6CidrBlock>fd00:1::/64</ipv6CidrBlock><ipv6CidrBlockState><state>associated</state></ipv6CidrBlockState></item>
           <item><ipv6CidrBlock>fd00:2::/64</ipv6CidrBlock><ipv6CidrBlockState><state>disassociated</state></ipv6CidrBlockState></item>
         </ipv6CidrBlockAssociationSet>
         <tagSet><item><key>kubernetes.io/role/elb</key><value/></item></tagSet></item></subnetSet>",
    );
    let want = Subnet {
        id: "subnet-1".to_owned(),
        vpc_id: "vpc-1".to_owned(),
        zone: "eu-west-1a".to_owned(),
        zone_id: "euw1-az1".to_owned(),
        state: "available".to_owned(),
        cidr: Some("10.0.1.0/24".to_owned()),
        ipv6_cidrs: vec!["fd00:1::/64".to_owned()],
        available_addresses: 251,
        outpost_arn: None,
        tags: tag("kubernetes.io/role/elb", ""),
    };
    assert_eq!(found, [want]);
}

#[test]
fn a_vpc_names_its_primary_range_first_and_once() {
    let associations = "<cidrBlockAssociationSet>
         <item><cidrBlock>100.64.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item>
         <item><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item>
         <item><cidrBlock>10.9.0.0/16</cidrBlock><cidrBlockState><state>failing</state></cidrBlockState></item>
         </cidrBlockAssociationSet>";
    let primary = "<cidrBlock>10.0.0.0/16</cidrBlock>";
    for fields in [format!("{primary}{associations}"), format!("{associations}{primary}")] {
        let found: Vec<Vpc> = read(&format!("<vpcSet><item><vpcId>vpc-1</vpcId>{fields}</item></vpcSet>"));
        assert_eq!(found[0].cidrs, ["10.0.0.0/16", "100.64.0.0/16"], "{fields}");
    }
}

#[test]
fn a_group_gives_each_source_its_own_permission() {
    let found: Vec<SecurityGroup> = read(
        "<securityGroupInfo><item><ownerId>1234</ownerId><groupId>sg-1</groupId><groupName>web</groupName>
         <groupDescription>a &amp; b</groupDescription><vpcId>vpc-1</vpcId>
         <ipPermissions>
           <item><ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>81</toPort>
             <groups><item><securityGroupRuleId>sgr-1</securityGroupRuleId><userId>1234</userId><groupId>sg-2</groupId><description>from lb</description></item></groups>
             <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp><description/></item><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges>
             <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>
             <prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item>
           <item><ipProtocol>-1</ipProtocol><groups/><ipRanges><item><cidrIp>10.1.0.0/16</cidrIp></item></ipRanges></item>
         </ipPermissions>
         <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissionsEgress>
         <tagSet><item><key>k</key><value>v</value></item></tagSet></item></securityGroupInfo>",
    );
    let web = |source, description: Option<&str>| Permission {
        protocol: "tcp".to_owned(),
        from_port: Some(80),
        to_port: Some(81),
        source,
        description: description.map(str::to_owned),
    };
    let group = GroupSource { id: "sg-2".to_owned(), owner_id: Some("1234".to_owned()) };
    let everything = Permission {
        protocol: "-1".to_owned(),
        from_port: None,
        to_port: None,
        source: Source::Ipv4("10.1.0.0/16".to_owned()),
        description: None,
    };
    assert_eq!(
        found[0].ingress,
        [
            web(Source::Group(group), Some("from lb")),
            web(Source::Ipv4("0.0.0.0/0".to_owned()), None),
            web(Source::Ipv4("10.0.0.0/8".to_owned()), None),
            web(Source::Ipv6("::/0".to_owned()), None),
            web(Source::PrefixList("pl-1".to_owned()), None),
            everything,
        ]
    );
    assert_eq!((found[0].description.as_str(), &found[0].tags), ("a & b", &tag("k", "v")));
}

#[test]
fn a_source_without_a_name_is_an_error_not_a_missing_rule() {
    let answer = "<R><securityGroupInfo><item><groupId>sg-1</groupId><ipPermissions><item><ipProtocol>tcp</ipProtocol>\
                  <ipRanges><item><description>x</description></item></ipRanges></item></ipPermissions></item>\
                  </securityGroupInfo></R>";
    assert!(decode::<Set<SecurityGroup>>(answer).is_err());
}

#[test]
fn instances_are_taken_out_of_their_reservations() {
    let instance = |id: &str, interface: &str| {
        format!(
            "<item><instanceId>{id}</instanceId><instanceState><code>16</code><name>running</name></instanceState>
             <vpcId>vpc-1</vpcId><subnetId>subnet-1</subnetId><privateIpAddress>10.0.0.4</privateIpAddress>
             <placement><availabilityZone>eu-west-1a</availabilityZone></placement>
             <groupSet><item><groupId>sg-1</groupId><groupName>n</groupName></item></groupSet>
             <networkInterfaceSet>{interface}</networkInterfaceSet></item>"
        )
    };
    let interface = "<item><networkInterfaceId>eni-1</networkInterfaceId><groupSet><item><groupId>sg-1</groupId></item></groupSet>
         <attachment><deviceIndex>0</deviceIndex><status>attached</status></attachment></item>";
    let found: Vec<Instance> = read(&format!(
        "<reservationSet><item><reservationId>r-1</reservationId><groupSet/><instancesSet>{}{}</instancesSet></item>
         <item><instancesSet>{}</instancesSet></item></reservationSet>",
        instance("i-1", interface),
        instance("i-2", ""),
        instance("i-3", "")
    ));
    let ids: Vec<_> = found.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["i-1", "i-2", "i-3"]);
    let first = &found[0];
    assert_eq!((first.state.as_str(), first.zone.as_deref()), ("running", Some("eu-west-1a")));
    assert_eq!(first.group_ids, ["sg-1"]);
    let attachment = first.interfaces[0].attachment.as_ref().unwrap();
    assert_eq!(attachment.device_index, Some(0));
}

#[test]
fn an_interface_tells_all_its_addresses() {
    let found: Vec<NetworkInterface> = read(
        "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId>
         <vpcId>vpc-1</vpcId><description>ELB app/a/1</description><status>in-use</status>
         <groupSet><item><groupId>sg-1</groupId></item><item><groupId>sg-2</groupId></item></groupSet>
         <attachment><instanceId>i-1</instanceId><deviceIndex>1</deviceIndex><status>attached</status></attachment>
         <privateIpAddress>10.0.0.4</privateIpAddress>
         <privateIpAddressesSet><item><privateIpAddress>10.0.0.4</privateIpAddress><primary>true</primary></item>
           <item><privateIpAddress>10.0.0.5</privateIpAddress></item></privateIpAddressesSet>
         <ipv6AddressesSet><item><ipv6Address>fd00::5</ipv6Address></item></ipv6AddressesSet>
         <ipv4PrefixSet><item><ipv4Prefix>10.0.0.16/28</ipv4Prefix></item></ipv4PrefixSet>
         <ipv6PrefixSet><item><ipv6Prefix>fd00:0:0:1::/80</ipv6Prefix></item></ipv6PrefixSet></item></networkInterfaceSet>",
    );
    let one = &found[0];
    assert_eq!(one.private_ips, ["10.0.0.4", "10.0.0.5"]);
    assert_eq!(one.ipv6_addresses, ["fd00::5"]);
    assert_eq!(one.ipv4_prefixes, ["10.0.0.16/28"]);
    assert_eq!(one.ipv6_prefixes, ["fd00:0:0:1::/80"]);
    assert_eq!(one.group_ids, ["sg-1", "sg-2"]);
    assert_eq!(one.attachment.as_ref().unwrap().instance_id.as_deref(), Some("i-1"));
}

#[test]
fn a_route_table_tells_gateways_and_what_it_rules() {
    let found: Vec<RouteTable> = read(
        "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId>
         <routeSet><item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><gatewayId>igw-1</gatewayId><state>active</state></item>
           <item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock><egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId><state>active</state></item></routeSet>
         <associationSet><item><main>true</main></item><item><subnetId>subnet-1</subnetId><main>false</main></item></associationSet>
         </item></routeTableSet>",
    );
    let routes: Vec<_> =
        found[0].routes.iter().map(|one| (one.destination.as_str(), one.gateway_id.as_deref())).collect();
    assert_eq!(routes, [("0.0.0.0/0", Some("igw-1")), ("::/0", None)]);
    let main = Association { subnet_id: None, main: true };
    let own = Association { subnet_id: Some("subnet-1".to_owned()), main: false };
    assert_eq!(found[0].associations, [main, own]);
}

#[test]
fn zones_are_read() {
    let found: Vec<Zone> = read(
        "<availabilityZoneInfo><item><zoneName>eu-west-1a</zoneName><zoneId>euw1-az1</zoneId>
         <zoneType>availability-zone</zoneType><zoneState>available</zoneState></item></availabilityZoneInfo>",
    );
    assert_eq!((found[0].id.as_str(), found[0].kind.as_str()), ("euw1-az1", "availability-zone"));
}

#[test]
fn permissions_are_written_with_one_source_each() {
    let permission = |source| Permission {
        protocol: "tcp".to_owned(),
        from_port: Some(80),
        to_port: Some(90),
        source,
        description: Some("a b".to_owned()),
    };
    let group = GroupSource { id: "sg-2".to_owned(), owner_id: Some("12".to_owned()) };
    let head = "Action=A&Version=V&P.IpProtocol=tcp&P.FromPort=80&P.ToPort=90";
    let cases = [
        (
            Source::Ipv4("10.0.0.0/8".to_owned()),
            "P.IpRanges.1.CidrIp=10.0.0.0%2F8&P.IpRanges.1.Description=a%20b",
        ),
        (
            Source::Ipv6("::/0".to_owned()),
            "P.Ipv6Ranges.1.CidrIpv6=%3A%3A%2F0&P.Ipv6Ranges.1.Description=a%20b",
        ),
        (Source::Group(group), "P.Groups.1.GroupId=sg-2&P.Groups.1.UserId=12&P.Groups.1.Description=a%20b"),
        (
            Source::PrefixList("pl-1".to_owned()),
            "P.PrefixListIds.1.PrefixListId=pl-1&P.PrefixListIds.1.Description=a%20b",
        ),
    ];
    for (source, want) in cases {
        let mut query = Query::default();
        permission(source).write("P", &mut query);
        assert_eq!(query.encode("A", "V"), format!("{head}&{want}"));
    }
}

#[test]
fn prefix_lists_are_read() {
    let found: Vec<PrefixList> = read(
        "<prefixListSet><item><prefixListId>pl-1</prefixListId><prefixListName>offices</prefixListName>
         <maxEntries>20</maxEntries></item><item><prefixListId>pl-2</prefixListId>
         <prefixListName>com.amazonaws.us-east-1.s3</prefixListName></item></prefixListSet>",
    );
    let told: Vec<_> = found.iter().map(|list| (list.id.as_str(), list.max_entries)).collect();
    assert_eq!(told, [("pl-1", Some(20)), ("pl-2", None)]);
}
