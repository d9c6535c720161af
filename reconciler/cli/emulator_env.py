"""`reconciler emulator env`: what another client must be told to use the emulator."""

from __future__ import annotations

import json
from pathlib import Path

import click

from reconciler.cli.running_emulator import HOME, refusals, running
from reconciler.errors import UsageError


@click.command(short_help="Print the settings of another CLIENT.")
@click.argument("client", type=click.Choice(["az", "terraform", "custodian", "python", "sh"]))
@click.option("--proxy", is_flag=True, help="Through its proxy, as the public cloud, not as a cloud of its own.")
@click.option("--subscription", help="Subscription id; the first one by default.")
@HOME
def env(client: str, proxy: bool, subscription: str | None, home: Path | None) -> None:
    """Print the settings of another CLIENT, for this emulator: eval "$(reconciler emulator env az)"."""
    from reconciler.emulator.client_settings import Account, settings
    from reconciler.emulator.portal import request

    found = running(home)
    with refusals():
        listed = json.loads(request(found, "GET", "/subscriptions?api-version=2022-12-01").text)["value"]
        accounts = [Account(one["tenantId"], one["subscriptionId"]) for one in listed]
        chosen = [account for account in accounts if subscription in (None, account.subscription)]
        if not chosen:
            raise UsageError(f"emulator: it has no subscription {subscription or 'at all'}")
        click.echo(settings(client, found, chosen[0], proxy=proxy), nl=False)
