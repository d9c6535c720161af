"""`reconciler adopt`: the policies of an estate that is there already."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import conclude, hint, note, write
from reconciler.errors import ExitCode, UsageError
from reconciler.model.counting import count

if TYPE_CHECKING:
    from reconciler.adoption import Adoption
    from reconciler.plan.finding import Finding

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ALIAS = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MOST_TOLD = 12
"""Findings of one code that are told one by one, unless --verbose asks for all."""
_MOST_NAMED = 5


@click.command("adopt")
@click.option(
    "--subscription",
    "subscriptions",
    multiple=True,
    required=True,
    metavar="ID[=ALIAS]",
    help="Subscription to read, and what the policies are to call it; may be repeated.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the policies: empty, or not there yet.",
)
@CLOUD
@CA_FILE
@click.option("--verbose", "-v", is_flag=True, help="Leave nothing out: every finding.")
def command(subscriptions: tuple[str, ...], out: Path, cloud: str, ca_file: Path | None, verbose: bool) -> int:
    """Write the policies of an estate that is there already, so that `plan` on them is empty.

    Only what Azure has is written, and only what can be said exactly; the rest stays unmanaged and is told. Changes
    nothing in Azure, and overwrites no file. Exit 0 everything is written, 4 something could not be read or written.
    """
    from reconciler.adopt.folder import check_free, write_whole

    named = read_subscriptions(subscriptions)
    check_free(out)
    adoption = asyncio.run(_adopt(named, out, cloud, ca_file))
    write_whole(out, adoption.files)
    _tell(adoption.findings, verbose=verbose)
    _tell_uncovered(adoption)
    write(_summary(adoption, out))
    if adoption.exact:
        return ExitCode.OK
    return conclude(ExitCode.INCOMPLETE, "something is not in the policies; see above")


def read_subscriptions(given: Sequence[str]) -> dict[str, str]:
    """Alias → id, in the order given. Raises UsageError, naming everything that is wrong."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for place, text in enumerate(given, start=1):
        identity, _, alias = text.partition("=")
        identity, alias = identity.strip().lower(), alias.strip() or (f"sub-{place}" if len(given) > 1 else "main")
        if not _ID.fullmatch(identity):
            wrong.append(f"{identity!r} is no subscription id")
        elif not _ALIAS.fullmatch(alias):
            wrong.append(f"{alias!r} is no alias: small letters, digits and hyphens, first a letter")
        elif identity in found.values():
            wrong.append(f"subscription {identity} is given twice")
        elif alias in found:
            wrong.append(f"alias {alias} is given twice")
        else:
            found[alias] = identity
    if wrong:
        raise UsageError(
            f"--subscription: {'; '.join(wrong)}",
            advice="write --subscription 6f1c2a9e-0b7d-4c53-9d8a-2f4e5b6a7c80=prod; az account list tells the ids",
        )
    return found


async def _adopt(subscriptions: dict[str, str], out: Path, cloud: str, ca_file: Path | None) -> Adoption:
    from reconciler.adopt.folder import find_schemas
    from reconciler.adoption import adopt

    async with connect(cloud, ca_file) as azure:
        where = f"{count(len(subscriptions), 'subscription')} of Azure ({azure.cloud.name})"
        hint(f"Reading {where} ...")
        started, sent = time.monotonic(), azure.requests
        adoption = await adopt(azure, subscriptions, find_schemas(out))
        note(
            f"Read {count(adoption.plan.machines, 'VM')} in {where}: {count(azure.requests - sent, 'request')}, "
            f"{time.monotonic() - started:.1f} s."
        )
        return adoption


def _tell(findings: Sequence[Finding], *, verbose: bool) -> None:
    from reconciler.render.findings import render_text

    told: dict[str, list[Finding]] = {}
    remarks = [finding for finding in findings if finding.rule_source]
    for finding in findings:
        if verbose or not finding.rule_source:
            told.setdefault(finding.code, []).append(finding)
    for code, group in told.items():
        shown = group if verbose or len(group) <= _MOST_TOLD else group[:_MOST_TOLD]
        note(render_text(shown))
        if len(shown) < len(group):
            note(f"... and {len(group) - len(shown)} more of {code}: --verbose shows them.")
    if remarks and not verbose:
        note(f"{count(len(remarks), 'remark')} of rules on what is written: reconciler plan tells them, or --verbose.")


def _tell_uncovered(adoption: Adoption) -> None:
    if adoption.uncovered:
        named = ", ".join(f"{one.scope}/{one.name}" for one in adoption.uncovered[:_MOST_NAMED])
        more = f" and {len(adoption.uncovered) - _MOST_NAMED} more" if len(adoption.uncovered) > _MOST_NAMED else ""
        note(
            f"{count(len(adoption.uncovered), 'VM')} without protection: {named}{more}. No Exemption was made up: "
            "decide, and write one with its reason, or add them to a Protection."
        )


def _summary(adoption: Adoption, out: Path) -> str:
    written = (
        f"Wrote {count(len(adoption.files), 'file')} to {out}: {count(adoption.protections, 'Protection')} for "
        f"{adoption.covered:,} of {count(adoption.plan.machines, 'VM')}."
    )
    due = len(adoption.plan.due)
    proof = "A plan on them is empty: they say what Azure has."
    if due:
        proof = f"A plan on them changes nothing but what is due by the clock: {count(due, 'snapshot')}."
    if not adoption.plan.complete:
        proof += " What could not be read is not in them."
    return f"{written}\n{proof}"
