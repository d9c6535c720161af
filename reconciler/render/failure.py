"""What is told where a plan or a drift report was asked for and could not be made."""

from __future__ import annotations

from reconciler.render.comment import clip, fenced
from reconciler.render.escape import visible
from reconciler.render.markdown import marker

_VERDICTS = {
    "plan": "There is no plan: it could not be made",
    "drift": "Not known whether Azure is as the policies say: drift could not be told",
}
_LINES, _CHARACTERS = 100, 400


def render_failure(name: str, message: str, comment: str = "") -> str:
    """A comment like that of `render_plan` or `render_drift` (`name`), with its marker: it takes the place of the one
    of the run before, which nothing speaks for any longer."""
    lines = [clip(visible(line), _CHARACTERS) for line in message.split("\n")]
    left_out = [f"… and {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return "\n".join((marker(name, comment), f"## {_VERDICTS[name]}", "", fenced("", [*lines[:_LINES], *left_out])))
