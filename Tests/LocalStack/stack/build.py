"""The release build, skipped when nothing that goes into it has changed."""

import hashlib
import subprocess
from pathlib import Path

from stack.component import StackError
from stack.paths import LOCAL, RELEASE, REPOSITORY

PRODUCTS = ("gateway", "chat", "ingest", "admin")
MARK = LOCAL / "release-build"


def is_current() -> bool:
    is_built = all((RELEASE / product).exists() for product in PRODUCTS)
    return is_built and MARK.exists() and MARK.read_text() == fingerprint()


def fingerprint() -> str:
    """Of names, sizes and times of all sources: a second's work is saved for a second's sake."""
    digest = hashlib.sha256()
    files = [REPOSITORY / "Package.swift"]
    for folder in ("Services", "Shared"):
        files += sorted(file for file in (REPOSITORY / folder).rglob("*") if file.is_file())
    for file in files:
        status = file.stat()
        digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def build() -> None:
    wanted = fingerprint()
    for product in PRODUCTS:
        print(f"  building {product}", flush=True)
        built = subprocess.run(
            ["swift", "build", "-c", "release", "--product", product], cwd=REPOSITORY, check=False
        )
        if built.returncode != 0:
            raise StackError(f"{product} was not built (see above).")
    MARK.parent.mkdir(parents=True, exist_ok=True)
    MARK.write_text(wanted)


def reason(folder: Path = RELEASE) -> str:
    return "first build: 8 to 17 minutes" if not folder.exists() else "sources changed: 1 to 3 minutes"
