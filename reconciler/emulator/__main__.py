"""``python -m reconciler.emulator [JSON of serving.Launch]``: the server in the foreground."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from reconciler.emulator.lifecycle import state_folder
from reconciler.emulator.remote import EmulatorError
from reconciler.emulator.serving import Launch, serve


def main(arguments: list[str]) -> None:
    try:
        launch = msgspec.json.decode(arguments[0], type=Launch) if arguments else Launch(folder=str(state_folder()))
        asyncio.run(serve(launch))
    except (EmulatorError, msgspec.DecodeError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:])
