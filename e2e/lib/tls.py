"""Certificates as an issuer in the cluster makes them: for one name, signed by an authority of its own."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = datetime.timedelta(days=90)


class Authority:
    """Issues certificates; its own stands behind each."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority in the cluster")])
        self._own = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0))

    def issue(self, host: str, expired: bool = False) -> dict[str, str]:
        """Entries of a Secret of type `kubernetes.io/tls`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        leaf = self._sign(subject, key, x509.SubjectAlternativeName([x509.DNSName(host)]), expired)
        # As issuers in clusters write keys of elliptic curves.
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        return {"tls.crt": _pem(leaf) + _pem(self._own), "tls.key": text.decode()}

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType, expired: bool = False) -> x509.Certificate:
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1) - (2 * LIFE if expired else datetime.timedelta())
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + LIFE)
        return builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA256())


def secret(namespace: str, name: str, entries: dict[str, str]) -> dict[str, object]:
    """The Secret that holds them."""
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": name, "namespace": namespace}, "stringData": entries}


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
