"""Quotas: buckets by principal and by subscription, hourly limits by action, headers that count."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.emulator.throttle import Regime

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/none"
READS = "x-ms-ratelimit-remaining-subscription-reads"
GLOBAL_READS = "x-ms-ratelimit-remaining-subscription-global-reads"
HOURLY = "x-ms-ratelimit-remaining-subscription-resource-requests"


@pytest.fixture
def wall():
    """Stands still: only the virtual clock fills the buckets."""
    return lambda: 1_000.0


def statuses(ask, count, method="GET", path=GROUP, **options):
    return [ask(method, path, **options).response.status for _ in range(count)]


def test_off_by_default_it_limits_nothing_and_reports_full_buckets(ask):
    assert set(statuses(ask, 300)) == {200}
    headers = ask("GET", GROUP).response.headers
    assert (headers[READS], headers[GLOBAL_READS]) == ("249", "3749")


def test_the_headers_count(world, ask):
    world.throttle.set(Regime(factor=1))
    told = [ask("GET", GROUP).response.headers for _ in range(3)]
    assert [headers[READS] for headers in told] == ["249", "248", "247"]
    assert [headers[GLOBAL_READS] for headers in told] == ["3749", "3748", "3747"]


@pytest.mark.parametrize(
    ("method", "capacity"), [("GET", 250), ("PUT", 200), ("PATCH", 200), ("POST", 200), ("DELETE", 200)]
)
def test_a_principal_has_a_bucket_for_each_sort(world, ask, method, capacity):
    world.throttle.set(Regime(factor=1))
    path = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/none"
    target = f"{path}/start" if method == "POST" else path
    found = statuses(ask, capacity + 1, method, target)
    assert 429 not in found[:-1]
    assert found[-1] == 429
    other = "DELETE" if method == "GET" else "GET"
    assert ask(other, path).response.status != 429
    assert ask(method, target, principal="somebody else").response.status != 429


def test_a_refusal_says_how_long_and_waiting_helps(world, ask):
    world.throttle.set(Regime(factor=0.02))
    assert statuses(ask, 6) == [200] * 5 + [429]
    refused = ask("GET", GROUP).response
    assert refused.body["error"]["code"] == "SubscriptionRequestsThrottled"
    assert refused.headers["x-ms-failure-cause"] == "gateway"
    seconds = int(refused.headers["Retry-After"])
    assert f"'{seconds}' seconds" in refused.body["error"]["message"]
    world.advance(timedelta(seconds=seconds))
    assert statuses(ask, 1) == [200]


def test_who_comes_back_too_early_waits_all_over(world, ask):
    world.throttle.set(Regime(factor=0.01))  # 2.5 requests, and one more every 4 s
    assert statuses(ask, 3) == [200, 200, 429]
    world.advance(timedelta(seconds=1))
    assert statuses(ask, 1) == [429]
    world.advance(timedelta(seconds=1.5))
    assert statuses(ask, 1) == [429], "one could be let in by now, had nobody asked in between"
    world.advance(timedelta(seconds=4))
    assert statuses(ask, 1) == [200]


def test_a_subscription_has_fifteen_times_what_a_principal_has(world, ask):
    world.throttle.set(Regime(factor=0.02))
    found = [status for number in range(20) for status in statuses(ask, 5, principal=f"p{number}")]
    assert found.count(200) == 75
    assert found[75:] == [429] * 25


def test_hourly_limits_of_recovery_services(world, ask):
    world.throttle.set(Regime(factor=1, hourly={"Microsoft.RecoveryServices/vaults/backupJobs/read": 3}))
    path = f"{VAULT}/backupJobs"
    told = [ask("GET", path).response for _ in range(4)]
    assert [response.status for response in told] == [404, 404, 404, 429]
    assert [response.headers[HOURLY] for response in told[:3]] == ["2", "1", "0"]
    error = told[3].body["error"]
    assert error["code"] == "ResourceRequestsThrottled"
    assert error["message"] == (
        "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded the limit of '3' "
        "for time interval '01:00:00'. Please try again after '3600' seconds."
    )
    world.advance(timedelta(minutes=30))
    assert ask("GET", path).response.headers["Retry-After"] == "1800"
    world.advance(timedelta(minutes=30))
    assert ask("GET", path).response.status == 404


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("GET", f"{VAULT}/backupProtectedItems", "299"),
        ("GET", f"{VAULT}/backupJobs", "449"),
        ("DELETE", VAULT, "49"),
        ("PATCH", VAULT, "299"),
        ("GET", VAULT, None),
        ("PUT", f"{VAULT}/backupPolicies/p", None),
    ],
)
def test_what_is_counted_by_the_hour(world, ask, method, path, limit):
    world.throttle.set(Regime(factor=1))
    body = {} if method in ("PUT", "PATCH") else None
    assert ask(method, path, body).response.headers.get(HOURLY) == limit


@pytest.mark.parametrize("wrong", [{"factor": -1}, {"hourly": {"x": 0}}])
def test_wrong_limits_are_refused(wrong):
    with pytest.raises(ValueError, match="factor"):
        Regime(**wrong)
