"""One type for ARM resource ids.

Azure returns one id in several spellings: casing differs between services and within one body, `vaultId` is a URL,
Site Recovery writes `/Subscriptions/`, and a non-ASCII resource group is percent-encoded in ids only. Nothing outside
this module compares ids as text.
"""

from __future__ import annotations

from functools import cached_property
from urllib.parse import unquote

from reconciler.model.casing import fold


class ArmId:
    """An ARM id that compares case-, slash-, host- and percent-encoding-insensitively.

    `str()` gives the spelling it was made with, less host and outer slashes: use that one for display and requests.
    """

    def __init__(self, text: str) -> None:
        if "://" in text:
            text = "/" + text.split("://", 1)[1].partition("/")[2]
        if "%" in text:
            text = unquote(text)
        self._text = "/" + text.strip("/")
        self._key = fold(self._text)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"ArmId({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArmId) and other._key == self._key

    def __lt__(self, other: ArmId) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def key(self) -> str:
        """The comparable spelling."""
        return self._key

    @cached_property
    def _segments(self) -> list[str]:
        return self._text.split("/")[1:]

    def segment(self, name: str) -> str:
        """The value that follows the segment `name` (`segment("vaults")`), or "" where the id has none."""
        wanted = name.casefold()
        for index, part in enumerate(self._segments[:-1]):
            if part.casefold() == wanted:
                return self._segments[index + 1]
        return ""

    @property
    def subscription(self) -> str:
        return self.segment("subscriptions").lower()

    @property
    def resource_group(self) -> str:
        return self.segment("resourceGroups")

    @property
    def name(self) -> str:
        return self._segments[-1]

    def parent(self, levels: int = 1) -> ArmId:
        """The id of the resource this one is nested in, `levels` type/name pairs up."""
        return ArmId("/".join(self._segments[: -2 * levels]))

    def child(self, *segments: str) -> ArmId:
        """`child("backupPolicies", "daily")` is the id of that nested resource."""
        return ArmId("/".join((self._text, *segments)))
