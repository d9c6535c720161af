"""What the whole suite has to say at its end."""

from __future__ import annotations

import pytest

NO_BROWSER = "no Chromium was found"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that need a browser are never left out in silence."""
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = [report for report in skipped if NO_BROWSER in str(report.longrepr)]
    if left_out:
        terminalreporter.write_line(
            f"left out: {len(left_out)} tests of the HTML page, because {NO_BROWSER}; .ci/run installs it "
            "(or name one: RECONCILER_CHROMIUM=/path/to/chromium)",
            yellow=True,
        )
