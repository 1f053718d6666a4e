"""The API server as the lab and its tests speak to it: plain HTTP calls, and kubeconfig files for others."""

import dataclasses
import functools
import http.client
import json
import ssl
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .wait import patient

PATCH = "application/merge-patch+json"
# The API server closes connections that nobody used for 90 s.
IDLE_SECONDS = 30.0

# Each thread's connections, with the time of their last use: a new one costs more than most calls.
_open = threading.local()


class ApiError(RuntimeError):
    """The API server refused a call."""

    def __init__(self, call: str, status: int, body: str) -> None:
        super().__init__(f"{call}: {status} {body.strip()}")
        self.status = status


@dataclasses.dataclass(frozen=True)
class Api:
    """One API server and one identity. Bodies and answers are JSON objects."""

    server: str
    token: str
    authority: Path

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self.call("PUT", path, body)

    def patch(self, path: str, body: Any, kind: str = PATCH) -> Any:
        return self.call("PATCH", path, body, kind)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """Sends one request. Raises `ApiError` for an answer outside 2xx and `OSError` when there is none."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", "Content-Type": kind}
        status, text = self._send(method, path, None if body is None else json.dumps(body), headers)
        if not 200 <= status < 300:
            raise ApiError(f"{method} {path}", status, text)
        return json.loads(text) if text.startswith(("{", "[")) else text

    def _send(self, *request: Any) -> tuple[int, str]:
        """Sends a request over a connection that is open, or over a new one, and keeps it open."""
        # A server of another run may have the same address, but not the same authority.
        key = (self.server, self.authority.read_text(encoding="ascii"))
        connection, used = _open.__dict__.pop(key, (None, 0.0))
        if connection is not None and time.monotonic() - used < IDLE_SECONDS:
            try:
                return _exchange(key, connection, request)
            except OSError:  # the server may have ended meanwhile; what changes something is not sent twice
                if request[0] != "GET":
                    raise
        url = urlsplit(self.server)
        fresh = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=patient(30), context=_trusting(key[1]))
        return _exchange(key, fresh, request)

    def at(self, server: str) -> "Api":
        """The same cluster and identity, reached by another address."""
        return dataclasses.replace(self, server=server)

    def for_service_account(self, namespace: str, name: str, seconds: int = 24 * 3600) -> "Api":
        """The same server, as a service account: a token asked for by TokenRequest, good for `seconds`."""
        answer = self.post(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
                           {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}})
        return dataclasses.replace(self, token=answer["status"]["token"])

    def write_kubeconfig(self, path: Path, user: str = "admin", namespace: str = "default") -> Path:
        """Writes a kubeconfig that needs no other file next to the authority's certificate."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {"server": self.server, "certificate-authority": str(self.authority)}}],
            "users": [{"name": user, "user": {"token": self.token}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user, "namespace": namespace}}],
            "current-context": "lab",
        }
        path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")  # JSON is YAML
        path.chmod(0o600)
        return path


@functools.cache
def _trusting(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority)


def _exchange(key: tuple[str, str], connection: http.client.HTTPSConnection, request: tuple[Any, ...]) -> tuple[int, str]:
    try:
        connection.request(*request)
        answer = connection.getresponse()
        text = answer.read().decode()
    except BaseException:
        connection.close()
        raise
    if not answer.will_close:
        _open.__dict__[key] = (connection, time.monotonic())
    return answer.status, text
