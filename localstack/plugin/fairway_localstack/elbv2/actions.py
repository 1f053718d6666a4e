"""Actions of listeners and rules, brought into the form in which AWS answers them.

Source: Action, ForwardActionConfig, RedirectActionConfig, FixedResponseActionConfig and the Authenticate types.
"""

import re

from ..errors import refuse
from . import protocols

FINAL = ("forward", "redirect", "fixed-response")
LONGEST_STICKINESS = 604800
NEEDS_HTTPS = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
REDIRECT_DEFAULTS = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
LONGEST_SESSION = 604800
MOST_PARAMETERS = 10
MOST_CLAIMS = 10
ALWAYS_CHECKED = ("exp", "iss", "nbf", "iat")
ENDPOINTS = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint")
PROVIDER = (*ENDPOINTS, "ClientId")
USER_POOL = ("UserPoolArn", "UserPoolClientId", "UserPoolDomain")
AUTHENTICATION_DEFAULTS = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}


def normal_actions(elb, load_balancer, protocol, actions):
    if not actions:
        refuse("ValidationError", "At least one action must be specified")
    normal = [_normal(elb, load_balancer, protocol, _given(action)) for action in actions]
    normal.sort(key=lambda action: action.get("Order") or 0)
    if normal[-1]["Type"] not in FINAL or sum(action["Type"] in FINAL for action in normal) != 1:
        refuse(
            "InvalidLoadBalancerAction", "Exactly one forward, redirect or fixed-response action, and it must be last"
        )
    if sum(action["Type"] in NEEDS_HTTPS for action in normal) > 1:
        refuse("InvalidLoadBalancerAction", "At most one action can authenticate users or validate tokens")
    if len(normal) > 1 or actions[0].get("Order"):
        for position, action in enumerate(normal, start=1):
            action["Order"] = action.get("Order") or position
    return normal


def _given(settings):
    return {key: value for key, value in settings.items() if value is not None}


def _normal(elb, load_balancer, protocol, action):
    kind = action["Type"]
    if kind in NEEDS_HTTPS and protocol != "HTTPS":
        refuse("InvalidLoadBalancerAction", f"Actions of type '{kind}' are supported only on HTTPS listeners")
    if kind == "forward":
        return _forward(elb, load_balancer, protocol, action)
    if kind == "fixed-response":
        _check_fixed_response(action["FixedResponseConfig"])
    elif kind == "redirect":
        action["RedirectConfig"] = {**REDIRECT_DEFAULTS, **_given(action["RedirectConfig"])}
    elif kind.startswith("authenticate-"):
        _authenticate(action)
    elif kind == "jwt-validation":
        _check_tokens(action.get("JwtValidationConfig") or {})
    return action


