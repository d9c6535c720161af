"""The emulator's own certificate authority: made once a state folder, and trusted only by who is told to."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

NAMES = ("localhost", "127.0.0.1", "management.azure.com", "login.microsoftonline.com")


def server_tls(folder: Path) -> ssl.SSLContext:
    """A server's TLS settings; makes ``ca.pem``, ``ca.key`` and ``server.pem`` (keys 0600) when they are missing."""
    if not (folder / "server.pem").exists() or not (folder / "ca.pem").exists():
        _issue(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    return tls


def client_tls(ca: Path) -> ssl.SSLContext:
    """TLS settings of a client that trusts this emulator and nothing else."""
    return ssl.create_default_context(cafile=str(ca))


def _issue(folder: Path) -> None:
    import trustme

    authority = trustme.CA(organization_name="Reconciler emulator", organization_unit_name="throw-away test CA")
    leaf = authority.issue_cert(*NAMES)
    _write_secret(folder / "ca.key", authority.private_key_pem.bytes())
    chain = b"".join([leaf.private_key_pem.bytes(), *(pem.bytes() for pem in leaf.cert_chain_pems)])
    _write_secret(folder / "server.pem", chain)
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())


def _write_secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
