"""What a request is, what an answer is, and which function gives it.

ARM matches paths case-insensitively and tolerates doubled and trailing slashes; clients rely on all three
(``/Subscriptions/``, ``resourcegroups``, ``//metadata/endpoints``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from reconciler.emulator.failures import ArmError
from reconciler.emulator.world import World

__all__ = ["ArmError", "Handler", "Match", "Request", "Response", "Route", "Router"]


@dataclass(frozen=True, slots=True)
class Request:
    """One ARM call, decoded. ``path`` and ``params`` keep the caller's casing, ``query`` keys are lower-cased.

    ``claims`` are those of the caller's token; empty where it is no JWT.
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    base_url: str
    principal: str
    claims: Mapping[str, str] = field(default_factory=dict)

    @property
    def api_version(self) -> str:
        return self.query.get("api-version", "")

    def properties(self) -> dict[str, Any]:
        """The ``properties`` object of the body; empty when the caller sent none."""
        found = self.body.get("properties") if isinstance(self.body, dict) else None
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a body (JSON-able, or bytes that are JSON already, or none) and headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[World, Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """``template`` names its parameters in braces; a leading ``{*scope}`` stands for any number of segments."""

    method: str
    template: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Match:
    route: Route
    params: Mapping[str, str]


class _Node:
    __slots__ = ("literals", "parameter", "routes")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.routes: dict[str, tuple[Route, tuple[str, ...]]] = {}


def _segments(path: str) -> list[str]:
    return [unquote(part) for part in path.split("/") if part]


class Router:
    """A trie of path segments: the cost of a look-up depends on the path's length, not on the number of routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self._suffixes = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        parts = [part for part in route.template.split("/") if part]
        node = self._root
        if parts[0].startswith("{*"):
            node, parts = self._suffixes, list(reversed(parts))
        names: list[str] = []
        for part in parts:
            if part.startswith("{*"):
                names.append(part[2:-1])
            elif part.startswith("{"):
                names.append(part[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(part.lower(), _Node())
        if route.method in node.routes:
            raise ValueError(f"two handlers for {route.method} {route.template}")
        node.routes[route.method] = (route, tuple(names))

    def match(self, method: str, raw_path: str) -> Match | None:
        """The route for a still percent-encoded path; None when no template fits.

        Raises ArmError 405 when the path is known but not with this method.
        """
        segments = _segments(raw_path)
        found = _walk(self._root, segments, 0, ())
        if found is None:
            return self._match_suffix(method, segments)
        node, values = found
        return _select(node, method, values)

    def _match_suffix(self, method: str, segments: list[str]) -> Match | None:
        node = self._suffixes
        for taken, segment in enumerate(reversed(segments)):
            following = node.literals.get(segment.lower())
            if following is None:
                return None
            node = following
            if node.routes:
                scope = "/" + "/".join(segments[: len(segments) - taken - 1])
                return _select(node, method, (scope,))
        return None


def _walk(
    node: _Node, segments: list[str], depth: int, values: tuple[str, ...]
) -> tuple[_Node, tuple[str, ...]] | None:
    if depth == len(segments):
        return (node, values) if node.routes else None
    literal = node.literals.get(segments[depth].lower())
    if literal is not None and (found := _walk(literal, segments, depth + 1, values)):
        return found
    if node.parameter is not None:
        return _walk(node.parameter, segments, depth + 1, (*values, segments[depth]))
    return None


def _select(node: _Node, method: str, values: tuple[str, ...]) -> Match:
    selected = node.routes.get(method)
    if selected is None:
        raise ArmError(405, "MethodNotAllowed", f"The HTTP method '{method}' is not supported for this resource.")
    route, names = selected
    return Match(route, dict(zip(names, values, strict=True)))
