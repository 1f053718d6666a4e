"""Reserved capacity and the limits of the account. Source: DescribeCapacityReservation, DescribeAccountLimits."""


def modify_capacity_reservation(elb, request):
    arn = elb.load_balancer(request["LoadBalancerArn"])["LoadBalancerArn"]
    if request.get("ResetCapacityReservation"):
        elb.store.capacities.pop(arn, None)
    elif request.get("MinimumLoadBalancerCapacity"):
        elb.store.capacities[arn] = request["MinimumLoadBalancerCapacity"]["CapacityUnits"]
    return describe_capacity_reservation(elb, request)


def describe_capacity_reservation(elb, request):
    record = elb.load_balancer(request["LoadBalancerArn"])
    units = elb.store.capacities.get(record["LoadBalancerArn"])
    answer = {"DecreaseRequestsRemaining": 2}
    if units:
        answer["MinimumLoadBalancerCapacity"] = {"CapacityUnits": units}
        answer["CapacityReservationState"] = [
            {
                "AvailabilityZone": zone["ZoneName"],
                "State": {"Code": "provisioned"},
                "EffectiveCapacityUnits": float(units),
            }
            for zone in record["AvailabilityZones"]
        ]
    return answer


# API name -> our quota
LIMITS = {
    "target-groups": "target-groups",
    "application-load-balancers": "application-load-balancers",
    "network-load-balancers": "network-load-balancers",
    "listeners-per-application-load-balancer": "listeners-per-load-balancer",
    "rules-per-application-load-balancer": "rules-per-load-balancer",
    "targets-per-target-group": "targets-per-target-group",
    "certificates-per-application-load-balancer": "certificates-per-load-balancer",
    "condition-values-per-alb-rule": "condition-values-per-rule",
    "condition-wildcards-per-alb-rule": "condition-wildcards-per-rule",
    "target-groups-per-action-on-application-load-balancer": "target-groups-per-action",
}


def describe_account_limits(elb, request):
    return {"Limits": [{"Name": name, "Max": str(elb.quota(quota))} for name, quota in LIMITS.items()]}
