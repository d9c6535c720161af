"""What a night has to say when it does not end with 0, and the shapes in which chats take it.

Untrusted names are in it (VMs, people, words of Azure): Slack's control characters are escaped, and Teams gets text
runs, in which there is no markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

_SECTION = 3_000
_HEADER = 150
_LINE = 280
_SENTENCE = 590
"""Escaped for Slack it may become five times as long, and has to fit into a section."""
_SECTIONS = 40
"""Of lines: Slack takes 50 blocks."""
_BYTES = 24_000
"""Teams takes messages of 28 KB."""
TITLES: Mapping[int, str] = {
    1: "Drift cannot be told: there are errors",
    2: "Azure has drifted from the policies",
    3: "Drift was refused",
    4: "Drift: a part of Azure could not be read",
}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line: a group of changes that are alike, or a finding. `count` resources, of which `addresses` are the
    first; `last_write` tells who wrote to the first of them, where the Activity Log said so."""

    text: str
    count: int = 1
    addresses: tuple[str, ...] = ()
    effect: str = ""
    last_write: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """The generic shape is this, as JSON. `verdict` is the sentence of the report, or of the error that kept it from
    being made; `counts` are the figures of the report by their words; `top` are its first lines, and `more` how many
    follow; `commit` is checked out, `applied` was last applied; `run` is the page of the pipeline."""

    format_version: str = "1.0"
    command: str = "drift"
    title: str
    exit_code: int
    verdict: str
    advice: str = ""
    counts: dict[str, int] = {}
    top: tuple[Item, ...] = ()
    more: int = 0
    timestamp: str = ""
    repository: str = ""
    commit: str = ""
    applied: str = ""
    run: str = ""


def generic(alert: Alert) -> Any:
    """As documented in docs/json.md."""
    return msgspec.to_builtins(alert)


def slack(alert: Alert) -> Any:
    """Blocks (docs.slack.dev, Block Kit): at most 150 characters in a header and 3,000 in a section."""
    escape = _slack_text
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": alert.title[:_HEADER]}},
        _section(escape(_short(alert.verdict, _SENTENCE))),
    ]
    if alert.counts:
        blocks.append(_section(escape(_figures(alert))))
    lines = [f"• {escape(line)}" for line in _lines(alert)]
    blocks += [_section(text) for text in _packed(lines, _SECTION)[:_SECTIONS]]
    if alert.advice:
        blocks.append(_section(f"Next: {escape(_short(alert.advice, _SENTENCE))}"))
    told = [escape(text) for text in _origin(alert)]
    if alert.run:
        told.append(f"<{quote(alert.run, safe=':/?=&%#')}|Run>")
    if told:
        elements = [{"type": "mrkdwn", "text": " · ".join(told), "verbatim": True}]
        blocks.append({"type": "context", "elements": elements})
    return {"text": escape(_short(f"{alert.title}: {alert.verdict}", _SENTENCE)), "blocks": blocks}


def teams(alert: Alert) -> Any:
    """An Adaptive Card, as the webhook of a Workflow takes it; the connectors of Office 365 are retired."""
    lines = _lines(alert)
    card = _card(alert, lines)
    while lines and len(msgspec.json.encode(card)) > _BYTES:
        lines = lines[: len(lines) // 2]
        card = _card(alert, [*lines, "and more: see the run"])
    return card


def _card(alert: Alert, lines: list[str]) -> dict[str, Any]:
    body = [
        _run(alert.title, weight="Bolder", size="Large", color="Attention"),
        _run(_short(alert.verdict, _SENTENCE)),
        *([_run(_figures(alert), weight="Bolder")] if alert.counts else []),
        *(_run(f"• {line}") for line in lines),
        *([_run(f"Next: {_short(alert.advice, _SENTENCE)}")] if alert.advice else []),
    ]
    origin = " · ".join(_origin(alert))
    if origin:
        body.append(_run(origin, isSubtle=True, size="Small"))
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": "Run", "url": alert.run}] if alert.run else [],
        "msteams": {"width": "Full"},
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


def _run(text: str, **style: Any) -> dict[str, Any]:
    """A text run shows its text as it is: a TextBlock would read Markdown in it."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _slack_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _figures(alert: Alert) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in alert.counts.items())


def _lines(alert: Alert) -> list[str]:
    lines = [f"{_short(item.text)} ({item.last_write})" if item.last_write else _short(item.text) for item in alert.top]
    return [*lines, f"and {alert.more:,} more"] if alert.more else lines


def _origin(alert: Alert) -> list[str]:
    told = [alert.repository, f"commit {alert.commit[:12]}" if alert.commit else ""]
    told.append(f"applied {alert.applied[:12]}" if alert.applied else "")
    return [text for text in (*told, alert.timestamp, f"exit code {alert.exit_code}") if text]


def _short(text: str, most: int = _LINE) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _packed(lines: Iterable[str], most: int) -> list[str]:
    """Lines in as few texts as hold them."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + 1 + len(line) <= most:
            packed[-1] += f"\n{line}"
        else:
            packed.append(line)
    return packed
