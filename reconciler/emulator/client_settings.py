"""What other people's clients must be told to use a running emulator: lines to paste, ready to run.

Two ways lead here. As a *custom cloud*, a client is told the endpoint; through the *proxy*, it keeps the public cloud's
addresses and is only told the proxy and the certificate. Any client id and secret are let in.
"""

from __future__ import annotations

import json
from shlex import quote
from typing import NamedTuple
from urllib.parse import urlsplit

from reconciler.emulator.remote import EmulatorError, Running

CLIENT_ID = "c11e0000-0000-4000-8000-000000000001"
SECRET = "any-secret"  # noqa: S105  (the emulator looks at none)
CLOUD = "ReconcilerEmulator"


class Account(NamedTuple):
    """What a client signs in to."""

    tenant: str
    subscription: str


def settings(client: str, running: Running, account: Account, *, proxy: bool) -> str:
    """The lines for one of CLIENTS. Raises EmulatorError where this way does not exist for it."""
    if proxy and not running.proxy:
        raise EmulatorError("it has no proxy: stop it, and start it with: reconciler emulator start --proxy")
    return "\n".join(CLIENTS[client](running, account, proxy)) + "\n"


def _azure_cli(running: Running, account: Account, proxy: bool) -> list[str]:
    port = urlsplit(running.endpoint).port
    folder = f"{running.folder}/azure-cli-{'proxy' if proxy else port}"
    lines = [
        _export("AZURE_CONFIG_DIR", folder),
        _export("AZURE_CORE_COLLECT_TELEMETRY", "false"),
        _export("REQUESTS_CA_BUNDLE", running.ca),
        *_way(running, proxy),
    ]
    if not proxy:
        known = f"az cloud show --name {CLOUD} --output none 2>/dev/null"
        lines += [
            _export("AZURE_CORE_INSTANCE_DISCOVERY", "false"),
            f"{known} || az cloud register --name {CLOUD} --endpoint-resource-manager {running.endpoint}",
            f"az cloud set --name {CLOUD} --only-show-errors",
        ]
    who = f"--username {CLIENT_ID} --password {SECRET} --tenant {account.tenant}"
    return [
        *lines,
        f"az login --service-principal {who} --output none --only-show-errors",
        f"az account set --subscription {account.subscription}",
    ]


def _terraform(running: Running, account: Account, proxy: bool) -> list[str]:
    lines = [
        "# The provider block stays as it is for Azure:",
        '#   provider "azurerm" {',
        "#     features {}",
        '#     resource_provider_registrations = "none"',
        "#   }",
        *_way(running, proxy),
        _export("SSL_CERT_FILE", running.ca),
        _export("GO_AZURE_SDK_SKIP_POLLING_DELAY", "true"),
    ]
    if not proxy:
        lines.append(_export("ARM_METADATA_HOSTNAME", urlsplit(running.endpoint).netloc))
    return [
        *lines,
        _export("ARM_TENANT_ID", account.tenant),
        _export("ARM_SUBSCRIPTION_ID", account.subscription),
        _export("ARM_CLIENT_ID", CLIENT_ID),
        _export("ARM_CLIENT_SECRET", SECRET),
        _export("ARM_USE_CLI", "false"),
    ]


def _custodian(running: Running, account: Account, proxy: bool) -> list[str]:
    if not proxy:
        raise EmulatorError("Cloud Custodian knows Microsoft's own clouds only: use its proxy, with --proxy")
    return [*_way(running, proxy), _export("REQUESTS_CA_BUNDLE", running.ca), *_principal(account)]


def _shell(running: Running, account: Account, proxy: bool) -> list[str]:
    """For curl, for programs on any Azure SDK, and for this program's own commands."""
    ours = [_export("RECONCILER_CLOUD", "public" if proxy else "emulator")]
    if not proxy:
        ours += [
            _export("RECONCILER_EMULATOR_HOME", running.folder),
            _export("AZURE_AUTHORITY_HOST", running.endpoint),
            _export("ARM_ENDPOINT", running.endpoint),
        ]
    trusting = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    return [*_way(running, proxy), *(_export(name, running.ca) for name in trusting), *_principal(account), *ours]


def _python(running: Running, account: Account, proxy: bool) -> list[str]:
    os, top, signing, reaching = [], [f'ENDPOINT = "{running.endpoint}"'], "authority=ENDPOINT, ", "base_url=ENDPOINT, "
    if proxy:
        os, signing, reaching = ["import os", ""], "", ""
        top = [
            f'os.environ["HTTPS_PROXY"] = os.environ["https_proxy"] = "{running.proxy}"',
            'os.environ["NO_PROXY"] = os.environ["no_proxy"] = ""',
        ]
    else:
        signing += "disable_instance_discovery=True, "
    return [
        *os,
        "from azure.identity import ClientSecretCredential",
        "from azure.mgmt.compute import ComputeManagementClient",
        "",
        *top,
        f'TRUST = {{"connection_verify": {json.dumps(running.ca)}}}',
        "",
        f'who = ("{account.tenant}", "{CLIENT_ID}", "{SECRET}")',
        f"credential = ClientSecretCredential(*who, {signing}**TRUST)",
        f'client = ComputeManagementClient(credential, "{account.subscription}", {reaching}**TRUST)',
        "for machine in client.virtual_machines.list_all():",
        "    print(machine.name)",
    ]


CLIENTS = {"az": _azure_cli, "terraform": _terraform, "custodian": _custodian, "python": _python, "sh": _shell}


def _way(running: Running, proxy: bool) -> list[str]:
    """The proxy, or that none is to stand between a client and this machine. Both spellings: some read only one."""
    if proxy:
        return [_export("HTTPS_PROXY", running.proxy), _export("https_proxy", running.proxy), "unset NO_PROXY no_proxy"]
    return [_export("NO_PROXY", "localhost,127.0.0.1"), _export("no_proxy", "localhost,127.0.0.1")]


def _principal(account: Account) -> list[str]:
    return [
        _export("AZURE_TENANT_ID", account.tenant),
        _export("AZURE_SUBSCRIPTION_ID", account.subscription),
        _export("AZURE_CLIENT_ID", CLIENT_ID),
        _export("AZURE_CLIENT_SECRET", SECRET),
    ]


def _export(name: str, value: str) -> str:
    return f"export {name}={quote(value)}"
