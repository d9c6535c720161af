"""Where the journals of applies are, and what they say to the other commands."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.console import note

JOURNAL = click.option(
    "--journal",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="RECONCILER_JOURNAL",
    help="Folder of the journals that let a killed apply be taken up [env: RECONCILER_JOURNAL].",
)


def journal_folder(choice: Path | None) -> Path:
    """The folder that was asked for, or the user's own."""
    import platformdirs

    return choice or platformdirs.user_state_path("reconciler") / "journals"


def tell_unfinished(choice: Path | None, cloud: str) -> None:
    """Say that an apply is under way, or that one was cut off: what is compared may still be changing."""
    from reconciler.apply.journal import open_steps
    from reconciler.apply.lock import held_by

    folder = journal_folder(choice)
    try:
        if not folder.is_dir():
            return
    except OSError as error:  # a home that is not ours, as on some build agents
        note(f"Note: {folder} cannot be looked into ({error.strerror}): an apply may be running, or have been cut off.")
        return
    holder = held_by(folder, cloud)
    if holder:
        note(f"Note: an apply is running ({holder}): what follows may be out of date when it ends.")
        return
    left = open_steps(folder, cloud)
    if left:
        several = "steps are" if len(left) > 1 else "step is"
        note(f"Note: an earlier apply was cut off and {len(left)} {several} not known to have ended:")
        for step in left[:5]:
            note(f"  {step.step.address}: {step.step.title} (since {step.since:%Y-%m-%d %H:%M} UTC)")
        note("  The next `reconciler apply` looks in Azure for them before it does anything else.")
