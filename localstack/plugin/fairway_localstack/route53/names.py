"""Domain names as Route 53 stores and orders them.

Source: "DNS domain name format" in the Route 53 developer guide; ListResourceRecordSets for the order.
"""

import re

from ..errors import refuse

LONGEST_LABEL, LONGEST_NAME = 63, 255


def normal(name):
    """Absolute, lower-case, every octet outside a-z 0-9 - _ as a three-digit octal escape."""
    labels = (name[:-1] if name.endswith(".") else name).split(".")
    decoded = [re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), label) for label in labels]
    for label in decoded:
        _check_label(name, label)
    if sum(len(label) + 1 for label in decoded) > LONGEST_NAME:
        _fatal(f"DomainNameTooLong (Domain name is too long) encountered with '{name}'")
    return ".".join(_escaped(label.lower()) for label in decoded) + "."


def _check_label(name, label):
    if not label:
        _fatal(f"DomainLabelEmpty (Domain label is empty) encountered with '{name}'")
    if len(label) > LONGEST_LABEL:
        _fatal(f"DomainLabelTooLong (Domain label is too long) encountered with '{name}'")


def _fatal(problem):
    refuse("InvalidChangeBatch", f"[FATAL problem: {problem}]")


def _escaped(label):
    return "".join(char if re.match(r"[a-z0-9_\-]", char) else f"\\{ord(char):03o}" for char in label)


def sort_key(name, kind, set_identifier):
    """Record sets are listed by reversed labels, then type, then set identifier."""
    return tuple(reversed(name.rstrip(".").split("."))), kind or "", set_identifier or ""
