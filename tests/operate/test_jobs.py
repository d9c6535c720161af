"""What the vaults work on, against a running emulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from reconciler.operate.jobs import read_jobs
from tests.operate.estate import GROUPS, estate


async def test_a_test_failover_is_told_with_its_task(operating: Callable[..., Any]) -> None:
    async with operating(estate()) as site:
        item = (await site.plan("drill", "web-01")).changes[0].arm_id
        network = f"{GROUPS}/rg-dr/providers/Microsoft.Network/virtualNetworks/vnet-test"
        body = {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": network,
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
        await asyncio.to_thread(site.served.running.ask, "POST", "clock", {"speed": 0, "autoAdvance": False})
        await site.azure.send("POST", f"{item}/testFailover", "2025-08-01", {"properties": body})
        found = await read_jobs(site.azure, site.declared)
    assert found.unread == []
    told = [(job.vault, job.service, job.what, job.of, job.progress) for job in found.jobs]
    first = "task 1 of 4: Prerequisites check for test failover"
    assert told == [("rsv-dr", "Site Recovery", "Test failover", "web-01", first)]


async def test_a_list_that_fails_is_said_and_the_rest_is_told(operating: Callable[..., Any]) -> None:
    async with operating(estate()) as site:
        fault = {"method": "GET", "path": "*/backupJobs", "status": 403, "code": "AuthorizationFailed", "count": 9}
        site.served.emulator.world.faults.add(fault)
        found = await read_jobs(site.azure, site.declared)
    assert (found.jobs, len(found.unread)) == ([], 1)
    assert "the backup jobs of vault rsv-dr could not be read" in found.unread[0]


async def test_a_vault_that_is_not_there_has_no_jobs(operating: Callable[..., Any]) -> None:
    async with operating({**estate(), "siteRecovery": []}) as site:
        found = await read_jobs(site.azure, site.declared)
    assert (found.jobs, found.unread) == ([], [])
