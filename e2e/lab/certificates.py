"""Keys and certificates of one lab: its own authority, the API server's certificate, the key that signs service-account tokens."""

import dataclasses
import subprocess
from collections.abc import Sequence
from pathlib import Path

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
API_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost")


@dataclasses.dataclass(frozen=True)
class Certificates:
    """Paths of the files, all in one folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def authority_key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def server(self) -> Path:
        return self.folder / "apiserver.crt"

    @property
    def server_key(self) -> Path:
        return self.folder / "apiserver.key"

    @property
    def accounts_key(self) -> Path:
        return self.folder / "accounts.key"

    @property
    def accounts_public(self) -> Path:
        return self.folder / "accounts.pub"


def make(folder: Path, addresses: Sequence[str]) -> Certificates:
    """Makes all files; the API server's certificate is good for its usual names and for `addresses`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Certificates(folder)
    names = ",".join([f"DNS:{name}" for name in API_NAMES] + [f"IP:{address}" for address in addresses])
    _openssl("req", "-x509", *CURVE, "-days", "365", "-subj", "/CN=lab authority",
             "-keyout", files.authority_key, "-out", files.authority)
    _openssl("req", "-x509", *CURVE, "-days", "365", "-subj", "/CN=kube-apiserver",
             "-CA", files.authority, "-CAkey", files.authority_key,
             "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE",
             "-keyout", files.server_key, "-out", files.server)
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", files.accounts_key)
    _openssl("ec", "-in", files.accounts_key, "-pubout", "-out", files.accounts_public)
    return files


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
