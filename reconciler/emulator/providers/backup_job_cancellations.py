"""Cancelling a job: a backup whose snapshot is taken ends with warnings, a restore leaves nothing behind."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_jobs import RUNNING, find_run
from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.backup_operations import draw_length, old_style_headers
from reconciler.emulator.providers.backup_refusals import refuse
from reconciler.emulator.providers.backup_runs import WITH_WARNINGS
from reconciler.emulator.providers.protected_item_states import read_protection, save_protection
from reconciler.emulator.providers.restore_jobs import Kept, read_restore, run_of, save_restore
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World


def cancel_job(world: World, request: Request) -> Response:
    """Backups and restores that run can be cancelled; the refusal of another is plausible, not recorded."""
    vault = find_vault(world, request)
    key = f"{vault['id']}/backupJobs/{request.params['job']}"
    kept = read_restore(world, key)
    run = None if kept else find_run(world, vault["id"], request.params["job"])
    if kept is not None and _is_running(world, kept):
        kept.is_cancelling = True
        save_restore(world, key, kept)
        ends = run_of(world, kept).end
        done: tuple[str, dict[str, Any]] = ("restore.cancelled", {"job": key})
    elif run is not None and run.outcome == RUNNING:
        ends, done = run.end, ("job.cancelled", {"item": run.item_id, "scheduled": run.scheduled})
    else:
        raise refuse("item", "UserErrorJobCannotBeCancelled", "The job is not in a state in which it can be cancelled.")
    operation = world.operations.start("cancel", duration=_length(world, ends), on_done=done, resource=key)
    return Response(202, None, old_style_headers(world, request, operation, request.path.rpartition("/")[0]))


def _is_running(world: World, kept: Kept) -> bool:
    return not run_of(world, kept).done and not kept.is_cancelling


def _length(world: World, ends: datetime | None) -> timedelta:
    """A cancellation ends before what it cancels does."""
    length = draw_length(world, "cancel")
    return length if ends is None else max(timedelta(0), min(length, ends - world.clock.now() - timedelta(seconds=1)))


def _finish_cancelled_backup(world: World, operation: Operation) -> None:
    """The snapshot had been taken, so the job ends CompletedWithWarnings (backup.md §6)."""
    item_id, scheduled = operation.arguments["item"], operation.arguments["scheduled"]
    if not world.store.has(item_id):
        return
    protection = read_protection(world, item_id)
    if scheduled in protection.pending:
        protection.pending = [start for start in protection.pending if start != scheduled]
    else:
        protection.cursor = max(protection.cursor, scheduled)
    protection.runs = [*protection.runs, scheduled << 3 | WITH_WARNINGS]
    protection.last_status, protection.last_backup = "CompletedWithWarnings", protection.start_of(scheduled)
    save_protection(world, item_id, protection)


def _finish_cancelled_restore(world: World, operation: Operation) -> None:
    kept = read_restore(world, operation.arguments["job"])
    if kept is not None and not run_of(world, kept).done:
        kept.cancelled = world.clock.now()
        save_restore(world, operation.arguments["job"], kept)


COMPLETIONS: Mapping[str, Completion] = {
    "job.cancelled": _finish_cancelled_backup,
    "restore.cancelled": _finish_cancelled_restore,
}

ROUTES: tuple[Route, ...] = (Route("POST", VAULT + "/backupJobs/{job}/cancel", cancel_job),)
