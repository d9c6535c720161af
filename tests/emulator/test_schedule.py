"""Files of faults."""

from __future__ import annotations

import pytest

from reconciler.emulator.schedule import ScheduleError, read_schedule


@pytest.mark.parametrize("name", ["faults.yaml", "faults.json"])
def test_a_schedule_is_json_whatever_it_was_written_in(tmp_path, name):
    text = '{"faults": [{"status": 503, "starts": "2026-03-02T08:00:00+00:00"}]}'
    if name.endswith("yaml"):
        text = "faults:\n  - {status: 503, starts: 2026-03-02T08:00:00Z}\n"
    (tmp_path / name).write_text(text)
    (rule,) = read_schedule(tmp_path / name)
    assert rule["status"] == 503
    assert rule["starts"].replace("Z", "+00:00") == "2026-03-02T08:00:00+00:00"


@pytest.mark.parametrize("text", ["", "[]", "faults: 3", "faults: [x]", "faults: [", "other: []"])
def test_what_is_no_schedule_is_refused_by_name(tmp_path, text):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ScheduleError, match=r"wrong\.yaml"):
        read_schedule(tmp_path / "wrong.yaml")
