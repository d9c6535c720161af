"""`reconciler schema`: the JSON Schemas of the policy language."""

from __future__ import annotations

import json
from pathlib import Path

import click

from reconciler.desired.schema import combined_schema, document_schemas, document_types, stale, write
from reconciler.errors import ExitCode, UsageError
from reconciler.kinds.registry import kinds


@click.command("schema")
@click.argument("kind", required=False)
@click.option("--write", "target", type=click.Path(path_type=Path, file_okay=False), help="Write one file a kind here.")
@click.option("--check", type=click.Path(path_type=Path, file_okay=False), help="Exit 1 where files here are stale.")
def command(kind: str | None, target: Path | None, check: Path | None) -> int:
    """Print the JSON Schema of KIND, or of all kinds in one."""
    if target:
        write(target, kinds())
        return ExitCode.OK
    if check:
        differing = stale(check, kinds())
        for name in differing:
            click.echo(f"{check / name} is stale: run `make schemas` and commit it", err=True)
        return ExitCode.ERROR if differing else ExitCode.OK
    types = document_types(kinds())
    if kind is None:
        click.echo(json.dumps(combined_schema(types), indent=2))
        return ExitCode.OK
    schemas = {name.lower(): schema for name, schema in document_schemas(types).items()}
    if kind.lower() not in schemas:
        raise UsageError(f"there is no kind {kind!r}", advice=f"the kinds are {', '.join(document_schemas(types))}")
    click.echo(json.dumps(schemas[kind.lower()], indent=2))
    return ExitCode.OK
