"""Pipelines run in a repository of policies, against the emulator and a small code host."""

from __future__ import annotations

from tests.stories.conftest import azure, story

__all__ = ["azure", "story"]
