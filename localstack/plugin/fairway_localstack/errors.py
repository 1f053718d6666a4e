"""The one way in which a model refuses a request."""


class AwsError(Exception):
    """An answer that is an error: AWS's code, a message, the HTTP status."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def refuse(code, message, status=400):
    raise AwsError(code, message, status)
