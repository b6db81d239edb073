"""The house rules that neither compiler nor formatter knows. Prints each breach, fails on any."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LINES_MAX = 300
# How far above a `try?` the comment may stand that says why it is safe.
REASON_LINES = 8

PROMISES = re.compile(r"@unchecked Sendable|nonisolated\(unsafe\)|\btry!|\bas!|\bfatalError\(")
SWALLOWED = re.compile(r"\btry\?")
BARE_TASK = re.compile(r"^\s*Task ?(?:\.detached)? ?\{")
# At the socket's level the same number is SO_DEBUG, which only root may set.
MISPLACED_OPTION = re.compile(r"socketOption\(\.tcp_")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|not implemented)\b")
DECORATION = re.compile(r"^\s*// ?MARK|^//  Created by")
NAMES = re.compile(r"(Utils?|Helpers?|Common|Manager|Extensions?)(\+.*)?\.swift$")
TYPE_NAMES = re.compile(r"\b(?:class|struct|enum|actor|protocol) \w+(?:Manager|Helper|Util|Impl)\b")


def breaches(file: Path, lines: list[str]) -> Iterator[tuple[int, str]]:
    if NAMES.search(file.name):
        yield 1, "a name that the house does not use"
    if len(lines) > LINES_MAX:
        yield len(lines), f"more than {LINES_MAX} lines: split it by noun"
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0]
        if PROMISES.search(code):
            yield number, "a promise that the compiler cannot check, or a crash"
        if BARE_TASK.search(code):
            yield number, "a task that nobody waits for"
        if TYPE_NAMES.search(code):
            yield number, "a type's name that the house does not use"
        if MISPLACED_OPTION.search(code):
            yield number, "TCP's options are set by tcpOption"
        if UNFINISHED.search(line):
            yield number, "unfinished"
        if DECORATION.search(line):
            yield number, "a file header or a MARK"
        if SWALLOWED.search(code) and not has_reason(lines, number):
            yield number, "try? without a comment that says why it is safe"


def has_reason(lines: list[str], number: int) -> bool:
    return any("//" in line for line in lines[max(0, number - 1 - REASON_LINES) : number])


def sources() -> list[Path]:
    """Tests may crash; what is shipped may not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "Services/*.swift", "Shared/*.swift"],
        capture_output=True, text=True, check=True,
    ).stdout
    return [Path(name) for name in listed.split("\0") if name and Path(name).exists()]


def main() -> int:
    found = 0
    for file in sources():
        for number, what in breaches(file, file.read_text().splitlines()):
            print(f"{file}:{number}: {what}")
            found += 1
    return 1 if found else 0


sys.exit(main())
