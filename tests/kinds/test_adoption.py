"""A law over the cases of every kind: what Azure has before and after an apply can be adopted, and a plan on what was
written is empty, by a reading of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.adopt.folder import write_whole
from reconciler.adoption import Adoption, adopt
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.desired.validate import validate
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import running_server
from reconciler.kinds.adoption import NOT_ADOPTED
from reconciler.kinds.registry import kinds
from reconciler.plan.change import Change
from reconciler.workflow import Wishes, look, plan_of
from tests.kinds.conftest import NOW
from tests.kinds.test_laws import Case, apply_plan, load_cases


@dataclass(frozen=True)
class Adopted:
    """What was written, and what a plan on it would change."""

    adoption: Adoption
    changes: tuple[Change, ...]
    errors: tuple[str, ...]

    @property
    def left(self) -> list[str]:
        return [str(finding) for finding in self.adoption.findings if finding.code == NOT_ADOPTED]


@pytest.mark.parametrize("case", load_cases())
def test_what_is_adopted_is_what_is_there(case: Case, tmp_path: Path) -> None:
    before, after = asyncio.run(carry_out(case, tmp_path))
    for one in (before, after):
        assert one.errors == ()
        assert [(change.address, change.why, change.fields) for change in one.changes] == []


async def carry_out(case: Case, folder: Path) -> tuple[Adopted, Adopted]:
    pace = Pace(speed=0, auto_advance=True)
    async with running_server(folder, estate=case.whole_estate(), pace=pace) as served:
        world = served.emulator.world

        async def pause(seconds: float) -> None:
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            checked = validate([case.write_policies(folder)], NOW.date(), kinds())
            assert checked.declared, checked.findings
            subscriptions = dict(checked.declared.subscriptions)
            before = await adopted(azure, subscriptions, folder / "before")
            await apply_plan(azure, plan_of(await look(azure, checked.declared), checked, case.wishes()), folder)
            after = await adopted(azure, subscriptions, folder / "after")
    return before, after


async def adopted(azure: Azure, subscriptions: dict[str, str], folder: Path) -> Adopted:
    adoption = await adopt(azure, subscriptions, {})
    write_whole(folder, adoption.files)
    validation = validate([folder], azure.now().date(), kinds())
    assert validation.declared, validation.findings
    plan: Any = plan_of(await look(azure, validation.declared), validation, Wishes())
    return Adopted(adoption, plan.drift, tuple(str(error) for error in plan.errors))
