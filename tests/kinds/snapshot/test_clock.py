"""A runner whose clock is days ahead neither takes nor lets go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.azure.clients import Azure
from reconciler.cli.drift import exit_code
from reconciler.errors import ExitCode
from tests.kinds.snapshot.test_emulated import opened


@pytest.mark.parametrize(("ahead", "trusted"), [(timedelta(minutes=9), True), (timedelta(days=4), False)])
async def test_by_a_wrong_clock_nothing_is_taken_or_let_go(tmp_path: Path, ahead: timedelta, trusted: bool) -> None:
    async with opened(tmp_path, keep={"age": "3d"}) as shop:
        for _ in range(2):
            await shop.apply(await shop.plan())
            shop.advance(hours=6)
        clock = shop.served.emulator.world.clock
        async with Azure(shop.azure.cloud, clock=lambda: clock.now() + ahead) as wrong:
            shop.azure = wrong
            plan = await shop.plan()
        assert (plan.errors == (), plan.applyable) == (trusted, trusted)
        if not trusted:
            assert plan.changes == plan.deferred == ()
            (error,) = plan.errors
            assert f"{clock.now():%Y-%m-%dT%H:%M}" in error.message
            assert f"{clock.now() + ahead:%Y-%m-%dT%H:%M}" in error.message
            assert exit_code(plan) is ExitCode.ERROR
