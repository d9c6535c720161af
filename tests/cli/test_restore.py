"""The command lines of `restore` that cannot be meant, told whole and before anything is asked of Azure."""

from __future__ import annotations

import pytest

from reconciler.cli.main import run

VAULT = ("vm", "web-01", "--recovery-point", "latest")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("vm",), ("say what to restore from", "name the new VM with --name")),
        (("vm", "web-01"), ("say what to restore from",)),
        (("vm", "--recovery-point", "latest", "--name", "n"), ("say which VM the recovery point is of",)),
        (("vm", "w", "--from-snapshots", "w@latest", "--name", "n"), ("leave VM out",)),
        ((*VAULT, "--from-snapshots", "w@latest", "--name", "n"), ("two sources",)),
        (
            ("vm", "--from-snapshots", "w@latest", "--staging-account", "s", "--again", "--replace-existing"),
            ("--staging-account is for", "--again is for", "--replace-existing is for restores from a vault"),
        ),
        ((*VAULT, "--name", "n", "--size", "s", "--partial"), ("--size is for", "--partial is for restores from snap")),
        (VAULT, ("name the new VM with --name",)),
        (
            (*VAULT, "--replace-existing", "--name", "n", "--resource-group", "g"),
            ("--name has no meaning", "--resource-group has no meaning with --replace-existing"),
        ),
        ((*VAULT, "--name", "n", "--region", "northeurope"), ("write --region secondary",)),
        ((*VAULT, "--name", "n", "--confirm", "web-01"), ("--confirm is for --replace-existing",)),
        ((*VAULT, "--replace-existing", "--auto-approve"), ("add --confirm web-01",)),
        ((*VAULT, "--replace-existing", "--auto-approve", "--confirm", "web-02"), ("add --confirm web-01",)),
        ((*VAULT, "--name", "n"), ("nobody can be asked here",)),
        (("disks", "w", "--recovery-point", "latest", "--disk", "D:"), ("'D:': a disk is os or a LUN",)),
        (("files", "w"), ("say which recovery point to open",)),
        (("files", "w", "--revoke", "--recovery-point", "latest"), ("say which recovery point to open",)),
        (("files", "w", "--recovery-point", "latest"), ("on a terminal only",)),
        (("files", "w", "--revoke"), ("nobody can be asked here",)),
    ],
)
def test_what_cannot_be_meant(
    arguments: tuple[str, ...], said: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["restore", *arguments]) == 1
    told = capsys.readouterr().err
    assert [text for text in said if text not in told] == [], told


def test_one_page_tells_what_comes_back_from_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["restore", "--help"]) == 0
    page = capsys.readouterr().out
    for line in ("disk    one managed disk", "vm      a whole VM", "disks   disks of a VM", "files   single files"):
        assert line in page
    assert "recovery-points list VM" in page
