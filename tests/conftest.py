"""What the whole suite shares, and what it has to say at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.azurite.running import Azurite, installed, running

NO_BROWSER = "no Chromium was found"
NO_AZURITE = "no Azurite is installed"
LEFT_OUT = {
    NO_BROWSER: "of the HTML page; .ci/run installs it (or name one: RECONCILER_CHROMIUM=/path/to/chromium)",
    NO_AZURITE: "of the lock between machines; `make azurite` installs it, where node and npm are",
}
"""Why tests are skipped → which they are, and what to do."""


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """A storage account on this machine."""
    if not installed():
        pytest.skip(NO_AZURITE)
    with running() as found:
        yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that need something that is not here are never left out in silence."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason, words in LEFT_OUT.items():
        number = sum(reason in str(report.longrepr) for report in skipped)
        if number:
            terminalreporter.write_line(f"left out: {number} tests {words}, because {reason}", yellow=True)
