"""OData filters as clients of Azure Backup write them: `name eq 'value'`, joined by `and`."""

import re
from datetime import UTC, datetime

from reconciler.emulator.failures import ArmError, bad_request
from reconciler.emulator.router import Request

_CLAUSE = re.compile(r"\s*(\w+)\s+(?:eq|ge|le|gt|lt)\s+(?:'([^']*)'|([^'\s]+))\s*", re.IGNORECASE)
_JOB_DATE = "%Y-%m-%d %I:%M:%S %p"


def _invalid() -> ArmError:
    return bad_request("BMSUserErrorInvalidInput", "Input provided for the call is invalid.")


def read_filter(request: Request) -> dict[str, str]:
    """Lower-cased names and values. Raises 400 for what is not such a filter."""
    text = request.query.get("$filter", "").strip()
    found: dict[str, str] = {}
    for clause in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else []:
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise _invalid()
        found[match[1].lower()] = (match[2] if match[2] is not None else match[3]).lower()
    return found


def read_date(text: str) -> datetime:
    """`2024-05-13 11:01:01 am`, the form of job filters, as UTC. Raises 400 for anything else."""
    try:
        return datetime.strptime(text.upper(), _JOB_DATE).replace(tzinfo=UTC)
    except ValueError:
        raise _invalid() from None
