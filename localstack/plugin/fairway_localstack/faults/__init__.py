"""Faults in front of the services: which call fails, how, and what was called."""

from .engine import Engine
from .rules import Fault, Rule

__all__ = ["Engine", "Fault", "Rule"]
