"""Where the blob of a lock is, and what may be sent there: the address may come from a file in a pull request."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from reconciler.azure.clouds import CHINA, PUBLIC, USGOV, Cloud
from reconciler.errors import UsageError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HOSTS = {
    PUBLIC.authority: (".blob.core.windows.net", ".blob.storage.azure.net"),
    USGOV.authority: (".blob.core.usgovcloudapi.net",),
    CHINA.authority: (".blob.core.chinacloudapi.cn",),
}
"""Who signs in → the ends of the names of blob endpoints in that cloud."""
_SECRETS = ("accountkey=", "sharedaccesssignature=", "sig=", "sig%3d")
_AS = "write it as https://<account>.blob.core.windows.net/<container>/<name>"


@dataclass(frozen=True, slots=True)
class Location:
    """Where the blob is. `query` is a shared access signature, "" for none: a secret, and never shown."""

    url: str
    query: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.url

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def loopback(self) -> bool:
        """Whether it lies on this machine: Azurite."""
        return self.host in _LOOPBACK

    @property
    def container(self) -> str:
        """The name of the container. The account comes before it in the path of an address with an IP or a port."""
        names = urlsplit(self.url).path.strip("/").split("/")
        return names[1] if _with_account_in_path(self.host) else names[0]

    @property
    def account(self) -> str:
        path = urlsplit(self.url).path
        return path.strip("/").split("/")[0] if _with_account_in_path(self.host) else self.host.partition(".")[0]


def locate(address: str) -> Location:
    """An address as it was given. Raises UsageError for one that names no blob: without what follows a `?`, and without
    all of it where a secret may stand elsewhere in it."""
    text, _, query = address.strip().partition("?")
    if any(secret in text.casefold() for secret in _SECRETS):
        raise UsageError(
            "what was given for the lock has a secret in it, and is not the address of a blob: it is not shown",
            advice=f"{_AS}, a SAS behind a `?`; a connection string belongs in AZURE_STORAGE_CONNECTION_STRING",
        )
    parts = _split(text)
    host = parts.hostname or "" if parts else ""
    if parts is None or not host or not _names_a_blob(parts) or "@" in parts.netloc or parts.fragment:
        raise UsageError(f"{text.rpartition('@')[2]!r} is not the address of a blob", advice=_AS)
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise UsageError(f"{text} would send a credential in the clear", advice="write https://")
    return Location(text, query)


def account_key(location: Location, connection_string: str) -> dict[str, str] | None:
    """The key of that very account, as the SDK takes it; None where the connection string is of another, or the address
    only bears its name: a request that is signed with it would be worth something to whoever gets it."""
    given = dict(part.strip().split("=", 1) for part in connection_string.split(";") if "=" in part)
    name, key = given.get("AccountName", ""), given.get("AccountKey", "")
    suffix = given.get("EndpointSuffix", "core.windows.net")
    endpoint = Location(given.get("BlobEndpoint") or f"https://{name}.blob.{suffix}")
    there = location.host == endpoint.host or (location.loopback and endpoint.loopback)
    if name and key and there and name.casefold() == location.account.casefold():
        return {"account_name": name, "account_key": key}
    return None


def refuse_strangers(location: Location, cloud: Cloud) -> None:
    """Raises UsageError where the cloud's own sign-in must not be sent: it goes to storage accounts of that cloud."""
    if cloud.token is not None or location.loopback:
        raise UsageError(
            f"nothing is known to sign in with to {location}",
            why="the emulator's token is worth nothing to a storage account, and Azure's is not sent to this machine",
            advice="set AZURE_STORAGE_CONNECTION_STRING of that account, or RECONCILER_LOCK to the address with a SAS",
        )
    known = _HOSTS.get(cloud.authority) or (f".blob.{cloud.host.partition('.')[2]}",)
    if not location.host.endswith(known):
        raise UsageError(
            f"{location.host} is no blob endpoint of the cloud {cloud.name}: nothing was sent there",
            advice=f"write https://<account>{known[0]}/<container>/<name>",
        )


def _split(text: str) -> SplitResult | None:
    """None for what is no address at all."""
    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _names_a_blob(parts: SplitResult) -> bool:
    names = [name for name in parts.path.split("/") if name]
    enough = len(names) > (2 if _with_account_in_path(parts.hostname or "") else 1)
    return parts.scheme in ("https", "http") and enough


def _with_account_in_path(host: str) -> bool:
    return host in _LOOPBACK or host.replace(".", "").isdigit()
