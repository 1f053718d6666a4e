"""The lab: a real Kubernetes cluster for tests, with AWS beside it, on one Linux machine. See README.md."""

from .images import Image, Recipe
from .kubernetes import Api, ApiError
from .paths import unique_name
from .processes import Process
from .session import AlreadyUp, CommandFailed, Lab, NotUp
from .teardown import TeardownFailed, leftovers
from .wait import TimedOut, patient, until

__all__ = [
    "AlreadyUp",
    "Api",
    "ApiError",
    "CommandFailed",
    "Image",
    "Lab",
    "NotUp",
    "Process",
    "Recipe",
    "TeardownFailed",
    "TimedOut",
    "leftovers",
    "patient",
    "unique_name",
    "until",
]
