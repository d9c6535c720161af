"""Files as YAML: every case of tests/cases/desired/yaml.yaml, and no surprise on any bytes whatever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import load as module
from reconciler.desired.load import MOST_BYTES, MOST_DOCUMENTS, load, parse
from reconciler.desired.scalar import boolean_meant, integer_meant
from reconciler.model.source import Source

BINARY = "it looks like a binary file: policies are YAML text"
CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "desired" / "yaml.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_case(case: dict[str, Any], loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOADER", getattr(yaml, loader))
    loaded = parse(case["text"].encode(), "policies/case.yaml")
    found = [
        str(finding).removeprefix("policies/case.yaml:").replace(": yaml ", ": ", 1) for finding in loaded.findings
    ]
    expected = case.get("findings", [])
    if loader == "CSafeLoader":
        assert found == expected
    else:  # the words and columns of the slow parser differ where the YAML itself is broken
        assert [line for line in found if "is not YAML" not in line] == [
            line for line in expected if "is not YAML" not in line
        ]
    if "values" in case:
        assert [raw.value for raw in loaded.documents if not raw.broken] == case["values"]


def test_every_value_and_key_knows_its_place() -> None:
    raw = parse("a: 1\nbéé: {c: [x,\n   y]}\n".encode(), "f.yaml").documents[0]
    assert raw.source == Source("f.yaml", 1, 1)
    assert raw.keys["béé", "c"] == Source("f.yaml", 2, 7)
    assert raw.positions["béé", "c", 0] == Source("f.yaml", 2, 11)
    assert raw.positions["béé", "c", 1] == Source("f.yaml", 3, 4)
    assert raw.spellings == {("a",): "1"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xff\n", "f.yaml:2:4: yaml is not UTF-8 text (save it as UTF-8)"),
        (
            b"\x7fELF\x02\x01\0\0\xff",
            f"f.yaml:1:9: yaml is not UTF-8 text ({BINARY})",
        ),
        (
            b"a: \0",
            f"f.yaml:1:4: yaml holds the character U+0000, which YAML does not allow ({BINARY})",
        ),
        (b"a: 1\n\x1b[31m", "f.yaml:2:1: yaml holds the character U+001B, which YAML does not allow (remove it)"),
    ],
)
def test_bytes_that_are_no_text(content: bytes, expected: str) -> None:
    assert [str(finding) for finding in parse(content, "f.yaml").findings] == [expected]


def test_many_mistakes_are_cut_short() -> None:
    loaded = parse(b"a: &x 1\n" + b"".join(b"k%d: *x\n" % index for index in range(1000)), "f.yaml")
    assert len(loaded.findings) == 20


def test_too_many_documents() -> None:
    loaded = parse(b"---\na: 1\n" * (MOST_DOCUMENTS + 1), "f.yaml")
    assert [str(finding) for finding in loaded.findings] == [
        f"f.yaml:{2 * MOST_DOCUMENTS + 1}:1: yaml more than 1000 documents in one file (split it into several files)"
    ]


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("big.yaml").write_bytes(b"a: " + b"x" * MOST_BYTES)
    loaded = load(Path("big.yaml"))
    assert [str(item) for item in loaded.findings] == [
        "big.yaml: file is larger than 1024 KiB (split it into several files)"
    ]


def test_a_directory_where_a_file_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    assert [str(item) for item in load(Path("folder")).findings] == ["folder: file cannot be read: Is a directory"]


def test_a_file_that_went_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [str(item) for item in load(Path("gone.yaml")).findings] == [
        "gone.yaml: file cannot be read: No such file or directory"
    ]


FRAGMENTS = st.sampled_from("{}[],&*!?|>'\"#~:-% \t\n\r\\ab1é😀\ufeff\x85\u2028\x00") | st.sampled_from(
    [": ", "- ", "\n  ", "&x ", "*x", "---\n", "<<: ", "%YAML 1.3\n", '"\\ud800"', '"\\U00110000"']
)


@given(st.lists(FRAGMENTS, max_size=40).map("".join).map(str.encode) | st.binary(max_size=200))
def test_no_bytes_surprise_us(content: bytes) -> None:
    loaded = parse(content, "f.yaml")
    assert all(finding.source and finding.source.file == "f.yaml" for finding in loaded.findings)
    assert all(raw.broken or loaded.findings or raw.value is not None for raw in loaded.documents)


@given(
    st.recursive(
        st.text("ab", max_size=3) | st.integers(-9, 9), lambda inner: st.lists(inner, max_size=3), max_leaves=9
    )
)
def test_what_was_dumped_comes_back(value: object) -> None:
    text = yaml.safe_dump({"key": value})
    assert [raw.value for raw in parse(text.encode(), "f.yaml").documents if "&" not in text] in ([{"key": value}], [])


@pytest.mark.parametrize(("text", "meant"), [("yes", "true"), ("Off", "false"), ("TRUE", "true"), ("maybe", "")])
def test_boolean_meant(text: str, meant: str) -> None:
    assert boolean_meant(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"), [("007", "7"), ("1_000", "1000"), ("7.0", "7"), ("+5", "5"), ("_", ""), ("x", "")]
)
def test_integer_meant(text: str, meant: str) -> None:
    assert integer_meant(text) == meant
