"""`drift --notify`: rings for drift and for nights that could not tell, and leaves the exit code alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import pytest

from reconciler.cli.main import run
from reconciler.cli.notify import Watch, alert_of, rings
from reconciler.errors import DeniedError, ExitCode, ReconcilerError, StalePlanError
from reconciler.plan.change import Action, Change, Effect, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import Base, LastWrites, Write

SECRET = "verysecret"


class Webhook:
    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.status = 200
        self.url = ""


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/{SECRET}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield hook
    server.shutdown()
    server.server_close()


def change(address: str, why: str = "w", reason: Reason = Reason.DIFFERS) -> Change:
    kind = address.split(".", maxsplit=1)[0]
    step = Step(id=f"{address}#put", kind=kind, address=address, verb="put", title="put")
    return Change(address=address, kind=kind, action=Action.UPDATE, reason=reason, why=why, steps=(step,))


DRIFTED = Plan(
    created="2026-03-02T06:00:00Z",
    changes=(
        *(change(f"vault.{name}") for name in ("a", "b", "evil\x1b[2J\n@all")),
        change("vault.d", "other"),
        change("snapshot.e", reason=Reason.DUE),
    ),
    findings=(
        Finding(code="rpo-missed", message="too old", severity=Severity.WARNING, topic="objectives", address="vm-9"),
        Finding(code="unused", message="for the record", severity=Severity.INFO),
    ),
    unchanged=5,
    base=Base(applied="f" * 40),
    last_writes={"vault.a": LastWrites(missing="no right")},
)


def test_the_alert_says_what_the_report_says() -> None:
    alert = alert_of(DRIFTED, ExitCode.CHANGES)
    assert (alert.exit_code, alert.title) == (2, "Azure has drifted from the policies")
    assert alert.verdict == "Azure differs from the policies in 4 resources."
    assert alert.counts["in step"] == 5
    assert alert.applied == "f" * 40
    assert sum(item.count for item in alert.top) == 5
    assert alert.top[-1].text == "vm-9: too old [rpo-missed]"
    assert all(item.text.isprintable() for item in alert.top)
    assert all(address.isprintable() for item in alert.top for address in item.addresses)
    assert "for the record" not in str(alert)


def test_a_missed_objective_is_not_called_a_drift() -> None:
    missed = Plan(created="", findings=DRIFTED.findings)
    alert = alert_of(missed, ExitCode.CHANGES)
    assert alert.title == "No drift, but there is what --fail-on asks for"
    assert alert.verdict.startswith("No drift.")
    assert [item.text for item in alert.top] == ["vm-9: too old [rpo-missed]"]


def test_the_alert_says_who_did_it_and_what_is_left_out() -> None:
    import datetime as dt

    write = Write(at=dt.datetime(2026, 3, 1, 22, 5, tzinfo=dt.UTC), caller="alice@example.com\u202e", operation="o")
    lots = tuple(change(f"vault.{number}", f"{number}") for number in range(14))
    plan = Plan(created="", changes=lots, last_writes={"vault.0": LastWrites(writes=(write,))})
    alert = alert_of(plan, ExitCode.CHANGES)
    assert alert.top[0].last_write == "alice@example.com\\u202e, 2026-03-01 22:05 UTC"
    assert (len(alert.top), alert.more) == (10, 4)
    assert {item.effect for item in alert.top} == {Effect.NONE.value}


def told(webhook: Webhook, ends: Any, *arguments: str) -> Any:
    """What a command that ends so posts."""

    @click.command()
    @rings
    def command(*, watch: Watch) -> int:
        if isinstance(ends, BaseException):
            raise ends
        watch.saw(*ends)
        return int(ends[1])

    with suppress(KeyboardInterrupt, ZeroDivisionError, ReconcilerError, click.ClickException, click.Abort):
        command.main(["--notify", webhook.url, *arguments], standalone_mode=False)
    return webhook.posted[0] if webhook.posted else None


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ((DRIFTED, ExitCode.CHANGES), 2),
        ((DRIFTED, ExitCode.INCOMPLETE), 4),
        ((DRIFTED, ExitCode.ERROR), 1),
        (DeniedError("not allowed", code="AuthorizationFailed", why="403", advice="ask"), 1),
        (StalePlanError("stale"), 3),
        (ZeroDivisionError("bug"), 1),
        (click.UsageError("wrong"), 1),
    ],
)
def test_every_end_but_0_rings(webhook: Webhook, ends: Any, code: int) -> None:
    alert = told(webhook, ends)
    assert alert["exit_code"] == code
    assert alert["verdict"]


@pytest.mark.parametrize("ends", [(Plan(created=""), ExitCode.OK), KeyboardInterrupt(), click.Abort()])
def test_nothing_rings_where_all_is_well_or_somebody_stopped_it(webhook: Webhook, ends: Any) -> None:
    assert told(webhook, ends) is None


def test_the_shape_can_be_asked_for(webhook: Webhook) -> None:
    assert told(webhook, (DRIFTED, ExitCode.CHANGES), "--notify-format", "teams")["type"] == "message"


def test_invalid_policies_ring(
    webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECONCILER_NOTIFY", f"{webhook.url} {webhook.url}/2")
    (tmp_path / "wrong.yaml").write_text("apiVersion: reconciler/v1\nkind: Scop\nname: x\n")
    arguments = ["drift", "--policies", str(tmp_path), "--cloud", "https://127.0.0.1:9"]
    assert run(arguments) == ExitCode.ERROR
    assert [alert["title"] for alert in webhook.posted] == ["Drift cannot be told: there are errors"] * 2
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err
    assert "Notified 127.0.0.1." in said.err


def test_a_notification_that_fails_is_told_and_changes_nothing(
    webhook: Webhook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook.status = 404
    assert run(["drift", "--policies", str(tmp_path / "none"), "--notify", webhook.url]) == ExitCode.ERROR
    said = capsys.readouterr()
    assert "Nobody was notified at 127.0.0.1" in said.err
    assert "answered 404" in said.err
    assert SECRET not in said.out + said.err


def test_an_address_in_the_clear_is_refused_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drift", "--notify", f"http://hooks.example.com/{SECRET}"]) == ExitCode.ERROR
    said = capsys.readouterr().err
    assert "plain HTTP" in said
    assert SECRET not in said
