"""What happens when LocalStack starts: providers chosen, gate and control routes put in, the seed planted."""

import json
import os
import socket
import sys
import time

from localstack.aws import handlers
from localstack.runtime import hooks
from localstack.runtime.runtime import LocalstackRuntime
from localstack.services.internal import get_internal_apis

from localstack import config

from . import gate
from .control import Control
from .emulator import EMULATOR
from .seed import plant, read_seed

# Services of the community core that are replaced; the others are ours alone.
REPLACED = ("acm", "ec2", "resourcegroupstaggingapi", "route53")


def _options():
    """What `localstack/run` was asked for; empty when LocalStack was started in another way."""
    return json.loads(os.environ.get("FAIRWAY_LOCALSTACK", "{}"))


def _wait_for_gateway(runtime):
    """LocalStack's own wait looks at 127.0.0.1 only, and so never sees a gateway on an IPv6 address."""
    listen = config.GATEWAY_LISTEN[0]
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_INET6 if ":" in listen.host else socket.AF_INET) as probe:
            if probe.connect_ex((listen.host, listen.port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"the gateway does not listen on {listen}")


USAGE = """
  export AWS_ENDPOINT_URL='{endpoint}' AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

  curl '{endpoint}/_fairway/counters'                      calls, by operation
  curl '{endpoint}/_fairway/journal'                       calls, one by one
  curl -X PUT '{endpoint}/_fairway/faults' -d '{{"rules": [{{"id": "slow", "operation": "Create*", "action": "throttle", "count": 3}}]}}'
  curl -X POST '{endpoint}/_fairway/reset' -d '{{}}'         back to the start

  localstack/README.md has the rest; Ctrl-C stops it.
"""


@hooks.on_infra_start()
def install():
    LocalstackRuntime._wait_for_gateway = _wait_for_gateway
    for service in REPLACED:
        config.SERVICE_PROVIDER_CONFIG.set_provider(service, "strict")
    handlers.serve_custom_service_request_handlers.append(gate.admit)
    handlers.run_custom_response_handlers.append(gate.release)
    seed = None
    if "seed" in _options():
        with open(_options()["seed"], encoding="utf-8") as file:
            seed = read_seed(json.load(file))
        plant(EMULATOR, seed)
    get_internal_apis().add("/_fairway/<route>", endpoint=Control(seed).serve)


@hooks.on_infra_ready()
def announce():
    options = _options()
    print(f"localstack: serving {options.get('endpoint')}", file=sys.stderr, flush=True)
    if sys.stderr.isatty() or "ready_file" not in options:
        print(USAGE.format(endpoint=options.get("endpoint")), file=sys.stderr, flush=True)
    if "ready_file" in options:
        # Renamed into place, so that a reader never sees half of it.
        half = f"{options['ready_file']}.part"
        with open(half, "w", encoding="utf-8") as file:
            json.dump({"endpoint": options["endpoint"], "pid": os.getpid()}, file)
        os.replace(half, options["ready_file"])
