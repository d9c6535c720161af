"""The exception tree and the exit codes.

Every message is for the reader at 03:00: what happened, where, why, and what to do next. An exception that reaches
`cli/main.py` and is not a `ReconcilerError` is a bug of ours and is shown as one.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the shell sees. `CHANGES` means differences under `plan --detailed-exitcode` and drift under `drift`."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    REFUSED = 3
    INCOMPLETE = 4


class ReconcilerError(Exception):
    """An expected failure: shown as a message, never as a traceback.

    `message` says what and where; `why` names a rule id or Azure's own code and words; `advice` says what to do next.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, *, why: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.advice = advice

    def __str__(self) -> str:
        parts = [self.message]
        if self.why:
            parts.append(f"  why:  {self.why}")
        if self.advice:
            parts.append(f"  next: {self.advice}")
        return "\n".join(parts)


class UsageError(ReconcilerError):
    """The command line, a path or an environment variable is wrong."""


class ReportError(UsageError):
    """A report could not be written. Those that could be are."""


class PolicyError(ReconcilerError):
    """The policies are not valid; the findings were reported one by one. `mistakes` tells them again, a line each, for
    reports."""

    def __init__(self, message: str, *, why: str = "", advice: str = "", mistakes: str = "") -> None:
        super().__init__(message, why=why, advice=advice)
        self.mistakes = mistakes


class PlanFileError(ReconcilerError):
    """A saved plan cannot be read, or was written by a version we do not know."""


class PlanDigestError(ReconcilerError):
    """The saved plan is not the one that was approved."""

    exit_code = ExitCode.REFUSED


class PlanGraphError(ReconcilerError):
    """The steps of a plan depend on each other in a circle."""


class StalePlanError(ReconcilerError):
    """Azure is no longer what the saved plan was made for."""

    exit_code = ExitCode.REFUSED


class GuardRefusedError(ReconcilerError):
    """A guard refuses the plan; the message names its code and how to lift it."""

    exit_code = ExitCode.REFUSED


class JournalError(ReconcilerError):
    """The journal of an earlier run cannot be read or written."""


class AzureError(ReconcilerError):
    """Azure answered with an error, or did not answer. `code` is Azure's own code, `resource` the ARM id or path."""

    def __init__(self, message: str, *, code: str = "", resource: str = "", why: str = "", advice: str = "") -> None:
        super().__init__(message, why=why, advice=advice)
        self.code = code
        self.resource = resource


class AbsentError(AzureError):
    """Azure says that the resource does not exist. Only a 404 of the resource itself is this."""


class DeniedError(AzureError):
    """401 or 403: the identity may not do this. The message names the missing role action where Azure does."""


class ThrottledError(AzureError):
    """429, after the retries that Retry-After asked for."""


class ConflictError(AzureError):
    """409 or 412: somebody else changes the same resource, or it is in a state that forbids this."""


class GuardedError(AzureError):
    """A Resource Guard protects the vault: the step needs approval and is never retried (BP-85, BP-86)."""


class FailedError(AzureError):
    """Anything else that Azure refused, or an operation that it accepted and that then failed."""


class DoubtfulError(FailedError):
    """5xx: Azure answered, and whether the request took effect is not known."""


class OperationTimeoutError(AzureError):
    """An accepted operation did not end within its time (TH-10). It may still end: the journal keeps its address."""


class UnreachableError(AzureError):
    """No answer at all: name resolution, connection, TLS, or the time limit."""


class PublishError(ReconcilerError):
    """A report could not be brought to where people read it. `status` is the HTTP status, 0 where there was no answer.

    The message names hosts, never whole addresses: those of webhooks are secrets.
    """

    def __init__(self, message: str, *, why: str = "", advice: str = "", status: int = 0) -> None:
        super().__init__(message, why=why, advice=advice)
        self.status = status
