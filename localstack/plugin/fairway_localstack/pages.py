"""Cuts lists into pages whose token is the index of the next item."""

from .errors import refuse


def cut(items, size, token, code="ValidationError"):
    """One page of `items` and the token of the next one, or None at the end."""
    start = 0
    if token:
        if not str(token).isdigit():
            refuse(code, f"The token '{token}' is not valid")
        start = int(token)
    end = start + size
    return items[start:end], str(end) if end < len(items) else None
