"""`make screenshots`: docs/images, from the sample estate as a pull request meets it.

The policies are committed and applied; somebody changes things in the portal; one edit is merged and not applied yet,
and another one stands on a branch. Times and authors are given, and the clock stands still between operations, so that
a page looks nearly the same whenever it is made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dulwich import porcelain
from dulwich.repo import Repo
from playwright.sync_api import sync_playwright

from reconciler.emulator import lifecycle
from reconciler.emulator.estate import SAMPLE, read
from reconciler.emulator.portal import request
from reconciler.emulator.remote import Running
from tests.browser.conftest import find_chromium

REPOSITORY = Path(__file__).parents[2]
IMAGES = REPOSITORY / "docs" / "images"
MONDAY = "2026-11-23T08:00:00Z"
AUTHOR = b"Alex <alex@example.com>"
WIDTHS = {1280: 1720, 390: 1400}
"""Width → height of a picture, in CSS pixels."""
SUBSCRIPTION = "/subscriptions/6d1f0a52-4c1e-4a6b-9f3d-2b7c5e8a0101"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-backup-prod/providers/Microsoft.RecoveryServices/vaults/rsv-prod-weu"


class Repository:
    """Policies in git, and the command beside them."""

    def __init__(self, folder: Path, emulator: Path) -> None:
        self.folder = folder
        shutil.copytree(REPOSITORY / "policies", folder / "policies")
        Repo.init(folder, default_branch=b"main").close()
        self._commits = 0
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RECONCILER_")},
            "RECONCILER_CLOUD": "emulator",
            "RECONCILER_EMULATOR_HOME": str(emulator),
            "RECONCILER_JOURNAL": str(folder.parent / "journals"),
        }

    def commit(self, message: str) -> None:
        porcelain.add(self.folder, paths=[str(path) for path in (self.folder / "policies").rglob("*.yaml")])
        self._commits += 1
        at = 1_795_000_000 + self._commits
        porcelain.commit(
            self.folder,
            message=message.encode(),
            author=AUTHOR,
            committer=AUTHOR,
            author_timestamp=at,
            commit_timestamp=at,
            author_timezone=0,
            commit_timezone=0,
        )

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.folder / "policies" / file
        text = path.read_text(encoding="utf-8")
        assert before in text, f"{file} does not say {before!r} any longer"
        path.write_text(text.replace(before, after, 1), encoding="utf-8")

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
        command = [sys.executable, "-m", "reconciler", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)
        assert done.returncode in codes, f"exit code {done.returncode}:\n{done.stdout}{done.stderr}"


def drift(azure: Running) -> None:
    """What somebody does in the portal."""
    group, name = "rg-web-prod", "web-01"
    item = f"iaasvmcontainerv2;{group};{name}"
    moved = {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "sourceResourceId": f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}",
        "policyId": f"{VAULT}/backupPolicies/DefaultPolicy",
    }
    container = f"{VAULT}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{item}"
    put(azure, f"{container}/protectedItems/vm;{item}", {"properties": moved})
    shorter = (REPOSITORY / "demo" / "shorter-retention.json").read_text(encoding="utf-8")
    put(azure, f"{VAULT}/backupPolicies/daily-30d", json.loads(shorter))
    azure.advance("5m")


def put(azure: Running, path: str, body: object) -> None:
    said = request(azure, "PUT", f"{path}?api-version=2026-10-01", json.dumps(body), caller="alex@example.com")
    assert said.status < 300, said


def make_page(home: Path) -> Path:
    """The page of the branch's plan."""
    azure = lifecycle.start(home / "emulator", speed=0, auto_advance=True)
    try:
        azure.reset(estate={**read(SAMPLE), "clock": MONDAY})
        repository = Repository(home / "repository", home / "emulator")
        repository.commit("The policies")
        repository.run("apply", "--auto-approve")
        azure.advance("1d")
        drift(azure)
        repository.edit("backup-policies.yaml", "months: 24", "months: 36")
        repository.commit("The audit asks for three years")
        porcelain.branch_create(repository.folder, "less-and-more")
        porcelain.checkout(repository.folder, "less-and-more")
        repository.edit("backup-policies.yaml", "daily: {days: 14}", "daily: {days: 7}")
        repository.edit("backup-policies.yaml", "weekly: {weeks: 12", "weekly: {weeks: 16")
        repository.edit("protections/identity-and-access.yaml", "names: [jump-*]", "names: [jump-*, mon-*]")
        repository.commit("Development keeps a week, production 16")
        page = home / "plan.html"
        repository.run("plan", "--base", "main", "--report", f"html={page}", codes=(0, 3))
        return page
    finally:
        lifecycle.stop(home / "emulator")


def photograph(page: Path) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        for width, height in WIDTHS.items():
            for scheme in ("light", "dark"):
                taken = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
                )
                taken.goto(page.as_uri())
                taken.screenshot(path=IMAGES / f"plan-{width}-{scheme}.png")
                taken.close()
        browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photograph(make_page(Path(folder)))
        shutil.copy(Path(folder) / "plan.html", os.environ.get("KEEP_PAGE", os.devnull))
    for image in sorted(IMAGES.glob("plan-*.png")):
        print(f"{image.relative_to(REPOSITORY)}  {image.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
