"""Control routes below `/_fairway/`: faults, time, settings, counts, reset. JSON in and out; README.md has examples."""

import json

from localstack.http import Response

from .emulator import EMULATOR
from .seed import plant, read_seed


def _body(request):
    """JSON by whatever content type it comes: curl says it is a form."""
    text = request.get_data(as_text=True)
    return json.loads(text) if text.strip() else {}


class Control:
    """`start_seed` is what a reset without a body plants again."""

    def __init__(self, start_seed):
        self._start_seed = start_seed

    def serve(self, request, route):
        handler = getattr(self, f"_{route}", None)
        if handler is None or route.startswith("_"):
            return _answer({"error": f"there is no route {route}"}, 404)
        try:
            return _answer(handler(request.method, _body(request), request.args))
        except (TypeError, ValueError, KeyError) as error:
            return _answer({"error": f"{type(error).__name__}: {error}"}, 400)

    def _faults(self, method, body, arguments):
        if method == "PUT":
            EMULATOR.faults.load(body)
        elif method == "DELETE":
            EMULATOR.faults.clear()
        return EMULATOR.faults.as_json()

    def _clock(self, method, body, arguments):
        if method == "POST":
            EMULATOR.clock.advance(float(body["advance"]))
        return {"offset_seconds": EMULATOR.clock.offset, "now": EMULATOR.clock.wall().isoformat()}

    def _settings(self, method, body, arguments):
        if method == "PUT":
            EMULATOR.settings.update(body)
        return EMULATOR.settings.as_json()

    def _counters(self, method, body, arguments):
        if method == "DELETE":
            EMULATOR.journal.clear()
        return EMULATOR.journal.counters()

    def _journal(self, method, body, arguments):
        return EMULATOR.journal.entries(int(arguments.get("after", 0)), arguments.get("service", ""))

    def _health(self, method, body, arguments):
        """Target id -> TargetHealth, in the account and region of the seed."""
        account, region = self._scope()
        overrides = EMULATOR.elb(account, region).store.health
        if method == "PUT":
            overrides.clear()
            overrides.update(body)
        return overrides

    def _scope(self):
        if self._start_seed is None:
            return "000000000000", "us-east-1"
        return self._start_seed["account"], self._start_seed["region"]

    def _reset(self, method, body, arguments):
        if method != "POST":
            raise ValueError("reset is a POST")
        seed = self._start_seed
        if "seed" in body:
            seed = None if body["seed"] is None else read_seed(body["seed"])
        EMULATOR.reset()
        if seed is not None:
            plant(EMULATOR, seed)
        return {"seeded": seed is not None}


def _answer(document, status=200):
    response = Response.for_json(document)
    response.status_code = status
    return response
