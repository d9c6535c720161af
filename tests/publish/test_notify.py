"""What a night says to those who sleep, in the shape of each chat, and that it never shows where it says it."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from reconciler.errors import PublishError
from reconciler.publish.alert import Alert, Item, generic, slack, teams
from reconciler.publish.notify import check_webhook, notify, shape_for
from reconciler.publish.pipeline import Pipeline, pipeline_of
from tests.publish.conftest import AT_ONCE, Reply, serve

EVIL = "vm-<!channel>&<https://evil.example|click>*_~`[x](https://evil.example)"
ALERT = Alert(
    title="Azure has drifted from the policies",
    exit_code=2,
    verdict="Azure differs from the policies in 3 resources.",
    counts={"drifted": 3, "in step": 1_200},
    top=(
        Item(
            text="2 VMs have drifted: policy is daily-14d, declared daily-30d", count=2, last_write="alice, 2026-03-02"
        ),
        Item(text=EVIL),
    ),
    more=7,
    timestamp="2026-03-02T06:00:00Z",
    repository="acme/estate",
    commit="0123456789abcdef",
    applied="fedcba9876543210",
    run="https://github.example.com/acme/estate/actions/runs/5?x=a|b>",
)
HUGE = msgspec.structs.replace(
    ALERT, verdict="&" * 9_000, advice="<" * 9_000, top=tuple(Item(text=f"{n} & " * 900) for n in range(400))
)
SECRET = "T000/B000/verysecret"


def texts(value: Any) -> list[str]:
    """Every text inside."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_the_generic_shape_is_the_alert() -> None:
    assert msgspec.convert(json.loads(json.dumps(generic(ALERT))), Alert) == ALERT
    assert generic(ALERT)["format_version"] == "1.0"


def test_slack_reads_no_markup_out_of_names() -> None:
    shown = "\n".join(texts(slack(ALERT)))
    assert "<!channel>" not in shown
    assert "vm-&lt;!channel&gt;&amp;&lt;https://evil.example|click&gt;" in shown
    assert "• 2 VMs have drifted: policy is daily-14d, declared daily-30d (alice, 2026-03-02)\n" in shown
    assert "and 7 more" in shown
    assert "3 drifted, 1,200 in step" in shown
    assert "<https://github.example.com/acme/estate/actions/runs/5?x=a%7Cb%3E|Run>" in shown


@pytest.mark.parametrize("alert", [ALERT, HUGE])
def test_slack_takes_it(alert: Alert) -> None:
    message = slack(alert)
    assert message["text"]
    assert 1 <= len(message["blocks"]) <= 50
    for block in message["blocks"]:
        assert block["type"] in ("header", "section", "context")
        limit = 150 if block["type"] == "header" else 3_000
        for element in block.get("elements", [block.get("text")]):
            assert element["type"] == ("plain_text" if block["type"] == "header" else "mrkdwn")
            assert 1 <= len(element["text"]) <= limit


@pytest.mark.parametrize("alert", [ALERT, HUGE])
def test_teams_takes_it(alert: Alert) -> None:
    message = teams(alert)
    [attachment] = message["attachments"]
    card = attachment["content"]
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert len(json.dumps(message).encode()) <= 28_000
    assert [action["url"] for action in card["actions"]] == [alert.run]
    for block in card["body"]:
        assert block["type"] == "RichTextBlock", "a TextBlock would read Markdown in names"
        assert all(inline["type"] == "TextRun" and inline["text"] for inline in block["inlines"])


def test_teams_shows_names_as_they_are() -> None:
    assert f"• {EVIL}" in texts(teams(ALERT))


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("https://hooks.slack.com/services/T/B/x", slack),
        ("https://hooks.slack-gov.com/services/T/B/x", slack),
        ("https://prod-05.westeurope.logic.azure.com:443/workflows/x?sig=s", teams),
        ("https://x.ae.environment.api.powerplatform.com:443/powerautomate/x?sig=s", teams),
        ("https://acme.webhook.office.com/webhookb2/x", teams),
        ("https://hooks.slack.com.evil.example/x", generic),
        ("https://nologic.azure.com.example/x", generic),
        ("https://notlogic.azure.com/x", generic),
        ("https://example.com/hooks.slack.com", generic),
    ],
)
def test_the_host_tells_the_shape(url: str, shape: Any) -> None:
    assert shape_for(url, "auto") is shape
    assert shape_for(url, "teams") is teams


def test_it_is_posted_with_patience() -> None:
    with serve(lambda sent: Reply(202)) as served:
        served.first = [Reply(503, {}, {"Retry-After": "0"}), Reply(429, {})]
        notify(f"{served.base}/{SECRET}", "auto", ALERT, AT_ONCE)
    assert [msgspec.convert(sent.body, Alert) for sent in served.sent] == [ALERT] * 3
    assert served.sent[0].headers["Content-Type"] == "application/json"


def test_a_user_in_the_address_signs_in() -> None:
    with serve(lambda sent: Reply(200)) as served:
        notify(served.base.replace("://", "://bell:secret@"), "auto", ALERT, AT_ONCE)
    assert served.sent[0].headers["Authorization"] == f"Basic {b64encode(b'bell:secret').decode()}"


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_a_refusal_names_the_host_and_no_more(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with (
        serve(
            lambda sent: Reply(status, {"message": f"no {SECRET}"}, {"Location": f"https://x.example/{SECRET}"})
        ) as served,
        pytest.raises(PublishError) as refused,
    ):
        notify(f"{served.base}/{SECRET}", "auto", ALERT, AT_ONCE)
    assert str(refused.value).startswith(f"127.0.0.1 answered {status}")
    assert "verysecret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "url", [f"http://hooks.example.com/{SECRET}", f"https:///{SECRET}", SECRET, f"https://[/{SECRET}"]
)
def test_an_address_that_cannot_be_one_is_not_shown(url: str) -> None:
    with pytest.raises(PublishError) as refused:
        check_webhook(url)
    assert "verysecret" not in str(refused.value)


def test_a_host_that_is_away_is_told_without_the_path() -> None:
    with pytest.raises(PublishError) as refused:
        notify(f"http://127.0.0.1:9/{SECRET}", "auto", ALERT, AT_ONCE)
    assert "127.0.0.1 cannot be reached" in str(refused.value)
    assert "verysecret" not in repr(refused.value) + str(refused.value)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "acme/estate",
                "GITHUB_RUN_ID": "5",
                "GITHUB_SHA": "abc",
            },
            Pipeline("acme/estate", "abc", "https://github.com/acme/estate/actions/runs/5"),
        ),
        (
            {
                "TF_BUILD": "True",
                "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
                "SYSTEM_TEAMPROJECT": "Cloud Platform",
                "BUILD_BUILDID": "9",
                "BUILD_SOURCEVERSION": "abc",
                "BUILD_REPOSITORY_NAME": "estate",
            },
            Pipeline("estate", "abc", "https://dev.azure.com/acme/Cloud%20Platform/_build/results?buildId=9"),
        ),
        (
            {"GITLAB_CI": "true", "CI_PROJECT_PATH": "a/b", "CI_COMMIT_SHA": "abc", "CI_JOB_URL": "https://g/j/1"},
            Pipeline("a/b", "abc", "https://g/j/1"),
        ),
        ({"GITHUB_ACTIONS": "true"}, Pipeline()),
        ({}, Pipeline()),
    ],
)
def test_the_run_is_told_by_the_pipeline(environment: dict[str, str], told: Pipeline) -> None:
    assert pipeline_of(environment) == told
