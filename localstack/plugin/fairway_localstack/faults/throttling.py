"""How each service says "too fast".

Source: the common errors of each API reference. ec2 answers 503 `RequestLimitExceeded`, services with a JSON protocol
`ThrottlingException`, elbv2 and route53 `Throttling`.
"""

JSON_SERVICES = (
    "acm",
    "cognito-idp",
    "globalaccelerator",
    "resourcegroupstaggingapi",
    "shield",
    "waf-regional",
    "wafv2",
)


def throttling_error(service):
    """Code, message and HTTP status with which `service` refuses a call for its rate."""
    if service == "ec2":
        return "RequestLimitExceeded", "Request limit exceeded.", 503
    if service in JSON_SERVICES:
        return "ThrottlingException", "Rate exceeded", 400
    return "Throttling", "Rate exceeded", 400
