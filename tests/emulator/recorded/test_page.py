"""The page that tells people how faithful the emulator is, and the codes that it tells of."""

from __future__ import annotations

import os
import re
from pathlib import Path

import yaml

from reconciler.emulator import providers
from tests.emulator.recorded.page import PAGE, render
from tests.emulator.recorded.shape import SHAPES
from tests.emulator.recorded.witness import book

DIFFERENCES = yaml.safe_load((SHAPES / "differences.yaml").read_text(encoding="utf-8"))
_REPLICATION_CODE = re.compile(r"(?:refuse|fail|Obstacle|_health_error|ArmError)\(\s*\"?[\w-]+\"?,\s*\"(\w+)\"")
_CODE = re.compile(r'"((?:BMSUserError|UserError|CloudDos|StorageModel|ServiceResource)\w+)"')


def test_the_page_is_made_of_the_descriptions() -> None:
    text = render(book(), DIFFERENCES)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "the page is out of date: make golden, and look"


def test_every_code_that_is_answered_is_listed_once() -> None:
    folder = Path(str(providers.__file__)).parent
    answered = {code for file in folder.glob("*.py") for code in _CODE.findall(file.read_text(encoding="utf-8"))}
    codes = DIFFERENCES["codes"]
    listed = [*codes["recorded"], *codes["told"], *codes["plausible"]]
    assert sorted(answered) == sorted(listed)


def test_every_code_of_site_recovery_is_listed_once() -> None:
    folder = Path(str(providers.__file__)).parent
    files = [*folder.glob("replication_*.py"), *folder.glob("recovery_plan*.py")]
    answered = {code for file in files for code in _REPLICATION_CODE.findall(file.read_text(encoding="utf-8"))}
    codes = DIFFERENCES["replicationCodes"]
    assert sorted(answered) == sorted([*codes["told"], *codes["plausible"]])
