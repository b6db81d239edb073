"""python -m bench [--only SECTION,…] [--binaries FOLDER]"""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.world import Bench
from stack import build, interrupts
from stack.component import StackError
from stack.paths import LOCAL, RELEASE, REPOSITORY

# In this order, each the name of its file.
SECTIONS = ("gateway", "events", "siege", "processes", "questions", "queue", "ingest", "large", "chat", "streams")


def main() -> int:
    interrupts.as_keyboard_interrupt()
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(SECTIONS)}")
    parser.add_argument("--binaries", type=Path, help="measures these, as they are")
    given = parser.parse_args()
    names = [name for name in given.only.replace(",", " ").split()] or list(SECTIONS)
    if unknown := set(names) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    binaries = given.binaries or build_release()
    LOCAL.mkdir(exist_ok=True)
    bench = Bench(Path(tempfile.mkdtemp(prefix="bench-", dir=LOCAL)), binaries.resolve())
    print(machine(binaries), flush=True)
    failed: list[str] = []
    try:
        for name in names:
            start = time.monotonic()
            print(f"\n== {name}", flush=True)
            try:
                importlib.import_module(f"bench.{name}").measure(bench)
            except StackError as problem:
                print(f"{name} could not be measured: {problem}", flush=True)
                failed.append(name)
            print(f"({time.monotonic() - start:.0f} s)", flush=True)
    except KeyboardInterrupt:
        return 130
    finally:
        interrupts.ignored()
        bench.close()
    return 1 if failed else 0


def build_release() -> Path:
    if not build.is_current():
        build.build()
    for program in ("QueueBenchmark", "StreamBenchmark"):
        built = subprocess.run(
            ["swift", "build", "-c", "release", "--product", program], cwd=REPOSITORY, check=False
        )
        if built.returncode != 0:
            raise StackError(f"{program} was not built (see above).")
    return RELEASE


def machine(binaries: Path) -> str:
    """The circumstances without which a number says nothing."""
    load = os.getloadavg()[0]
    warning = "; BUSY: do not trust the figures" if load > 0.5 else ""
    kind = "" if binaries == RELEASE else f", binaries of {binaries}"
    return f"{os.cpu_count()} cores, load {load:.2f} at the start{warning}{kind}"


try:
    sys.exit(main())
except StackError as problem:
    print(f"\n{problem}", file=sys.stderr)
    sys.exit(1)
