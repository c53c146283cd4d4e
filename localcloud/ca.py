"""The local certificate authority: every service of the local cloud speaks TLS, because the Azure SDKs insist.

Called by the supervisor, once for a state folder. The authority's key is thrown away when it has signed, it
is constrained to loopback names, and it is never put into the machine's own trust store.
"""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=825)
RENEW_BEFORE = dt.timedelta(days=30)
# Azurite also answers to host-style names (ACCOUNT.blob.localhost), which some SDK calls build.
NAMES = ("localhost", "*.localhost", "*.blob.localhost", "*.queue.localhost", "*.table.localhost")
LOOPBACK = ipaddress.IPv4Address("127.0.0.1")


def ensure(folder: Path) -> None:
    """Make ca.pem, server.pem and server.key in the folder, unless they are there and good for a month."""
    server = folder / "server.pem"
    if server.exists() and (folder / "ca.pem").exists() and not _expires_soon(server):
        return
    folder.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _authority(ca_key)
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    server.write_bytes(_server(key, ca, ca_key).public_bytes(serialization.Encoding.PEM))
    _write_key(folder / "server.key", key)


def _expires_soon(path: Path) -> bool:
    end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return end - dt.datetime.now(dt.UTC) < RENEW_BEFORE


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Upkeep local cloud")])
    loopback_only = x509.NameConstraints(
        permitted_subtrees=[
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.IPv4Network("127.0.0.0/8")),
        ],
        excluded_subtrees=None,
    )
    return (
        _builder("Upkeep local cloud", issuer, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(loopback_only, critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    names = [*(x509.DNSName(name) for name in NAMES), x509.IPAddress(LOOPBACK)]
    return (
        _builder("localhost", ca.subject, key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
