"""What plan and drift say of the journals of applies."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.journals import tell_unfinished


def test_a_folder_that_is_not_there_is_nothing_to_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell_unfinished(tmp_path / "none", "public")
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_looked_into_is_told_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is too long fails as a folder without permission does, for root as well."""
    tell_unfinished(tmp_path / ("x" * 300), "public")
    assert "cannot be looked into" in capsys.readouterr().err
