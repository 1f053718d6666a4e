"""Who gets through: sessions with a user pool or a provider, and tokens, as annotations of Ingresses and Services ask for them."""

import json

import pytest

from e2e.lib import manifests
from e2e.lib.waiting import eventually, need, steadily

HOST = "auth.example.com"
HTTPS = {"target-type": "ip", "listen-ports": '[{"HTTPS": 443}]'}
OWNER = None
FLAGS = ("--secrets-period=5",)
POOL = {"userPoolARN": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a", "userPoolClientID": "shop", "userPoolDomain": "shop"}
# Within which Secrets are read again.
REFRESH = 20.0


def provider(secret="oidc"):
    return {"issuer": "https://id.test", "authorizationEndpoint": "https://id.test/a", "tokenEndpoint": "https://id.test/t",
            "userInfoEndpoint": "https://id.test/u", "secretName": secret}


def annotations(**asked):
    return {**HTTPS, **{key.replace("_", "-"): value if isinstance(value, str) else json.dumps(value) for key, value in asked.items()}}


def path(where="/", service="web"):
    return (HOST, where, "Exact", service, 80)


def client_secret(shop, secret, name="oidc"):
    shop.cluster.apply({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": shop.namespace},
        "stringData": {"clientID": "shop\n", "clientSecret": secret}})


class Guarded:
    """The HTTPS listener of an Ingress, as AWS has it."""

    def __init__(self, shop):
        self.shop = shop

    def listener(self, port="443/HTTPS"):
        return self.shop.seen("a")["listeners"][port]

    def kinds(self, port="443/HTTPS"):
        """Types of the actions of each rule, in order."""
        return [[action["Type"] for action in rule["actions"]] for rule in self.listener(port)["rules"]]

    def become(self, *kinds):
        eventually(f"rules {kinds}", lambda: need(self.kinds() == list(kinds), self.kinds()))


@pytest.fixture
def guarded(shop):
    return Guarded(shop)


def test_users_sign_in_to_a_pool_on_https_alone(shop, guarded):
    asked = annotations(
        auth_type="cognito", auth_idp_cognito=POOL, auth_on_unauthenticated_request="deny", auth_scope="openid email",
        auth_session_cookie="shop", auth_session_timeout="3600")
    shop.ingress("a", [path()], {**asked, "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]'})
    shop.up("a")
    guard, forward = guarded.listener()["rules"][0]["actions"]
    assert (guard["Type"], forward["Type"]) == ("authenticate-cognito", "forward")
    assert guard["AuthenticateCognitoConfig"] == {
        "UserPoolArn": POOL["userPoolARN"], "UserPoolClientId": "shop", "UserPoolDomain": "shop", "SessionCookieName": "shop",
        "Scope": "openid email", "SessionTimeout": 3600, "OnUnauthenticatedRequest": "deny"}
    assert guarded.kinds("80/HTTP") == [["forward"]], "as it is documented"
    shop.ingress("a", [path()], annotations(auth_type="none"))
    guarded.become(["forward"])


def test_a_service_says_who_is_let_through_to_it_alone(shop, guarded):
    session = {"alb.ingress.kubernetes.io/auth-type": "cognito", "alb.ingress.kubernetes.io/auth-idp-cognito": json.dumps(POOL)}
    shop.service("web", [manifests.port(80, "http", "http")], session)
    split = {"type": "forward", "forwardConfig": {"targetGroups": [
        {"serviceName": "web", "servicePort": 80, "weight": 1}, {"serviceName": "nodes", "servicePort": 80, "weight": 1}]}}
    asked = {**annotations(auth_type="none"), "actions.split": json.dumps(split)}
    shop.ingress("a", [path("/one"), (HOST, "/two", "Exact", "split", "use-annotation"), path("/three", "nodes")], asked)
    shop.up("a")
    guarded.become(["authenticate-cognito", "forward"], ["forward"], ["forward"])


def test_tokens_are_checked_on_rules_and_default_actions(shop, guarded, cluster):
    claims = [{"format": "string-array", "name": "roles", "values": ["admin"]}]
    tokens = {"jwksEndpoint": "https://id.test/jwks", "issuer": "https://id.test", "additionalClaims": claims}
    shop.ingress("a", [path()], annotations(jwt_validation=tokens), default=("nodes", 80))
    shop.up("a")
    guarded.become(["jwt-validation", "forward"])
    listener = guarded.listener()
    assert [action["Type"] for action in listener["default"]] == ["jwt-validation", "forward"]
    assert listener["rules"][0]["actions"][0]["JwtValidationConfig"] == {
        "JwksEndpoint": "https://id.test/jwks", "Issuer": "https://id.test",
        "AdditionalClaims": [{"Format": "string-array", "Name": "roles", "Values": ["admin"]}]}

    # Both at once cannot be asked for: what is there stays.
    shop.ingress("a", [path()], annotations(jwt_validation=tokens, auth_type="cognito", auth_idp_cognito=POOL), default=("nodes", 80))
    assert "not for both" in cluster.warned("Ingress", shop.namespace, "a", "InvalidAuthentication")
    steadily("the token is checked", lambda: need(guarded.kinds() == [["jwt-validation", "forward"]], guarded.kinds()), 3.0)


def test_a_secret_is_told_once_and_again_when_it_changes(shop, guarded, cluster, cloud, operator):
    group = {"group.name": f"{shop.namespace}-shop"}
    asked = annotations(auth_type="oidc", auth_idp_oidc=provider())
    shop.ingress("b", [path("/open")], {**HTTPS, **group})
    shop.up("b")
    shop.ingress("a", [path("/guarded")], {**asked, **group})
    assert cluster.warned("Ingress", shop.namespace, "a", "SecretNotFound") == (
        f"auth-idp-oidc names Secret {shop.namespace}/oidc, which does not exist")
    assert shop.routes("b", "443/HTTPS") == [f"{HOST} /open -> b-web:80"], "the neighbour goes on, and nothing is open"

    client_secret(shop, "opensesame-first")
    guarded.become(["authenticate-oidc", "forward"], ["forward"])
    config = guarded.listener()["rules"][0]["actions"][0]["AuthenticateOidcConfig"]
    assert (config["ClientId"], config["Issuer"]) == ("shop", "https://id.test")
    shop.up("a")

    # Another look finds nothing to do: the peer modifies such a rule each time.
    place = cloud.mark()
    shop.ingress("b", [path("/open"), path("/too")], {**HTTPS, **group})
    eventually("a rule more", lambda: need(len(guarded.kinds()) == 3, guarded.kinds()))
    assert [call["operation"] for call in cloud.writes(place) if call["operation"] in ("ModifyRule", "ModifyListener")] == []

    place = cloud.mark()
    client_secret(shop, "opensesame-second")
    told = lambda: [call["operation"] for call in cloud.writes(place)]  # noqa: E731
    eventually("the rule is told", lambda: need(told() == ["ModifyRule"], told()), REFRESH)
    shop.up("a")
    steadily("it is told once", lambda: need(told() == ["ModifyRule"], told()), 3.0)

    state = json.dumps(cluster.state(f"aws:group:{shop.namespace}-shop"))
    assert f"{shop.namespace}/oidc=" in state
    log = operator.log.read_text(encoding="utf-8")
    events = str(cluster.events("Ingress", shop.namespace, "a"))
    assert not [text for text in (state, log, events) if "opensesame" in text]


def test_nobody_may_list_secrets(operator, cluster):
    roles = {role["metadata"]["name"]: role["rules"] for role in cluster.all("ClusterRole") if role["metadata"]["name"] in ("fairway", "fairway-agent")}
    verbs = {name: [rule["verbs"] for rule in rules if "secrets" in rule.get("resources", [])] for name, rules in roles.items()}
    assert verbs and all(found == [["get"]] for found in verbs.values()), verbs
