"""Network interfaces that load balancers own, and that outlive them for a moment.

They are what keeps a security group in use. Source: "Requester-managed network interfaces" in the EC2 user guide; the
description is `ELB app/<name>/<id>`.
"""


def attach(elb, load_balancer):
    """Makes the load balancer's interfaces agree with its subnets and security groups."""
    owned = load_balancer["_interfaces"]
    wanted = [zone["SubnetId"] for zone in load_balancer["AvailabilityZones"]]
    for subnet in [subnet for subnet in owned if subnet not in wanted]:
        elb.network.delete_interface(owned.pop(subnet))
    for subnet in wanted:
        if subnet not in owned:
            owned[subnet] = elb.network.create_interface(subnet, _description(load_balancer))
        elb.network.set_interface_groups(owned[subnet], load_balancer.get("SecurityGroups") or [])


def _description(load_balancer):
    return "ELB " + load_balancer["LoadBalancerArn"].split(":loadbalancer/", 1)[1]


def release(elb, load_balancer):
    due = elb.clock.now() + elb.settings.interface_linger_seconds
    elb.store.lingering += [(due, interface) for interface in load_balancer["_interfaces"].values()]
    sweep(elb)


def sweep(elb):
    """Removes the interfaces whose time has come; called before anything looks at interfaces."""
    now, waiting = elb.clock.now(), []
    for due, interface in elb.store.lingering:
        if due <= now:
            elb.network.delete_interface(interface)
        else:
            waiting.append((due, interface))
    elb.store.lingering = waiting
