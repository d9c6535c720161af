"""Why does this VM get what it gets: the four answers there are."""

from __future__ import annotations

import json

import pytest

from tests.stories.conftest import Story

pytestmark = pytest.mark.story


def test_the_four_answers(sample: Story) -> None:
    selected = sample.run("explain", "web-01", code=0).out
    assert "backup: protected by production-web-and-apps" in selected
    assert "policies/protections/web-and-apps.yaml:" in selected
    assert "✗ resourceGroups: wants rg-sandbox-*, has rg-web-prod" in selected

    overruled = sample.run("explain", "pg-01", code=0).out
    assert "backup: protected by postgres-without-scratch-disk" in overruled
    assert "✓ Protection production-databases" in overruled
    assert "priority" in overruled

    exempt = sample.run("explain", "legacy-fax-01", code=0).out
    assert "backup: exempt by fax-server" in exempt
    assert "Switched off since the fax lines were cut" in exempt
    assert "✓ Protection legacy" in exempt

    uncovered = sample.run("explain", "mon-01", code=0).out
    assert "backup: uncovered" in uncovered
    assert "✓ Protection" not in uncovered
    assert "✓ Exemption" not in uncovered


def test_a_name_that_several_vms_have_and_one_that_none_has(sample: Story) -> None:
    both = sample.run("explain", "jump-01", code=0).out
    assert "prod/rg-mgmt/jump-01" in both
    assert "dev/rg-mgmt/jump-01" in both
    (one,) = json.loads(sample.run("explain", "dev/rg-mgmt/jump-01", "--format", "json", code=0).out)["explanations"]
    assert one["machine"]["subscription"] == "dev"
    assert "did you mean prod/rg-web-prod/web-0" in sample.run("explain", "web-0l", code=1).err
