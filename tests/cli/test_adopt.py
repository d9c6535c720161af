"""`--subscription ID[=ALIAS]`."""

from __future__ import annotations

import pytest

from reconciler.cli.adopt import read_subscriptions
from reconciler.errors import UsageError

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-22222222222A"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([ONE], {"main": ONE}),
        ([f"{ONE}=prod"], {"prod": ONE}),
        ([f"{ONE}=prod", TWO], {"prod": ONE, "sub-2": TWO.lower()}),
    ],
)
def test_aliases_are_given_or_made(given: list[str], found: dict[str, str]) -> None:
    assert read_subscriptions(given) == found


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(UsageError) as error:
        read_subscriptions(["prod", f"{ONE}=Prod", f"{TWO}=dev", f"{TWO.lower()}=dev", f"{ONE}=dev"])
    for part in ("'prod' is no subscription id", "'Prod' is no alias", "given twice", "alias dev is given twice"):
        assert part in str(error.value)
