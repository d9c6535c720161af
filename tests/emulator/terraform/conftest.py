"""A client that is signed in as Terraform's provider signs in, and a server that polls in either manner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.emulator.world import Configuration
from tests.emulator.terraform.client import Terraform
from tests.emulator.terraform.requests import start_up


@pytest.fixture(params=["milliseconds", "Retry-After 1", "Retry-After 60"])
def terraform(request: pytest.FixtureRequest, serve: Callable[..., Any]) -> Terraform:
    """The provider after its start-up. Polls answer InProgress once; the wait is told in three ways."""
    seconds = {"milliseconds": None, "Retry-After 1": 1, "Retry-After 60": 60}[request.param]
    served = serve(configuration=Configuration(retry_after_seconds=seconds, polls_in_progress=1))
    client = Terraform(served.running, "")
    start_up(client)
    client.log.clear()
    client.waits.clear()
    return client
