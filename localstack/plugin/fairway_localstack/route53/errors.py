"""The second form in which Route 53 answers InvalidChangeBatch. Source: InvalidChangeBatch in the API reference."""

from xml.sax.saxutils import escape

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"


def as_messages(message):
    """A body whose root is the error itself, with one Message per offending change."""
    parts = message.removeprefix("[").removesuffix("]").split(", Tried ")
    texts = [parts[0]] + [f"Tried {part}" for part in parts[1:]]
    inner = "".join(f"<Message>{escape(text)}</Message>" for text in texts)
    return f'<?xml version="1.0"?>\n<InvalidChangeBatch xmlns="{NAMESPACE}"><Messages>{inner}</Messages></InvalidChangeBatch>'
