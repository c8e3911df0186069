"""Certificates to begin with: an authority of one's own, a server's and a client's under it.

    made(folder, ["desk.example", "10.0.0.5"], days)

    authority.pem  authority.key      signs; keep the key away from the desk's host
    server.pem     server.key         hft desk --certificate server.pem --key server.key
    client.pem     client.key         hft desk --client-authority authority.pem lets these in
    client.p12                        the same for a browser

ECDSA P-256, as all browsers take it; keys are of mode 0600. A firm that has an authority of its own
uses that. Worst case: nothing is overwritten.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.core.units import shown

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
FILES = (
    *("authority.pem", "authority.key", "server.pem", "server.key"),
    *("client.pem", "client.key", "client.p12"),
)
_ALWAYS = ("localhost", "127.0.0.1", "::1")


def made(folder: Path, hosts: list[str], days: int) -> list[Path]:
    """All of them, in a folder that has none."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    for host in hosts:
        if not _NAME.fullmatch(host) and not _is_address(host):
            do = "Give a name or an address: --host desk.example."
            raise InputError(f"{shown(host)} is no host", where="--host", do=do)
    for name in FILES:
        if os.path.lexists(folder / name):
            do = "Give another folder with --into; nothing is overwritten."
            raise InputError("There is one already", where=str(folder / name), do=do)
    authority_key, authority = _authority(days)
    server_key, server = _leaf("desk", [*hosts, *_ALWAYS], authority_key, authority, days, True)
    client_key, client = _leaf("client", [], authority_key, authority, days, False)
    pairs = (("authority", authority_key, authority), ("server", server_key, server))
    files = {}
    for name, key, certificate in (*pairs, ("client", client_key, client)):
        files[f"{name}.pem"] = certificate.public_bytes(serialization.Encoding.PEM)
        files[f"{name}.key"] = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    files["client.p12"] = pkcs12.serialize_key_and_certificates(
        b"hft desk", client_key, client, [authority], serialization.NoEncryption()
    )
    return [_write(folder / name, files[name]) for name in FILES]


def names_of(certificate: Path) -> frozenset[str]:
    """The hosts that a certificate is for: by these a desk may be called."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    except (OSError, ValueError) as error:
        do = "Give a file as `hft desk certificate` writes it: server.pem."
        what = f"The certificate cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(what, where=str(certificate), do=do) from None
    hosts = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    for address in names.get_values_for_type(x509.IPAddress):
        hosts.append(f"[{address}]" if address.version == 6 else str(address))
    return frozenset(hosts)


def _authority(days: int) -> tuple[Any, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("hft desk authority")
    usage = {"digital_signature": False, "key_cert_sign": True, "crl_sign": True}
    begun = _begun(name, name, key, days)
    begun = begun.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    begun = begun.add_extension(_usage(**usage), critical=True)
    return key, begun.sign(key, hashes.SHA256())


def _leaf(
    name: str, hosts: list[str], signer: Any, authority: Any, days: int, is_server: bool
) -> tuple[Any, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

    key = ec.generate_private_key(ec.SECP256R1())
    begun = _begun(_name(f"hft desk {name}"), authority.subject, key, days)
    use = Usage.SERVER_AUTH if is_server else Usage.CLIENT_AUTH
    begun = begun.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    begun = begun.add_extension(_usage(digital_signature=True), critical=True)
    begun = begun.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    whose = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    begun = begun.add_extension(whose, critical=False)
    if hosts:
        names = [
            x509.IPAddress(ipaddress.ip_address(host))
            if _is_address(host)
            else x509.DNSName(host.lower())
            for host in dict.fromkeys(hosts)
        ]
        begun = begun.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return key, begun.sign(signer, hashes.SHA256())


def _begun(subject: Any, issuer: Any, key: Any, days: int) -> Any:
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    begun = begun.public_key(key.public_key()).serial_number(x509.random_serial_number())
    begun = begun.not_valid_before(now - datetime.timedelta(minutes=5))
    begun = begun.not_valid_after(now + datetime.timedelta(days=days))
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return begun.add_extension(own, critical=False)


def _usage(**given: bool) -> Any:
    from cryptography import x509

    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


def _name(text: str) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _write(path: Path, data: bytes) -> Path:
    mode = 0o644 if path.name.endswith(".pem") else 0o600
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
    except OSError as error:
        do = "Give a folder that you can write."
        what = f"It cannot be written: {error.strerror}"
        raise HostError(what, where=str(path), do=do) from None
    return path
