"""Pins what Azurite is made of again. No address of anybody stays in the lock file: the registry is that of whoever
installs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"

if __name__ == "__main__":
    subprocess.run(["npm", "install", "--package-lock-only", "--silent"], cwd=HERE, check=True)
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        package.pop("funding", None)
        for key in [key for key, value in package.items() if isinstance(value, str) and "://" in value]:
            del package[key]
    LOCK.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")
