"""Rules of a listener. Source: CreateRule, ModifyRule, DeleteRule, SetRulePriorities, DescribeRules."""

from ..errors import refuse
from .actions import count_uses, normal_actions
from .checks import as_tags, check_tag_count, page, put_tags
from .conditions import normal_conditions
from .state import public
from .transforms import normal_transforms

LAST_PRIORITY = 50000


def create_rule(elb, request):
    listener = elb.listener(request["ListenerArn"])
    balancer = elb.load_balancer(listener["LoadBalancerArn"])
    _check_priority(request["Priority"])
    conditions = normal_conditions(elb, request["Conditions"])
    transforms = normal_transforms(request.get("Transforms"))
    actions = normal_actions(elb, balancer, listener["Protocol"], request["Actions"])
    priority = str(request["Priority"])
    if any(rule["Priority"] == priority for rule in elb.rules_of(listener["ListenerArn"])):
        refuse("PriorityInUse", f"Priority '{priority}' is currently in use")
    _check_quota(elb, balancer["LoadBalancerArn"])
    tags = as_tags(request.get("Tags"))
    check_tag_count(elb, tags)
    arn = f"{listener['ListenerArn'].replace(':listener/', ':listener-rule/')}/{elb.store.new_id()}"
    elb.store.rules[arn] = {
        "RuleArn": arn,
        "Priority": priority,
        "Conditions": conditions,
        "Actions": actions,
        "Transforms": transforms,
        "IsDefault": False,
        "_listener": listener["ListenerArn"],
        "_created": elb.clock.now(),
    }
    put_tags(elb, arn, tags)
    count_uses(elb, balancer["LoadBalancerArn"], actions, 1)
    return {"Rules": [public(elb.store.rules[arn])]}


def _check_priority(priority):
    if not 1 <= priority <= LAST_PRIORITY:
        refuse("ValidationError", f"Priority '{priority}' must be between 1 and {LAST_PRIORITY}")


def _check_quota(elb, load_balancer_arn):
    """Default rules do not count."""
    own = {listener["ListenerArn"] for listener in elb.listeners_of(load_balancer_arn)}
    rules = sum(rule["_listener"] in own and not rule["IsDefault"] for rule in elb.store.rules.values())
    if rules >= elb.quota("rules-per-load-balancer"):
        refuse("TooManyRules", "The maximum number of rules on the load balancer has been reached")


def describe_rules(elb, request):
    if request.get("RuleArns"):
        found = [elb.seen(elb.rule(arn), "Rule") for arn in request["RuleArns"]]
    elif request.get("ListenerArn"):
        listener = elb.seen(elb.listener(request["ListenerArn"]), "Listener")
        found = [rule for rule in elb.rules_of(listener["ListenerArn"]) if elb.visible(rule)]
    else:
        refuse("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
    found.sort(key=lambda rule: LAST_PRIORITY + 1 if rule["IsDefault"] else int(rule["Priority"]))
    part, marker = page(elb, found, request)
    return {"Rules": [public(rule) for rule in part], **marker}


def _changeable(elb, arn):
    rule = elb.rule(arn)
    if rule["IsDefault"]:
        refuse("OperationNotPermitted", "Default rule cannot be modified or deleted")
    return rule


def modify_rule(elb, request):
    """Changes what is given and keeps the rest."""
    rule = _changeable(elb, request["RuleArn"])
    listener = elb.listener(rule["_listener"])
    balancer = elb.load_balancer(listener["LoadBalancerArn"])
    conditions, actions = rule["Conditions"], rule["Actions"]
    if request.get("Conditions"):
        conditions = normal_conditions(elb, request["Conditions"])
    transforms = normal_transforms(request.get("Transforms"))
    if request.get("Actions"):
        actions = normal_actions(elb, balancer, listener["Protocol"], request["Actions"])
    count_uses(elb, balancer["LoadBalancerArn"], actions, 1)
    count_uses(elb, balancer["LoadBalancerArn"], rule["Actions"], -1)
    rule.update(Conditions=conditions, Actions=actions)
    if request.get("ResetTransforms"):
        rule["Transforms"] = None
    elif transforms is not None:
        rule["Transforms"] = transforms
    return {"Rules": [public(rule)]}


def delete_rule(elb, request):
    rule = _changeable(elb, request["RuleArn"])
    listener = elb.listener(rule["_listener"])
    count_uses(elb, listener["LoadBalancerArn"], rule["Actions"], -1)
    elb.store.rules.pop(rule["RuleArn"])
    elb.store.tags.pop(rule["RuleArn"], None)
    return {}


def set_rule_priorities(elb, request):
    """All priorities change at once or none does, so that two rules can swap theirs."""
    wanted = {}
    for pair in request["RulePriorities"]:
        rule = _changeable(elb, pair["RuleArn"])
        _check_priority(pair["Priority"])
        wanted[rule["RuleArn"]] = str(pair["Priority"])
    for listener in {elb.rule(arn)["_listener"] for arn in wanted}:
        priorities = [wanted.get(rule["RuleArn"], rule["Priority"]) for rule in elb.rules_of(listener)]
        if len(set(priorities)) != len(priorities):
            refuse("PriorityInUse", "One or more priorities are currently in use")
    for arn, priority in wanted.items():
        elb.rule(arn)["Priority"] = priority
    return {"Rules": [public(elb.rule(arn)) for arn in wanted]}
