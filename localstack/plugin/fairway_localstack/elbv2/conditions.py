"""Conditions of rules. Source: RuleCondition and "Listener rules for your Application Load Balancer"."""

from ..errors import refuse

CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
WITH_WILDCARDS = ("host-header", "path-pattern", "http-header")
LONGEST_VALUE = 128


def normal_conditions(elb, conditions):
    """The conditions as AWS answers them: typed config, and the plain Values beside host and path."""
    if not conditions:
        refuse("ValidationError", "A condition must be specified")
    normal = [_normal(condition) for condition in conditions]
    _check_limits(elb, normal)
    return normal


def _normal(condition):
    field = condition.get("Field")
    if field not in CONFIGS:
        refuse("ValidationError", f"Condition field '{field}' must be one of '[{', '.join(sorted(CONFIGS))}]'")
    config = condition.get(CONFIGS[field]) or {"Values": condition.get("Values") or []}
    config = {key: value for key, value in config.items() if value is not None}
    if config.get("Values") and config.get("RegexValues"):
        refuse("ValidationError", f"A '{field}' condition has either Values or RegexValues")
    values = _values(config)
    if not values:
        refuse("ValidationError", "A condition value must be specified")
    if any(isinstance(value, str) and len(value) > LONGEST_VALUE for value in values):
        refuse("ValidationError", f"A condition value can have at most {LONGEST_VALUE} characters")
    answer = {"Field": field, CONFIGS[field]: config}
    if field in ("host-header", "path-pattern") and config.get("Values"):
        answer["Values"] = config["Values"]
    return answer


def _values(config):
    return (config.get("Values") or []) + (config.get("RegexValues") or [])


def _check_limits(elb, conditions):
    values = sum(len(_values(condition[CONFIGS[condition["Field"]]])) for condition in conditions)
    if values > elb.quota("condition-values-per-rule"):
        refuse("ValidationError", f"A rule can only have '{elb.quota('condition-values-per-rule')}' condition values")
    wildcards = sum(_wildcards(condition) for condition in conditions)
    if wildcards > elb.quota("condition-wildcards-per-rule"):
        refuse(
            "ValidationError", f"A rule can only have '{elb.quota('condition-wildcards-per-rule')}' condition wildcards"
        )


def _wildcards(condition):
    if condition["Field"] not in WITH_WILDCARDS:
        return 0
    values = condition[CONFIGS[condition["Field"]]].get("Values") or []
    return sum(value.count("*") + value.count("?") for value in values)
