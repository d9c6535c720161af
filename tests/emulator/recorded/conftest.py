"""What compares with recordings runs where there are any."""

from __future__ import annotations

from tests.emulator.recorded.recordings import RECORDINGS

collect_ignore = [] if RECORDINGS.is_dir() else ["test_recordings.py", "test_replays.py"]
