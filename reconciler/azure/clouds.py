"""The Azure clouds: where ARM answers, who signs in, and for whom the token is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from reconciler.errors import UnreachableError, UsageError

METADATA_VERSION = "2022-09-01"


@dataclass(frozen=True)
class Cloud:
    """`resource_manager` and `authority` are origins without a trailing slash; `audience` is the token's scope.

    `ca_file` replaces the machine's trusted authorities; `token` is a fixed bearer token and only ever belongs to an
    emulator, which also is the one cloud that is never asked through a proxy. `known_authority` is False where the
    sign-in service is not one of Microsoft's own: asking Microsoft about it would fail (`instance discovery`).
    """

    name: str
    resource_manager: str
    authority: str
    audience: str
    ca_file: Path | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    known_authority: bool = True

    @property
    def key(self) -> str:
        """What journals and locks know the cloud by. An emulator listens on another port each time; its CA stays."""
        return f"emulator:{self.ca_file}" if self.token is not None else self.resource_manager

    @property
    def host(self) -> str:
        """The host that ARM answers on, without a port."""
        return urlsplit(self.resource_manager).hostname or ""


PUBLIC = Cloud(
    "public",
    "https://management.azure.com",
    "https://login.microsoftonline.com",
    "https://management.azure.com/.default",
)
USGOV = Cloud(
    "usgov",
    "https://management.usgovcloudapi.net",
    "https://login.microsoftonline.us",
    "https://management.usgovcloudapi.net/.default",
)
CHINA = Cloud(
    "china",
    "https://management.chinacloudapi.cn",
    "https://login.chinacloudapi.cn",
    "https://management.chinacloudapi.cn/.default",
)
_AUTHORITIES = frozenset(cloud.authority for cloud in (PUBLIC, USGOV, CHINA))


def known_cloud(name: str) -> Cloud:
    """The cloud of that name: `public`, `usgov` or `china`. Raises UsageError for any other."""
    for cloud in (PUBLIC, USGOV, CHINA):
        if cloud.name == name.lower():
            return cloud
    raise UsageError(
        f"there is no cloud named {name!r}",
        advice="use public, usgov, china, emulator, or the https address of a Resource Manager endpoint",
    )


def emulator_cloud(endpoint: str, ca_file: Path, token: str) -> Cloud:
    """A running emulator: its endpoint, the certificate of its own CA, and the token it gave out."""
    origin = _origin(endpoint)
    return Cloud("emulator", origin, origin, f"{origin}/.default", ca_file, token, known_authority=False)


def custom_cloud(resource_manager: str, authority: str, audience: str = "", ca_file: Path | None = None) -> Cloud:
    """A cloud that is described in full: Azure Stack, a sovereign cloud, a proxy of one's own."""
    origin, login = _origin(resource_manager), _origin(authority)
    scope = f"{(audience or origin).rstrip('/')}/.default"
    return Cloud("custom", origin, login, scope, ca_file, known_authority=login in _AUTHORITIES)


class _Authentication(msgspec.Struct, frozen=True, rename="camel"):
    login_endpoint: str = ""
    audiences: tuple[str, ...] = ()


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    resource_manager: str = ""
    authentication: _Authentication = _Authentication()


def cloud_from_metadata(endpoint: str, body: bytes, ca_file: Path | None = None) -> Cloud:
    """The cloud that an ARM metadata document describes. Raises UsageError where it describes none."""
    try:
        found = msgspec.json.decode(body, type=_Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{endpoint} does not describe a cloud",
            why=str(error),
            advice="check the address, or give the sign-in address (authority) as well",
        ) from error
    login = found.authentication.login_endpoint
    if not login:
        raise UsageError(f"{endpoint} names no sign-in address", advice="give the sign-in address (authority) as well")
    audiences = found.authentication.audiences
    audience = found.resource_manager or (audiences[0] if audiences else endpoint)
    cloud = custom_cloud(endpoint, login, audience, ca_file)
    return dataclasses.replace(cloud, name=found.name or "custom")


async def discover_cloud(endpoint: str, ca_file: Path | None = None) -> Cloud:
    """Asks an ARM endpoint what it is: `GET /metadata/endpoints?api-version=2022-09-01`, as `az cloud register` does.

    Raises UnreachableError where it does not answer and UsageError where the answer describes no cloud.
    """
    import aiohttp

    from reconciler.azure.session import open_session

    origin = _origin(endpoint)
    url = f"{origin}/metadata/endpoints?api-version={METADATA_VERSION}"
    try:
        async with open_session(ca_file, trust_env=True) as session, session.get(url) as response:
            response.raise_for_status()
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UnreachableError(
            f"{origin} does not say what cloud it is",
            resource=url,
            why=str(error) or type(error).__name__,
            advice="check the address, the network, and the CA file where the endpoint has a certificate of its own",
        ) from error
    return cloud_from_metadata(origin, body, ca_file)


def _origin(address: str) -> str:
    parts = urlsplit(address.strip())
    if parts.scheme != "https" or not parts.hostname:
        raise UsageError(
            f"not the address of an Azure endpoint: {address!r}", advice="write it as https://management.example.com"
        )
    return f"https://{parts.netloc}{parts.path.rstrip('/')}"
