from __future__ import annotations


def test_get_group(ask):
    outcome = ask("GET", "/subscriptions/11111111-1111-4111-8111-111111111111/RESOURCEGROUPS//rg-APP/")
    assert outcome.response.status == 200
    assert outcome.response.body["name"] == "rg-app"
