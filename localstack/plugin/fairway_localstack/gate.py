"""What happens to a request before it is dispatched, and to its answer on the way out."""

import time

from localstack.aws.api import CommonServiceException
from localstack.aws.protocol.serializer import create_serializer

from .emulator import EMULATOR
from .faults.rules import ACTIONS
from .route53.errors import as_messages

# A third of the answer gets through before the connection breaks, so that the client is in the middle of reading.
CUT_AFTER = 3


def admit(chain, context, response):
    """Journals the call and applies faults that come before the request does."""
    if context.operation is None or context.is_internal_call:
        return
    now = EMULATOR.clock.now()
    context.fairway_call = call = EMULATOR.journal.open(now, context, dict(context.service_request or {}))
    context.fairway_fault = fault = EMULATOR.faults.judge(call, now)
    if fault is None:
        return
    call.fault = fault.rule
    if fault.delay_seconds:
        time.sleep(fault.delay_seconds)
    if not ACTIONS[fault.action]:
        raise _error(fault)


def _error(fault):
    return CommonServiceException(fault.code, fault.message, status_code=fault.status, sender_fault=fault.status < 500)


def release(chain, context, response):
    """Spoils the answer if the fault says so, and writes down how the call ended."""
    call = getattr(context, "fairway_call", None)
    if call is None:
        return
    fault, error = context.fairway_fault, getattr(context.service_exception, "code", "")
    if fault is not None and fault.action == "lost":
        error = fault.code
        serializer = create_serializer(context.service, context.protocol)
        request = context.request
        response.update_from(
            serializer.serialize_error_to_response(
                _error(fault), context.operation, request.headers, context.request_id
            )
        )
    elif fault is not None and fault.action == "cut":
        error = "connection cut"
        _cut(response)
    elif error == "InvalidChangeBatch" and EMULATOR.settings.change_batch_error == "messages":
        response.set_response(as_messages(context.service_exception.message))
    EMULATOR.journal.close(call, error)


def _cut(response):
    body = response.get_data()

    def broken():
        yield body[: max(1, len(body) // CUT_AFTER)]
        raise ConnectionError("cut by a fault rule")

    response.response = broken()
    response.headers["Content-Length"] = str(len(body))
