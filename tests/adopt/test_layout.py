"""Files as they are written: what Azure says stays a value, whatever it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adopt.draft import Draft, Sheet
from reconciler.adopt.layout import comment, dump, lay_out, schema_lines
from reconciler.desired.load import parse

ODD = [
    "22:00",
    "yes",
    "no",
    "on",
    "1.10",
    "0123",
    "2027-03-31",
    "null",
    "~",
    "true",
    "1e5",
    "=",
    "<<",
    "# x",
    "a: b",
    "'",
    "é",
]


@pytest.mark.parametrize("text", ODD)
def test_text_stays_text(text: str) -> None:
    (document,) = parse(dump({"name": text, "list": [text], text: "value"}).encode(), "x").documents
    assert document.value == {"name": text, "list": [text], text: "value"}


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="\x85"), min_size=1))
def test_every_printable_text_stays_text(text: str) -> None:
    if text.isprintable():
        (document,) = parse(dump({"name": text}).encode(), "x").documents
        assert document.value == {"name": text}


@given(st.text(max_size=300))
def test_no_text_ends_a_comment(text: str) -> None:
    assert parse((comment(text) + "kind: Vault\n").encode("utf-8", "surrogatepass"), "x").documents[0].value == {
        "kind": "Vault"
    }


def laid_out(**value: Any) -> dict[str, str]:
    sheets = (Sheet("Vault", "rsv-b", value, ["Holds 1 VM."]), Sheet("Vault", "rsv-a", value))
    return lay_out(Draft(sheets, (), (), frozenset()), {"subscriptions": {"prod": "x"}}, (), {"Vault": "A vault."})


def test_one_file_a_kind_in_order_of_name() -> None:
    files = laid_out(location="westeurope")
    assert list(files) == ["scope.yaml", "vaults.yaml"]
    assert files["vaults.yaml"] == (
        "# A vault.\napiVersion: reconciler/v1\nkind: Vault\nname: rsv-a\nlocation: westeurope\n"
        "---\n# Holds 1 VM.\napiVersion: reconciler/v1\nkind: Vault\nname: rsv-b\nlocation: westeurope\n"
    )


def test_an_editor_is_told_of_schemas_that_are_there_and_of_no_others() -> None:
    files = schema_lines(laid_out(), {"vault.schema.json": "../schemas/vault.schema.json"})
    line = "# yaml-language-server: $schema=../schemas/vault.schema.json\n"
    assert files["vaults.yaml"].startswith(f"{line}#\n# A vault.\n")
    assert "yaml-language-server" not in files["scope.yaml"]


def test_many_documents_are_split_into_files_that_can_be_read() -> None:
    sheets = tuple(Sheet("BackupPolicy", f"p{number:04}", {}) for number in range(1001))
    files = lay_out(Draft(sheets, (), (), frozenset()), {}, (), {})
    assert list(files) == ["scope.yaml", "backup-policies.yaml", "backup-policies-2.yaml", "backup-policies-3.yaml"]
    assert sum(len(parse(text.encode(), name).documents) for name, text in files.items()) == 1002


def test_what_azure_spells_oddly_is_written_as_people_write_it() -> None:
    """Site Recovery answers with ids in small letters; a time of day looks the same wherever it stands."""
    network = "/subscriptions/S/resourcegroups/providers/providers/microsoft.network/virtualnetworks/Subscriptions"
    text = dump({"to": network, "at": {"time": "08:00", "long": ["x" * 40, "y" * 60]}, "short": {"time": "22:00"}})
    assert "/subscriptions/S/resourceGroups/providers/providers/Microsoft.Network/virtualNetworks/Subscriptions" in text
    assert "time: '08:00'" in text
    assert "short: {time: '22:00'}" in text
