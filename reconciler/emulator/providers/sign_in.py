"""Microsoft Entra ID and cloud metadata, as far as clients need them: any client and any secret is let in.

The metadata object is what the Azure CLI and Terraform read at registration; tokens are three-part JWTs that nobody
verifies but Terraform takes apart (oid, tid, appid).
"""

from __future__ import annotations

import uuid
from typing import Any

from reconciler.emulator.bearer import object_id, token_of
from reconciler.emulator.failures import ArmError, bad_request
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

LIFETIME = 86_399


def get_metadata(_world: World, request: Request) -> Response:
    """``/metadata/endpoints``: one object since 2022-09-01, a map of clouds in 2018-01-01."""
    if request.api_version == "2018-01-01":
        return Response(200, _old_metadata(request.base_url))
    origin = request.base_url
    return Response(
        200,
        {
            "name": "ReconcilerEmulator",
            "portal": origin,
            "authentication": {
                "loginEndpoint": origin,
                "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "media": "https://rest.media.azure.net",
            "graphAudience": "https://graph.windows.net/",
            "graph": "https://graph.windows.net/",
            "microsoftGraphResourceId": "https://graph.microsoft.com/",
            "batch": "https://batch.core.windows.net/",
            "resourceManager": origin,
            "gallery": origin,
            "sqlManagement": "https://management.core.windows.net:8443/",
            "vmImageAliasDoc": f"{origin}/aliases.json",
            "activeDirectoryDataLake": "https://datalake.azure.net/",
            "suffixes": {
                "storage": "core.windows.net",
                "keyVaultDns": "vault.azure.net",
                "acrLoginServer": "azurecr.io",
                "sqlServerHostname": "database.windows.net",
                "mhsmDns": "managedhsm.azure.net",
            },
        },
    )


def _old_metadata(origin: str) -> dict[str, Any]:
    locations = ["westeurope", "northeurope", "eastus2"]
    return {"cloudEndpoint": {"public": {"endpoint": origin.removeprefix("https://"), "locations": locations}}}


def get_openid_configuration(_world: World, request: Request) -> Response:
    tenant = request.params["tenant"]
    origin = f"{request.base_url}/{tenant}"
    return Response(
        200,
        {
            "issuer": f"{origin}/v2.0",
            "token_endpoint": f"{origin}/oauth2/v2.0/token",
            "authorization_endpoint": f"{origin}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{origin}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{origin}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_types_supported": ["code", "id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["pairwise"],
            "tenant_region_scope": "EU",
        },
    )


def get_keys(_world: World, _request: Request) -> Response:
    return Response(200, {"keys": []})


def discover_instance(_world: World, request: Request) -> Response:
    """Instance discovery, which clients ask before they trust an authority they do not know."""
    origin = request.base_url
    host = origin.removeprefix("https://")
    return Response(
        200,
        {
            "tenant_discovery_endpoint": f"{origin}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        },
    )


def issue_token(world: World, request: Request) -> Response:
    """The client-credentials grant, by secret or assertion (workload identity). What is proved is not looked at."""
    form: dict[str, str] = request.body if isinstance(request.body, dict) else {}
    client = form.get("client_id", "")
    if form.get("grant_type") != "client_credentials" or not client:
        raise _refused_grant(form.get("grant_type", ""))
    audience = (form.get("scope") or form.get("resource") or "").split(" ")[0].removesuffix("/.default")
    token = _token(world, request, client, audience, request.params.get("tenant", ""))
    return Response(
        200,
        {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token},
        {"Cache-Control": "no-store, no-cache"},
    )


def _refused_grant(grant: str) -> ArmError:
    message = f"AADSTS70003: The app requested an unsupported grant type '{grant}' or sent no client_id."
    body = {"error": "unsupported_grant_type", "error_description": message, "error_codes": [70003]}
    return ArmError(400, "unsupported_grant_type", message, body=body)


def issue_managed_identity_token(world: World, request: Request) -> Response:
    """App Service (X-IDENTITY-HEADER) and virtual machine (Metadata: true) flavours; ``expires_on`` is a string."""
    if not (request.headers.get("x-identity-header") or request.headers.get("metadata")):
        raise bad_request("invalid_request", "Required metadata header not specified")
    resource = request.query.get("resource", "https://management.azure.com/")
    client = request.query.get("client_id") or "managed-identity"
    expires = int(world.clock.wall().timestamp()) + LIFETIME
    return Response(
        200,
        {
            "access_token": _token(world, request, client, resource, ""),
            "client_id": client,
            "expires_in": str(LIFETIME),
            "expires_on": str(expires),
            "not_before": str(expires - LIFETIME),
            "resource": resource,
            "token_type": "Bearer",
        },
    )


def _token(world: World, request: Request, client: str, audience: str, tenant: str) -> str:
    """A JWT on the real clock: clients compare its expiry with theirs, not with the emulator's."""
    now = int(world.clock.wall().timestamp())
    identity = object_id(client)
    tid = tenant if _is_guid(tenant) else world.configuration.tenant
    return token_of(
        {
            "aud": audience,
            "iss": f"{request.base_url}/{tid}/",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "appid": client,
            "appidacr": "1",
            "idtyp": "app",
            "oid": identity,
            "sub": identity,
            "tid": tid,
            "ver": "1.0",
        }
    )


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


ROUTES: tuple[Route, ...] = (
    Route("GET", "/metadata/endpoints", get_metadata),
    Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", get_openid_configuration),
    Route("GET", "/{tenant}/.well-known/openid-configuration", get_openid_configuration),
    Route("GET", "/{tenant}/discovery/v2.0/keys", get_keys),
    Route("GET", "/{tenant}/discovery/instance", discover_instance),
    Route("POST", "/{tenant}/oauth2/v2.0/token", issue_token),
    Route("POST", "/{tenant}/oauth2/token", issue_token),
    Route("GET", "/msi/token", issue_managed_identity_token),
    Route("GET", "/metadata/identity/oauth2/token", issue_managed_identity_token),
)
