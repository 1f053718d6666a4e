"""Where a load balancer stands: subnets, zones, addresses."""

import ipaddress

from ..errors import refuse


def place(elb, request, kind):
    """Availability zones in the API's form, the VPC, and whether every subnet has IPv6.

    Source: CreateLoadBalancer and SetSubnets, parameters Subnets and SubnetMappings.
    """
    mappings = request.get("SubnetMappings") or [{"SubnetId": subnet} for subnet in request.get("Subnets") or []]
    if not mappings:
        refuse("ValidationError", "At least one subnet must be specified")
    subnets = [_subnet(elb, mapping["SubnetId"]) for mapping in mappings]
    zones = [subnet["zone"] for subnet in subnets]
    if len(set(zones)) != len(zones):
        refuse("InvalidConfigurationRequest", "A load balancer cannot have several subnets in one Availability Zone")
    if len({subnet["vpc"] for subnet in subnets}) > 1:
        refuse("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    if kind == "application" and len(zones) < 2:
        refuse("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    placed = [_zone(elb, mapping, subnet, kind) for mapping, subnet in zip(mappings, subnets)]
    return placed, subnets[0]["vpc"], all(subnet["has_ipv6"] for subnet in subnets)


def _subnet(elb, subnet_id):
    subnet = elb.network.subnet(subnet_id)
    if subnet is None:
        refuse("SubnetNotFound", f"The subnet ID '{subnet_id}' is not valid")
    return subnet


def _zone(elb, mapping, subnet, kind):
    addresses = _addresses(elb, mapping, subnet) if kind == "network" else []
    return {"ZoneName": subnet["zone"], "SubnetId": mapping["SubnetId"], "LoadBalancerAddresses": addresses}


def _addresses(elb, mapping, subnet):
    if mapping.get("AllocationId"):
        public_address = elb.network.elastic_address(mapping["AllocationId"])
        if public_address is None:
            refuse("AllocationIdNotFound", f"The allocation ID '{mapping['AllocationId']}' does not exist")
        return [{"IpAddress": public_address, "AllocationId": mapping["AllocationId"]}]
    private = mapping.get("PrivateIPv4Address")
    if private:
        if ipaddress.ip_address(private) not in ipaddress.ip_network(subnet["cidr"]):
            refuse("InvalidConfigurationRequest", f"The address {private} is not in the subnet")
        return [{"PrivateIPv4Address": private}]
    return []
