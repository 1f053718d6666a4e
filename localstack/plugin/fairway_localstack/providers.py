"""The services as LocalStack loads them, named in the entry points beside this package.

Every handler runs under the emulator's lock; a refusal of a model becomes an error of the service's own protocol.
"""

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import MotoFallbackDispatcher, call_moto_with_request
from localstack.services.plugins import Service, aws_provider

from . import acm as acm_rules
from . import ec2 as ec2_rules
from . import wafv2 as wafv2_rules
from .elbv2.operations import OPERATIONS as ELBV2_OPERATIONS
from .emulator import EMULATOR
from .errors import AwsError
from .extras import operations as extras
from .extras.tagging import get_resources
from .route53.operations import OPERATIONS as ROUTE53_OPERATIONS


def service_error(error):
    """A refusal as LocalStack wants it raised."""
    return CommonServiceException(error.code, error.message, status_code=error.status, sender_fault=error.status < 500)


def _locked(handler):
    def serve(context, request):
        with EMULATOR.lock:
            try:
                EMULATOR.sweep(context.account_id, context.region)
                return handler(context, request or {})
            except AwsError as error:
                raise service_error(error) from error

    return serve


def _absent(context, request):
    raise NotImplementedError


def _service(name, base, handlers, hook=None):
    """A service that answers from `handlers`, and from `base` (a table) for everything else."""
    table = {operation: _locked(handler) for operation, handler in {**base, **handlers}.items()}
    return Service(name=name, skeleton=Skeleton(load_service(name), table), lifecycle_hook=hook)


def _table(name, handler):
    return {operation: handler for operation in load_service(name).operation_names}


def _over(base, rules):
    """Handlers that get the answer of `base` to work on."""
    return {
        operation: lambda context, request, rule=rule, moto=base[operation]: rule(moto, EMULATOR, context, request)
        for operation, rule in rules.items()
    }


def _beside(handlers):
    return {
        operation: lambda context, request, handler=handler: handler(EMULATOR, context, request)
        for operation, handler in handlers.items()
    }


@aws_provider(api="elbv2")
def elbv2():
    handlers = {
        operation: lambda context, request, handler=handler: handler(
            EMULATOR.elb(context.account_id, context.region), request
        )
        for operation, handler in ELBV2_OPERATIONS.items()
    }
    return _service("elbv2", _table("elbv2", _absent), handlers)


@aws_provider(api="ec2", name="strict")
def ec2():
    from localstack.services.ec2.provider import Ec2Provider

    provider = Ec2Provider()
    base = dict(MotoFallbackDispatcher(provider))
    # Unlike the table's own entry this one sends the request as it is handed over, not as it came in.
    base["DescribeNetworkInterfaces"] = call_moto_with_request
    return _service("ec2", base, _over(base, ec2_rules.OPERATIONS), hook=provider)


@aws_provider(api="acm", name="strict")
def acm():
    from localstack.services.acm.provider import AcmProvider

    base = dict(MotoFallbackDispatcher(AcmProvider()))
    return _service("acm", base, _over(base, acm_rules.OPERATIONS))


@aws_provider(api="route53", name="strict")
def route53():
    from localstack.services.route53.provider import Route53Provider

    base = dict(MotoFallbackDispatcher(Route53Provider()))
    # LocalStack's own handler asks EC2 over the network, which would wait for the lock that is held here.
    base["CreateHostedZone"] = call_moto_with_request
    return _service("route53", base, _over(base, ROUTE53_OPERATIONS))


@aws_provider(api="resourcegroupstaggingapi", name="strict")
def tagging():
    base = _table("resourcegroupstaggingapi", call_moto_with_request)
    return _service("resourcegroupstaggingapi", base, _beside({"GetResources": get_resources}))


@aws_provider(api="wafv2")
def wafv2():
    base = _table("wafv2", call_moto_with_request)
    return _service("wafv2", base, _over(base, wafv2_rules.OPERATIONS))


@aws_provider(api="shield")
def shield():
    return _service("shield", _table("shield", call_moto_with_request), _beside(extras.SHIELD))


@aws_provider(api="cognito-idp")
def cognito_idp():
    return _service("cognito-idp", _table("cognito-idp", call_moto_with_request), {})


@aws_provider(api="globalaccelerator")
def globalaccelerator():
    base = _table("globalaccelerator", _absent)
    return _service("globalaccelerator", base, _beside(extras.GLOBAL_ACCELERATOR))


@aws_provider(api="waf-regional")
def waf_regional():
    return _service("waf-regional", _table("waf-regional", _absent), _beside(extras.WAF_REGIONAL))
