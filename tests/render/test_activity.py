"""What goes on, for people and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from reconciler.model.activity import Activity, OwnStep, RunningJob
from reconciler.render.activity import activity_json, activity_text

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def own(title: str, **more: object) -> OwnStep:
    fields = {"address": "k.a/b", "since": NOW - timedelta(minutes=5), "accepted": True, "owed": False, **more}
    return OwnStep(title=title, **fields)  # type: ignore[arg-type]


ACTIVITY = Activity(
    now=NOW,
    steps=(
        own("test it", job="j1", progress="task 2 of 4: Create the test virtual machine"),
        own("enable it", job="j2"),
        own("send it", accepted=False),
        own("clean up", accepted=False, owed=True),
    ),
    jobs=(
        RunningJob(
            vault="rsv-dr",
            service="Site Recovery",
            name="j1",
            what="Test failover",
            of="web\x1b[31m-01",
            state="InProgress",
            since=NOW - timedelta(hours=2),
            progress="task 2 of 4: Create the test virtual machine",
        ),
        RunningJob(vault="rsv-weu", service="Azure Backup", name="b1", what="Backup", of="", state="InProgress"),
    ),
    unread=("the backup jobs of vault rsv-x could not be read: denied",),
)


def test_for_people() -> None:
    assert activity_text(ACTIVITY).splitlines() == [
        "the backup jobs of vault rsv-x could not be read: denied",
        "Ours, not known to have ended",
        "  test it (for 5 min): task 2 of 4: Create the test virtual machine",
        "    k.a/b",
        "  enable it (for 5 min): accepted, job j2",
        "    k.a/b",
        "  send it (for 5 min): whether Azure received it is not known",
        "    k.a/b",
        "  clean up (for 5 min): owed, and still to be done",
        "    k.a/b",
        "  The next `reconciler apply` goes on with them.",
        "Azure works on",
        "  Test failover of web\\x1b[31m-01 (for 2 h): task 2 of 4: Create the test virtual machine",
        "    Site Recovery, vault rsv-dr, job j1",
        "  Backup of ? (since when is not known): InProgress",
        "    Azure Backup, vault rsv-weu, job b1",
        "4 steps of ours open, 2 jobs running in Azure.",
    ]


def test_where_nothing_goes_on() -> None:
    assert activity_text(Activity(now=NOW)) == "0 steps of ours open, 0 jobs running in Azure."
    busy = activity_text(Activity(now=NOW, applying="process 7 on ci", steps=(own("x"),)))
    assert busy.startswith("An apply is running: process 7 on ci")
    assert "The next" not in busy, "it is being done"


def test_for_programs() -> None:
    body = json.loads(activity_json(ACTIVITY))
    assert (body["format_version"], body["complete"], len(body["steps"])) == ("1.0", False, 4)
    assert body["jobs"][0]["since"] == "2026-03-02T06:00:00Z"
