"""Everything that one emulator process remembers beside moto, and the lock around all of it."""

import threading

from . import moto_bridge
from .clock import Clock
from .elbv2 import interfaces
from .elbv2.state import Elb, Store
from .extras.state import Extras
from .faults import Engine
from .journal import Journal
from .moto_bridge import MotoNetwork
from .route53.zone import Zones
from .settings import Settings


class Emulator:
    """`lock` is held while a request is served: moto is not thread-safe, and one core serves everything anyway."""

    def __init__(self):
        self.lock = threading.RLock()
        self.clock, self.settings, self.faults, self.journal = Clock(), Settings(), Engine(), Journal()
        self._forget()

    def _forget(self):
        self._stores = {}
        self.zones = Zones(self.clock, self.settings)
        self.extras = Extras()
        # (account, region, idempotency token) -> the request that was made with it
        self.certificate_tokens = {}
        self.certificates_requested = 0
        # (account, region, security group id) -> time of creation, for the visibility lag
        self.group_births = {}

    def reset(self):
        """Back to an empty account: no objects, faults, counts; real time; default settings."""
        with self.lock:
            moto_bridge.forget_everything()
            self.clock.reset()
            self.settings.reset()
            self.faults.clear()
            self.journal.clear()
            self._forget()

    def elb(self, account, region):
        store = self._stores.setdefault((account, region), Store())
        return Elb(account, region, store, MotoNetwork(account, region), self.clock, self.settings)

    def sweep(self, account, region):
        """Brings about what only time does."""
        interfaces.sweep(self.elb(account, region))


EMULATOR = Emulator()
