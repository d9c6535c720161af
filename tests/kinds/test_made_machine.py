"""A person's own check of a VM: what it is told, and what is told of it."""

from __future__ import annotations

import pytest

from reconciler.errors import FailedError
from reconciler.kinds.made_machine import run_check

VARIABLES = {"RECONCILER_TEST_ADDRESS": "10.3.0.4"}


async def test_it_is_told_the_address_and_nothing_is_told_of_it() -> None:
    await run_check('test "$RECONCILER_TEST_ADDRESS" = 10.3.0.4', VARIABLES, "web-01-test")


async def test_a_failed_one_is_told_with_the_last_that_it_said() -> None:
    with pytest.raises(FailedError) as error:
        await run_check("seq 1 9; echo no answer >&2; exit 7", VARIABLES, "web-01-test")
    assert error.value.message == "the check of web-01-test ended with exit code 7"
    assert error.value.why == "6; 7; 8; 9; no answer"


async def test_one_that_says_nothing() -> None:
    with pytest.raises(FailedError) as error:
        await run_check("false", {}, "web-01-test")
    assert error.value.why == "it said nothing"


async def test_one_that_does_not_end_is_killed_with_what_it_started() -> None:
    """The shell's own child holds the pipe open: were it left, nothing would end here."""
    with pytest.raises(FailedError, match="did not end within"):
        await run_check("sleep 600 | cat", {}, "web-01-test", patience=0.2)
