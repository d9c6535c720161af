"""Sign-in by azure-identity, unmodified, and the metadata that the Azure CLI and Terraform read."""

from __future__ import annotations

import base64
import json
import time

import pytest
from azure.identity import ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
TENANT = "22222222-2222-4222-8222-222222222222"
CLIENT = "33333333-3333-4333-8333-333333333333"
SCOPE = "https://management.azure.com/.default"


def claims_of(token: str) -> dict:
    _, payload, _ = token.split(".")
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


def options(server) -> dict:
    running = server.running
    return {"authority": running.endpoint, "disable_instance_discovery": True, "connection_verify": running.ca}


def test_client_secret_reaches_compute(server):
    credential = ClientSecretCredential(TENANT, CLIENT, "never-logged", **options(server))
    running = server.running
    with ComputeManagementClient(
        credential, SUBSCRIPTION, base_url=running.endpoint, connection_verify=running.ca
    ) as client:
        assert len(list(client.virtual_machines.list_all())) == 2
    assert "never-logged" not in str(server.emulator.log.recent())


def test_token_claims(server):
    token = ClientSecretCredential(TENANT, CLIENT, "s", **options(server)).get_token(SCOPE)
    claims = claims_of(token.token)
    assert (
        claims.items() >= {"appid": CLIENT, "tid": TENANT, "aud": "https://management.azure.com", "ver": "1.0"}.items()
    )
    assert claims["oid"] == claims["sub"]
    assert "scp" not in claims
    assert abs(token.expires_on - time.time() - 86_399) < 60


async def test_client_secret_aio(server):
    async with AsyncClientSecretCredential(TENANT, CLIENT, "s", **options(server)) as credential:
        assert claims_of((await credential.get_token(SCOPE)).token)["appid"] == CLIENT


def test_workload_identity(server, tmp_path):
    assertion = tmp_path / "token"
    assertion.write_text("federated")
    credential = WorkloadIdentityCredential(
        tenant_id=TENANT, client_id=CLIENT, token_file_path=str(assertion), **options(server)
    )
    assert claims_of(credential.get_token(SCOPE).token)["appid"] == CLIENT


def test_managed_identity(server, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.running.endpoint}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    credential = ManagedIdentityCredential(connection_verify=server.running.ca)
    assert claims_of(credential.get_token(SCOPE).token)["tid"] == server.emulator.world.configuration.tenant


def test_metadata_has_what_terraform_and_az_require(ask):
    body = ask("GET", "//metadata/endpoints", api_version="2022-09-01", principal="").response.body
    assert body["authentication"]["loginEndpoint"] == body["resourceManager"] == "https://localhost:9443"
    assert (body["authentication"]["identityProvider"], body["authentication"]["tenant"]) == ("AAD", "common")
    assert {"name", "microsoftGraphResourceId", "graphAudience", "batch"} <= set(body)
    assert {"storage", "keyVaultDns"} <= set(body["suffixes"])


def test_old_metadata_is_a_map_of_clouds(ask):
    body = ask("GET", "/metadata/endpoints", api_version="2018-01-01", principal="").response.body
    assert body["cloudEndpoint"]["public"]["endpoint"] == "localhost:9443"


@pytest.mark.parametrize(
    "path", ["/common/v2.0/.well-known/openid-configuration", f"/{TENANT}/.well-known/openid-configuration"]
)
def test_discovery_points_back_here(ask, path):
    body = ask("GET", path, api_version="", principal="").response.body
    tenant = path.split("/")[1]
    assert body["token_endpoint"] == f"https://localhost:9443/{tenant}/oauth2/v2.0/token"
    assert ask("GET", f"/{tenant}/discovery/v2.0/keys", api_version="", principal="").response.body == {"keys": []}


@pytest.mark.parametrize(
    "form", [{}, {"grant_type": "password", "client_id": CLIENT}, {"grant_type": "client_credentials"}]
)
def test_other_grants_are_refused_as_entra_does(ask, form):
    outcome = ask("POST", f"/{TENANT}/oauth2/v2.0/token", form, api_version="", principal="")
    assert outcome.response.status == 400
    assert outcome.response.body["error"] == "unsupported_grant_type"


def test_managed_identity_needs_its_header(ask):
    outcome = ask("GET", "/msi/token?resource=x", api_version="2019-08-01", principal="")
    assert outcome.response.status == 400
