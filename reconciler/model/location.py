"""Azure regions: one spelling."""

from __future__ import annotations


def normalise_location(text: str) -> str:
    """`West Europe` and `westeurope` are one region: ARM answers with either spelling, depending on the service."""
    return text.replace(" ", "").casefold()
