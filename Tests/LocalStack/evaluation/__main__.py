"""python -m evaluation [--cranfield FOLDER] [--tune] [--misses]   what retrieval finds"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from evaluation import report, thresholds, tuning
from evaluation.asking import Found, ask
from evaluation.indexing import BINARIES, Servers
from evaluation.question_sets import QuestionSet, cranfield, sample_pages
from stack import interrupts
from stack.component import StackError
from stack.paths import LOCAL


def main() -> int:
    interrupts.as_keyboard_interrupt()
    parser = argparse.ArgumentParser(prog="evaluation")
    parser.add_argument("--cranfield", type=Path, help="the collection's folder")
    parser.add_argument("--tune", action="store_true", help="searches for better settings")
    parser.add_argument("--misses", action="store_true", help="names what is not found first")
    parser.add_argument("--binaries", type=Path, default=BINARIES)
    given = parser.parse_args()
    sets = [sample_pages()] + ([cranfield(given.cranfield)] if given.cranfield else [])
    results = measured(sets, given.binaries)
    print("\n".join(report.report(results)))
    if given.misses:
        print("\n".join(report.misses(results)))
    if given.tune:
        print("\n".join(tuning.report(results) + thresholds.report(results)))
    return 0


def measured(
    sets: list[QuestionSet], binaries: Path
) -> list[tuple[QuestionSet, list[Found]]]:
    """All is indexed afresh; only the vectors are remembered from one time to the next."""
    LOCAL.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="evaluation-", dir=LOCAL)).resolve()
    servers = Servers(folder, binaries)
    try:
        servers.start()
        results = []
        for asked in sets:
            say(f"{asked.title}: indexing {len(asked.pages)} pages")
            with servers.indexed(asked.name, asked.pages) as settings:
                say(f"{asked.title}: asking {len(asked.questions)} questions")
                results.append((asked, ask(asked, settings, binaries)))
        return results
    finally:
        interrupts.ignored()
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


def say(what: str) -> None:
    """Beside the tables, which go to standard output alone."""
    print(what, file=sys.stderr, flush=True)


try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(130)
except StackError as problem:
    print(f"\n{problem}", file=sys.stderr)
    sys.exit(1)
