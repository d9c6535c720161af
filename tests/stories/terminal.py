"""A person at a terminal: what they type, and all that they see."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from tests.stories.conftest import Said, Story


def at_terminal(story: Story, *arguments: str, typed: str = "") -> Said:
    """Runs the command on a terminal of its own; `out` is everything that was on its screen."""
    screen, keyboard = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=story.folder,
        env={**story.environment, "COLUMNS": "200", "TERM": "dumb"},
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
    )
    os.close(keyboard)
    os.write(screen, typed.encode())
    seen = bytearray()
    while True:
        try:
            piece = os.read(screen, 65_536)
        except OSError:  # Linux says so where the last process has left the terminal
            break
        if not piece:
            break
        seen += piece
    os.close(screen)
    return Said(command.wait(), seen.decode().replace("\r\n", "\n"), "")