def _forward(elb, load_balancer, protocol, action):
    config = action.pop("ForwardConfig", None) or {"TargetGroups": [{"TargetGroupArn": action.get("TargetGroupArn")}]}
    groups = [
        {"TargetGroupArn": group["TargetGroupArn"], "Weight": 1 if group.get("Weight") is None else group["Weight"]}
        for group in config["TargetGroups"]
    ]
    if len(groups) > elb.quota("target-groups-per-action"):
        refuse("TooManyTargetGroups", "The maximum number of target groups in a forward action has been reached")
    if len({group["TargetGroupArn"] for group in groups}) != len(groups):
        refuse("ValidationError", "A target group is specified twice in a forward action")
    for group in groups:
        if not 0 <= group["Weight"] <= 999:
            refuse("ValidationError", "The weight of a target group must be between 0 and 999")
        _check_group(elb, load_balancer, protocol, elb.target_group(group["TargetGroupArn"]))
    action.pop("TargetGroupArn", None)
    action["ForwardConfig"] = {"TargetGroups": groups}
    if load_balancer["Type"] == "application":
        stickiness = config.get("TargetGroupStickinessConfig") or {"Enabled": False}
        _check_stickiness(stickiness)
        action["ForwardConfig"]["TargetGroupStickinessConfig"] = stickiness
    if len(groups) == 1:
        action["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return action


def _check_stickiness(stickiness):
    if stickiness.get("Enabled") and not 1 <= (stickiness.get("DurationSeconds") or 0) <= LONGEST_STICKINESS:
        refuse("ValidationError", f"The duration of stickiness must be between 1 and {LONGEST_STICKINESS} seconds")


def _check_group(elb, load_balancer, protocol, group):
    arn = group["TargetGroupArn"]
    if not protocols.compatible(load_balancer["Type"], protocol, group):
        refuse(
            "InvalidConfigurationRequest",
            f"Listener protocol '{protocol}' is not supported with a target group of protocol '{group['Protocol']}'",
        )
    if group["VpcId"] not in (None, load_balancer["VpcId"]):
        refuse("InvalidConfigurationRequest", "The target group and the load balancer are in different VPCs")
    if set(elb.store.uses[arn]) - {load_balancer["LoadBalancerArn"]}:
        refuse("TargetGroupAssociationLimit", f"Target group '{arn}' is already associated with another load balancer")


def _check_fixed_response(config):
    if not re.fullmatch(r"[245]\d\d", config["StatusCode"]):
        refuse("ValidationError", f"The status code '{config['StatusCode']}' is not valid")
    if len(config.get("MessageBody") or "") > 1024:
        refuse("ValidationError", "The message body can have at most 1024 characters")


def _authenticate(action):
    oidc = action["Type"].endswith("oidc")
    key = "AuthenticateOidcConfig" if oidc else "AuthenticateCognitoConfig"
    config = {**AUTHENTICATION_DEFAULTS, **_given(action.get(key) or {})}
    _need(config, PROVIDER if oidc else USER_POOL)
    if oidc:
        for endpoint in ENDPOINTS:
            if not config[endpoint].startswith("https://"):
                refuse("ValidationError", f"{endpoint} must be a full URL of HTTPS")
        if not config.get("ClientSecret") and not config.get("UseExistingClientSecret"):
            refuse("ValidationError", "A client secret must be specified")
    if not 1 <= config["SessionTimeout"] <= LONGEST_SESSION:
        refuse("ValidationError", f"The session timeout must be between 1 and {LONGEST_SESSION} seconds")
    if config["OnUnauthenticatedRequest"] not in ("authenticate", "allow", "deny"):
        refuse("ValidationError", f"'{config['OnUnauthenticatedRequest']}' is not a behavior for unauthenticated requests")
    if len(config.get("AuthenticationRequestExtraParams") or {}) > MOST_PARAMETERS:
        refuse("ValidationError", f"At most {MOST_PARAMETERS} extra parameters can be specified")
    # AWS never gives the secret back.
    config.pop("ClientSecret", None)
    config.pop("UseExistingClientSecret", None)
    action[key] = config


def _need(config, names):
    for name in names:
        if not config.get(name):
            refuse("ValidationError", f"{name} must be specified")


def _check_tokens(config):
    _need(config, ("JwksEndpoint", "Issuer"))
    claims = config.get("AdditionalClaims") or []
    if len(claims) > MOST_CLAIMS:
        refuse("ValidationError", f"At most {MOST_CLAIMS} additional claims can be specified")
    for claim in claims:
        _need(claim, ("Format", "Name", "Values"))
        if claim["Name"] in ALWAYS_CHECKED:
            refuse("ValidationError", f"The claim '{claim['Name']}' is validated by default and cannot be specified")


def groups_of(actions):
    """ARNs of the target groups that the actions name, once per mention."""
    return [
        group["TargetGroupArn"]
        for action in actions
        for group in (action.get("ForwardConfig") or {}).get("TargetGroups", [])
    ]


def count_uses(elb, load_balancer_arn, actions, step):
    """Adds (`step` 1) or takes away (-1) the uses of target groups by `actions`."""
    for group in groups_of(actions):
        uses = elb.store.uses[group]
        uses[load_balancer_arn] += step
        if uses[load_balancer_arn] <= 0:
            del uses[load_balancer_arn]
