"""Every operation that the model serves, by its API name: `create_load_balancer` serves `CreateLoadBalancer`."""

from . import account, listeners, load_balancers, rules, tags, target_groups, targets, tls, trust_stores

# Words that the API spells in its own way.
_SPELLED = {"ssl": "SSL"}

_HANDLERS = (
    load_balancers.create_load_balancer,
    load_balancers.describe_load_balancers,
    load_balancers.delete_load_balancer,
    load_balancers.set_subnets,
    load_balancers.set_security_groups,
    load_balancers.set_ip_address_type,
    load_balancers.modify_load_balancer_attributes,
    load_balancers.describe_load_balancer_attributes,
    load_balancers.modify_ip_pools,
    target_groups.create_target_group,
    target_groups.describe_target_groups,
    target_groups.modify_target_group,
    target_groups.delete_target_group,
    target_groups.modify_target_group_attributes,
    target_groups.describe_target_group_attributes,
    targets.register_targets,
    targets.deregister_targets,
    targets.describe_target_health,
    listeners.create_listener,
    listeners.describe_listeners,
    listeners.modify_listener,
    listeners.delete_listener,
    listeners.modify_listener_attributes,
    listeners.describe_listener_attributes,
    tls.add_listener_certificates,
    tls.remove_listener_certificates,
    tls.describe_listener_certificates,
    tls.describe_ssl_policies,
    rules.create_rule,
    rules.describe_rules,
    rules.modify_rule,
    rules.delete_rule,
    rules.set_rule_priorities,
    tags.add_tags,
    tags.remove_tags,
    tags.describe_tags,
    trust_stores.create_trust_store,
    trust_stores.describe_trust_stores,
    trust_stores.delete_trust_store,
    account.modify_capacity_reservation,
    account.describe_capacity_reservation,
    account.describe_account_limits,
)


def _operation(handler):
    return "".join(_SPELLED.get(word, word.capitalize()) for word in handler.__name__.split("_"))


OPERATIONS = {_operation(handler): handler for handler in _HANDLERS}
