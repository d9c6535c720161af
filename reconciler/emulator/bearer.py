"""Who a bearer token speaks for. Nobody verifies it: the emulator lets everybody in."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping

import msgspec

PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
"""The application id of the Azure portal, which acts for people."""
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_TOLD = ("appid", "name", "oid", "tid", "upn")


def object_id(name: str) -> str:
    """The object id of an application or a person: the same one for the same name."""
    return str(uuid.uuid5(_NAMESPACE, name))


def claims_of(authorization: str) -> dict[str, str]:
    """The claims of a JWT in an Authorization header that tell who calls; none for any other token."""
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return {}
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return {}
    return {name: str(claims[name]) for name in _TOLD if claims.get(name)} if isinstance(claims, dict) else {}


def caller_of(claims: Mapping[str, str], principal: str) -> str:
    """The name that Azure writes down: of a person the user principal name, of an application its id."""
    return claims.get("upn") or claims.get("appid") or object_id(principal)


def token_of(claims: Mapping[str, object]) -> str:
    """A JWT of three parts that nobody signed."""
    header = {"typ": "JWT", "alg": "RS256", "kid": "emulator"}
    return ".".join([_part(msgspec.json.encode(header)), _part(msgspec.json.encode(claims)), _part(b"unsigned")])


def token_in_name_of(caller: str) -> str:
    """The token of a person who works in the portal (a user principal name), or of an application (anything else)."""
    if "@" not in caller:
        return token_of({"appid": caller, "idtyp": "app", "oid": object_id(caller)})
    name = caller.partition("@")[0]
    return token_of({"appid": PORTAL, "idtyp": "user", "oid": object_id(caller), "upn": caller, "name": name})


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
