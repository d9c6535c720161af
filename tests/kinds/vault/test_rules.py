"""Every offline rule of a Vault document: what it accepts, what it refuses, and where it points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.kinds.vault import rules
from reconciler.kinds.vault.rules import check_vault
from reconciler.plan.finding import Severity

OK: dict[str, object] = {}
E, W, U = Severity.ERROR, Severity.WARNING, Severity.DOUBT


def days(count, state="On"):
    return {"softDelete": {"state": state, "days": count}}


ACCEPTED = [
    ("rsv-weu-01", OK),
    ("Ab", OK),
    ("v" * 50, OK),
    ("rsv", {"subscription": "test"}),
    ("rsv", {"resourceGroup": "RG_Büro.(1)-x"}),
    ("rsv", {"resourceGroup": "r" * 90}),
    ("rsv", {"location": "eastus2"}),
    ("rsv", {"location": "chinanorth3"}),
    ("rsv", days(14)),
    ("rsv", days(180, "AlwaysOn")),
    ("rsv", {"redundancy": "GeoRedundant", "crossRegionRestore": True}),
    ("rsv", {"crossRegionRestore": True}),
    ("rsv", {"redundancy": "LocallyRedundant", "crossRegionRestore": False}),
    ("rsv", {"onRelease": "suspend", "immutability": "Unlocked"}),
    ("rsv", {"onRelease": "deleteData"}),
    ("rsv", {"onRelease": "deleteData", "immutability": "Disabled"}),
    ("rsv", {"onRelease": "stopRetain", "immutability": "Locked"}),
    ("rsv", {"tags": {f"t{n}": "v" * 256 for n in range(50)}}),
]

REFUSED = [
    ("1rsv", OK, "BP-11", E, ("name",)),
    ("r", OK, "BP-11", E, ("name",)),
    ("rsv_weu", OK, "BP-11", E, ("name",)),
    ("v" * 51, OK, "BP-11", E, ("name",)),
    ("rsv\n", OK, "BP-11", E, ("name",)),
    ("rsv", {"subscription": "prdo"}, "unknown-subscription", E, ("subscription",)),
    ("rsv", {"resourceGroup": "rg."}, "resource-group-name", E, ("resourceGroup",)),
    ("rsv", {"resourceGroup": "rg/x"}, "resource-group-name", E, ("resourceGroup",)),
    ("rsv", {"resourceGroup": "r" * 91}, "resource-group-name", E, ("resourceGroup",)),
    ("rsv", {"location": "west-europe"}, "location", E, ("location",)),
    ("rsv", {"location": "  "}, "location", E, ("location",)),
    ("rsv", {"location": "West Europe"}, "location", W, ("location",)),
    ("rsv", {"location": "westeurop"}, "location", U, ("location",)),
    ("rsv", {"location": "atlantis"}, "location", U, ("location",)),
    ("rsv", days(13), "BP-75", E, ("softDelete", "days")),
    ("rsv", days(181), "BP-75", E, ("softDelete", "days")),
    ("rsv", days(-1), "BP-75", E, ("softDelete", "days")),
    ("rsv", days(14, "Off"), "BP-76", E, ("softDelete", "state")),
    ("rsv", {"redundancy": "ZoneRedundant", "crossRegionRestore": True}, "BP-91", E, ("crossRegionRestore",)),
    ("rsv", {"onRelease": "suspend", "immutability": "Disabled"}, "BP-71", E, ("onRelease",)),
    ("rsv", {"onRelease": "suspend"}, "BP-71", W, ("onRelease",)),
    ("rsv", {"onRelease": "deleteData", "immutability": "Unlocked"}, "BP-81", E, ("onRelease",)),
    ("rsv", {"tags": {f"t{n}": "" for n in range(51)}}, "SN-01", E, ("tags",)),
    ("rsv", {"tags": {"n" * 513: ""}}, "SN-01", E, ("tags", "n" * 513)),
    ("rsv", {"tags": {"": "x"}}, "SN-01", E, ("tags", "")),
    ("rsv", {"tags": {"a<b": "x"}}, "SN-01", E, ("tags", "a<b")),
    ("rsv", {"tags": {"owner": "v" * 257}}, "SN-01", E, ("tags", "owner")),
    ("rsv", {"tags": {"Owner": "a", "owner": "b"}}, "SN-01", E, ("tags", "owner")),
    ("rsv", {"tags": {"Reconciler-Commit": "a"}}, "reserved-tag", E, ("tags", "Reconciler-Commit")),
]


@pytest.mark.parametrize(("name", "fields"), ACCEPTED)
def test_accepted(vault_document, declare, name, fields):
    document = vault_document(name, **fields)
    assert list(check_vault(document, declare(document))) == []


@pytest.mark.parametrize(("name", "fields", "code", "severity", "path"), REFUSED)
def test_refused(vault_document, declare, name, fields, code, severity, path):
    document = vault_document(name, **fields)
    found = list(check_vault(document, declare(document)))
    assert [(finding.code, finding.severity) for finding in found] == [(code, severity)]
    assert found[0].source == document.at(*path)
    assert found[0].advice


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"location": "West Europe"}, "write westeurope"),
        ({"location": "westeurop"}, "write westeurope"),
        ({"location": "west-europe"}, "write westeurope"),
        ({"subscription": "prdo"}, "write prod"),
        ({"subscription": "zzz"}, "write one of prod, test, or add it to the Scope"),
        (days(7), "write 14"),
        (days(365), "write 180"),
    ],
)
def test_the_advice_is_what_to_write(vault_document, declare, fields, advice):
    document = vault_document(**fields)
    assert next(check_vault(document, declare(document))).advice == advice


def test_too_many_vaults_in_a_region_is_said_once(vault_document, declare):
    documents = [vault_document(f"rsv-{number}") for number in range(501)]
    declared = declare(*documents, vault_document("elsewhere", location="northeurope"))
    found = [finding for document in declared.documents for finding in check_vault(document, declared)]
    assert [finding.code for finding in found] == ["BP-51"]
    assert "501" in found[0].message
    fewer = declare(*documents[:500])
    assert [finding for document in fewer.documents for finding in check_vault(document, fewer)] == []


def test_every_error_of_a_document_in_one_run(vault_document, declare):
    document = vault_document("1", subscription="x", location="??", **days(1, "Off"))
    assert [finding.code for finding in check_vault(document, declare(document))] == [
        "BP-11",
        "unknown-subscription",
        "location",
        "BP-76",
        "BP-75",
    ]


def test_every_rule_has_a_refused_case():
    """BP-51 speaks of many vaults: it has a test of its own."""
    written = set(re.findall(r'code="([^"]+)"', Path(rules.__file__).read_text()))
    assert written == {code for _, _, code, _, _ in REFUSED} | {"BP-51"}
