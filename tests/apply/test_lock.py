from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.apply.lock import Holder, LockedError, held_by, hold

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
CLOUD = "https://management.azure.com"
HOLDER = Holder(pid=4711, host="build-3", since=NOW, run="r1")

HOLD_IN_ANOTHER_PROCESS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from reconciler.apply.lock import Holder, hold
with hold(Path(sys.argv[1]), sys.argv[2], Holder(pid=1, host="other", since=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_comer_is_told_who_holds_it(tmp_path: Path) -> None:
    with hold(tmp_path, CLOUD, HOLDER):
        assert held_by(tmp_path, CLOUD) == HOLDER
        with pytest.raises(LockedError, match=r"process 4711 on build-3, since 2026-03-01 08:00:00 UTC") as caught:
            hold(tmp_path, CLOUD.upper(), HOLDER).__enter__()
        assert caught.value.holder == HOLDER


def test_another_cloud_has_another_lock(tmp_path: Path) -> None:
    with hold(tmp_path, CLOUD, HOLDER), hold(tmp_path, "https://localhost:8443", HOLDER):
        pass


def test_it_is_free_afterwards_also_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(tmp_path, CLOUD, HOLDER):
        raise ZeroDivisionError
    assert held_by(tmp_path, CLOUD) is None
    with hold(tmp_path, CLOUD, HOLDER):
        pass


def test_nobody_holds_what_was_never_there(tmp_path: Path) -> None:
    assert held_by(tmp_path / "absent", CLOUD) is None
    assert not (tmp_path / "absent").exists()


def test_a_killed_process_leaves_it_free(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", HOLD_IN_ANOTHER_PROCESS, str(tmp_path), CLOUD]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match="process 1 on other"):
            hold(tmp_path, CLOUD, HOLDER).__enter__()
        other.kill()
        other.wait()
    with hold(tmp_path, CLOUD, HOLDER):
        assert held_by(tmp_path, CLOUD) == HOLDER


def test_an_unreadable_text_does_not_hide_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path, CLOUD, HOLDER):
        (path,) = tmp_path.glob("*.lock")
        path.write_bytes(b"\xff{")
        with pytest.raises(LockedError, match="another process holds"):
            hold(tmp_path, CLOUD, HOLDER).__enter__()
