"""Jobs in the secondary region: asked for with POST, by the id of their vault (documented, not recorded)."""

from typing import Any

from reconciler.emulator.providers.backup_filters import read_filter
from reconciler.emulator.providers.backup_jobs import look_at_job, page_of
from reconciler.emulator.providers.backup_refusals import not_in_vault, refuse
from reconciler.emulator.providers.restore_jobs import CRR_JOBS, read_restore, show_restore
from reconciler.emulator.providers.secondary_regions import SECONDARY_REGIONS
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]


def list_jobs(world: World, request: Request) -> Response:
    """Newest first, without details. `$filter` knows status and operation."""
    vault, wanted = _find_vault(world, request), read_filter(request)
    shown = [_show(world, key, full=False) for key in world.store.ids(CRR_JOBS, vault)]
    fitting = [
        job
        for job in shown
        if all(job["properties"][name].lower() == wanted.get(name, job["properties"][name].lower()) for name in _KNOWN)
    ]
    fitting.sort(key=lambda job: str(job["properties"]["startTime"]), reverse=True)
    return page_of(world, request, CRR_JOBS, fitting, lambda job: job)


def get_job(world: World, request: Request) -> Response:
    """A repeated read of a job that is under way is a poll, as in the primary region."""
    vault = _find_vault(world, request)
    name = str((request.body or {}).get("jobName", ""))
    key = f"{vault}/backupCrrJobs/{name}"
    if not name or not world.store.has(key):
        raise not_in_vault(f"The job {name}")
    look_at_job(world, key)
    return Response(200, _show(world, key, full=True))


_KNOWN = ("status", "operation")


def _show(world: World, key: str, *, full: bool) -> Body:
    body, kept = world.store.get(key), read_restore(world, key)
    if body is None or kept is None:
        raise not_in_vault(f"The job {key.rpartition('/')[2]}")
    return show_restore(world, body, kept, full=full)


def _find_vault(world: World, request: Request) -> str:
    """The id of the vault that the body names, if this is its secondary region."""
    named = str((request.body or {}).get("resourceId", ""))
    vault = world.store.get(named)
    region = request.params["location"].replace(" ", "").lower()
    if vault is None or SECONDARY_REGIONS.get(str(vault.get("location"))) != region:
        message = f"resourceId {named!r} is not the id of a vault with its secondary region in {region}."
        raise refuse("BP-106", "BMSUserErrorInvalidInput", message)
    return str(vault["id"])


_LOCATION = "/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/locations/{location}"

ROUTES: tuple[Route, ...] = (
    Route("POST", _LOCATION + "/backupCrrJobs", list_jobs),
    Route("POST", _LOCATION + "/backupCrrJob", get_job),
)
