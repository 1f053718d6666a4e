"""Runs the common behaviours (`e2e/behaviours/*.json`) against an AWS endpoint; their README describes the format."""

import json
import re
from pathlib import Path

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

FOLDER = Path(__file__).resolve().parent.parent / "behaviours"
WORLD = FOLDER / "world" / "seed.json"
_WHOLE = re.compile(r"\$(\w+)")
_PART = re.compile(r"\$\{(\w+)\}")
_MISSING = object()


def load_all():
    """Pairs of file name and behaviour, in a fixed order."""
    files = sorted(FOLDER.glob("*.json"))
    return [(path.stem, behaviour) for path in files for behaviour in json.loads(path.read_text())["behaviours"]]


def world_variables():
    return json.loads((FOLDER / "world" / "variables.json").read_text())


class Clients:
    """One client a service, without retries and without checks of its own, so that the answer is the service's."""

    def __init__(self, endpoint):
        self._session, self._endpoint, self._made = Session(), endpoint, {}

    def call(self, operation, parameters):
        service, name = operation.split(".")
        api = self.client(service)
        method = next(method for method, known in api.meta.method_to_api_mapping.items() if known == name)
        return getattr(api, method)(**parameters)

    def client(self, service):
        """The client of a service, made once."""
        if service not in self._made:
            self._made[service] = self.make(service, Config(retries={"total_max_attempts": 1}))
        return self._made[service]

    def make(self, service, config):
        """A client of its own, with other retries or time-outs."""
        return self._session.create_client(
            service,
            endpoint_url=self._endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(parameter_validation=False).merge(config),
        )


def run(behaviour, clients, control):
    """Runs one behaviour in a fresh world that `control(method, route, body)` steers. AssertionError on a miss."""
    control("POST", "reset", {"seed": json.loads(WORLD.read_text())})
    variables = world_variables()
    for number, step in enumerate(behaviour["steps"], start=1):
        where = f"step {number} of '{behaviour['name']}'"
        if "advance" in step:
            control("POST", "clock", {"advance": step["advance"]})
        elif "settings" in step:
            control("PUT", "settings", step["settings"])
        else:
            for turn in range(1, step.get("times", 1) + 1):
                _call(step, {**variables, "i": turn}, variables, clients, where)


def _call(step, scope, saved, clients, where):
    error, answer = "", {}
    try:
        answer = clients.call(step["call"], fill(step["with"], scope))
    except ClientError as failure:
        error = failure.response["Error"]["Code"]
        answer = {"message": failure.response["Error"]["Message"]}
    wanted = step.get("error", "")
    assert error == wanted, f"{where}: {step['call']} gave {error or 'no error'}, not {wanted or 'success'}: {answer}"
    for path, expected in step.get("expect", {}).items():
        found = look_up(answer, path)
        assert matches(found, fill(expected, scope)), f"{where}: {path} is {found!r}, not {expected!r}"
    for name, path in step.get("save", {}).items():
        found = look_up(answer, path)
        assert found is not _MISSING, f"{where}: there is no {path} to save"
        saved[fill(name, scope)] = found


def fill(value, scope):
    """Puts variables in: `$name` is the value itself, `${name}` its text; `$each` repeats a value."""
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value)
        if whole:
            return scope[whole[1]]
        return _PART.sub(lambda found: str(scope[found[1]]), value)
    if isinstance(value, list):
        return [fill(item, scope) for item in value]
    if isinstance(value, dict) and "$each" in value:
        return [fill(value["of"], {**scope, "i": turn}) for turn in range(1, value["$each"] + 1)]
    if isinstance(value, dict):
        return {key: fill(item, scope) for key, item in value.items()}
    return value


def look_up(value, path):
    """Follows a path of keys and indices; `#` is a length, `*` goes into every item of a list."""
    head, _, rest = path.partition(".")
    if head == "#":
        return len(value)
    if head == "*":
        return [look_up(item, rest) if rest else item for item in value]
    if isinstance(value, list):
        found = value[int(head)] if int(head) < len(value) else _MISSING
    else:
        found = value.get(head, _MISSING) if isinstance(value, dict) else _MISSING
    return look_up(found, rest) if rest and found is not _MISSING else found


_MATCHERS = {
    "absent": lambda found, wanted: (found is _MISSING) == wanted,
    "contains": lambda found, wanted: found is not _MISSING and wanted in found,
    "not": lambda found, wanted: found is not _MISSING and found != wanted,
    "starts_with": lambda found, wanted: isinstance(found, str) and found.startswith(wanted),
    "unordered": lambda found, wanted: isinstance(found, list) and _sorted(found) == _sorted(wanted),
}


def matches(found, expected):
    if isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)) in _MATCHERS:
        name, wanted = next(iter(expected.items()))
        return _MATCHERS[name](found, wanted)
    return found == expected


def _sorted(items):
    return sorted(json.dumps(item, sort_keys=True) for item in items)
