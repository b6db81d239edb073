"""Copies what `swift test` prints, and says again at the end what failed: in a log of thousands of
lines the cause is seldom near the end."""

import io
import sys
from collections.abc import Iterable, Iterator

ISSUES_MAX = 40
# An issue's first line, its comments, and the lines they go on over.
LINES_OF_ONE_MAX = 15
MARKS = "◇✔✘➜◉"
CRASHES = ("Fatal error", "unexpected signal")


def failures(lines: Iterable[str]) -> Iterator[list[str]]:
    """Issues that nobody knew of, and ends that the tests did not choose."""
    issue: list[str] = []
    for line in lines:
        # What an issue quotes of a child's crash is its own.
        begins = "recorded an issue" in line or (
            not issue and any(crash in line for crash in CRASHES)
        )
        if issue and (begins or line[0] in MARKS or len(issue) == LINES_OF_ONE_MAX):
            yield issue
            issue = []
        if issue or begins:
            issue.append(line)
    if issue:
        yield issue


def copied(lines: Iterable[str]) -> Iterator[str]:
    """To the end, or until somebody presses Ctrl-C: then the tests end too, and what they say of it is
    nothing to wait for."""
    try:
        for line in lines:
            sys.stdout.write(line)
            sys.stdout.flush()
            yield line
    except KeyboardInterrupt:
        return


def main() -> None:
    # Tests and what they start may print any bytes.
    given = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
    found = list(failures(copied(given)))
    if found:
        print(f"== what failed: {len(found)}")
        print("".join(line for issue in found[:ISSUES_MAX] for line in issue), end="", flush=True)


if __name__ == "__main__":
    main()
