"""One apply in a process of its own, which may kill itself: run by path, with `order` among its globals.

`order` holds endpoint, ca, token, journals, policies (paths as text), run (id), dies_at (number of the event after
which it ends with SIGKILL; 0: never) and says (path of the file that it leaves: JSON with `exit`, `empty`, `steps`).
"""

import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.apply.lock import Holder
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.cli.cloud import VirtualClock
from reconciler.desired.validate import validate
from reconciler.diff.allowances import parse_allowances
from reconciler.emulator.remote import Running
from reconciler.kinds.registry import kinds
from reconciler.workflow import Machinery, Review, Wishes, apply, make_plan

order: dict[str, Any] = globals()["order"]
TODAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


async def main() -> None:
    running = Running(endpoint=order["endpoint"], ca=order["ca"], token=order["token"], pid=0, folder="", instance="")
    said: dict[str, Any] = {"exit": None, "empty": None, "steps": []}
    seen = 0

    def say(**words: Any) -> None:
        said.update(words)
        Path(order["says"]).write_text(json.dumps(said))

    def emit(_event: object) -> None:
        nonlocal seen
        seen += 1
        if seen == order["dies_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    async def pause(_seconds: float) -> None:
        await asyncio.to_thread(running.advance, "1m")  # the emulator's time passes, not ours

    def approve(review: Review) -> bool:
        steps = [[step.id, step.lane, step.address.rpartition("/")[2]] for step in review.plan.steps()]
        say(steps=steps, empty=review.plan.empty and review.plan.complete)
        assert not review.plan.refusals, review.plan.refusals
        return True

    checked = validate([Path(order["policies"])], TODAY.date(), kinds())
    assert checked.declared, checked.findings
    wishes = Wishes(allowances=parse_allowances(["G104=9"]))  # a stopped VM that is resumed keeps its points no longer
    cloud = emulator_cloud(order["endpoint"], Path(order["ca"]), order["token"])
    async with Azure(cloud, clock=VirtualClock(running), pause=pause) as azure:
        machinery = Machinery(
            emit, Stop(), Path(order["journals"]), Holder(pid=os.getpid(), host="here", since=TODAY), order["run"], "0"
        )
        outcome = await apply(azure, machinery, lambda: make_plan(azure, checked, checked.declared, wishes), approve)
    code = 0 if outcome.result is None else int(outcome.result.exit_code)
    plan = outcome.review.plan
    say(exit=1 if plan.errors else code or (0 if plan.complete else 4))


asyncio.run(main())
