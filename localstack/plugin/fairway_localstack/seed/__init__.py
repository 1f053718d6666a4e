"""The environment that an emulator starts with, as a declarative document. README.md describes its shape."""

from .document import read_seed
from .plant import plant

__all__ = ["plant", "read_seed"]
