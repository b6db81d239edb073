"""Documents: reading them, by format, and indexing them with 1, 2 and 4 workers.

Reading is what the limited child `ingest extract` does with one file, its start included; where Debian
has a program for the format, that one reads the same files in turn. Indexing is everything from a
worker's claim on, before an embedding endpoint that takes 50 ms for each request.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from bench.figures import Table, interleaved, median_of, number, ratio
from bench.uploads import upload_all
from bench.world import Bench, Services
from stack.component import Stack, StackError, base_environment
from stack.paths import REPOSITORY
from stack.ports import find_free

FIXTURES = REPOSITORY / "Tests" / "Fixtures"
ROUNDS = 3
TURN_SECONDS = 0.7
FILES_OF_A_FORMAT_MAX = 20
LARGE_BYTES = 1_000_000
CHILD_SECONDS_MAX = 60
# What only the service's limits end.
ENDLESS = {"endless.pdf"}
# How the child names a format whose files end in this, where that is not the ending itself.
FORMATS = {
    "md": "markdown", "txt": "plain-text", "eml": "mail", "htm": "html", "jpg": "image", "gif": "image",
    "jpeg": "image", "png": "image", "tif": "image", "tiff": "image", "webp": "image",
}
PEERS = {"pdf": ["pdftotext", "-layout", "-", "-"]}

WORKERS = (1, 2, 4)
INDEX_ROUNDS = 2
DOCUMENT_COUNT = 40
EMBEDDING_MS = 50
INDEX_SECONDS_MAX = 60


@dataclass
class Reading:
    """Of one turn: the child's time, and its CPU."""

    document_count: int
    byte_count: int
    seconds: float
    cpu_seconds: float

    @property
    def documents_per_second(self) -> float:
        return self.document_count / self.seconds

    @property
    def mb_per_second(self) -> float:
        return self.byte_count / self.seconds / 1_000_000

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds / self.document_count * 1000


def measure(bench: Bench) -> None:
    compare_reading(bench)
    compare_workers(bench)


def compare_reading(bench: Bench) -> None:
    folder = bench.folder / "ingest"
    folder.mkdir()
    table = Table(["format", "files", "kB each", "docs/s", "MB/s", "CPU ms", "peer docs/s", "ratio"])
    known = known_formats(bench)
    found = files_by_ending()
    corpus = b"\n\n".join(path.read_bytes() for path in found["md"])
    for name, ending, content in (
        ("an empty text", "txt", b""),
        ("1 MB of Markdown", "md", corpus * (LARGE_BYTES // len(corpus) + 1)),
        ("1 MB of text", "txt", corpus * (LARGE_BYTES // len(corpus) + 1)),
    ):
        file = folder / f"{name.replace(' ', '-')}.{ending}"
        file.write_bytes(content)
        add_reading(table, bench, name, FORMATS[ending], [file])
    unread: list[str] = []
    for ending, files in sorted(found.items()):
        format_name = FORMATS.get(ending, ending)
        if format_name in known:
            add_reading(table, bench, ending, format_name, files, PEERS.get(ending))
        else:
            unread.append(ending)
    print(f"reading, one child after another; medians of {ROUNDS}; the peer of PDF is pdftotext")
    print(table)
    if unread:
        print(f"not read by these binaries: {', '.join(unread)}")
    print(flush=True)


def known_formats(bench: Bench) -> set[str]:
    listed = re.search(r"values:([^)]+)\)", bench.command("ingest", "extract", "--help"))
    if not listed:
        raise StackError("ingest extract --help names no formats")
    return {one.strip() for one in listed.group(1).split(",")}


def files_by_ending() -> dict[str, list[Path]]:
    """The pages and sample documents, without what documents are made from."""
    found: dict[str, list[Path]] = {}
    for path in sorted(FIXTURES.rglob("*.*")):
        inside = path.relative_to(FIXTURES)
        if path.is_file() and inside.parts[0] in ("training-materials", "documents"):
            if "sources" not in inside.parts and path.name not in ENDLESS:
                found.setdefault(path.suffix[1:].lower(), []).append(path)
    return {ending: files[:FILES_OF_A_FORMAT_MAX] for ending, files in found.items()}


def add_reading(
    table: Table, bench: Bench, name: str, format_name: str, files: list[Path],
    peer: list[str] | None = None,
) -> None:
    # Of a picture nothing is read but by recognition.
    command = ["recognise", "image", "1"] if format_name == "image" else ["extract", format_name]
    child = [str(bench.binaries / "ingest"), *command]
    ways = {"ours": lambda: read_all(child, files)}
    if peer and shutil.which(peer[0]):
        ways["peer"] = lambda: read_all(peer, files)
    read_all(child, files[:1], seconds=0)
    taken = interleaved(ROUNDS, ways)
    ours = median_of(taken["ours"], "documents_per_second")
    theirs = median_of(taken["peer"], "documents_per_second") if "peer" in taken else None
    table.add(
        name, str(len(files)), sum(path.stat().st_size for path in files) / len(files) / 1000,
        ours, median_of(taken["ours"], "mb_per_second"), median_of(taken["ours"], "cpu_ms"),
        theirs, ratio(ours, theirs) if theirs else None,
    )


def read_all(command: list[str], files: list[Path], seconds: float = TURN_SECONDS) -> Reading:
    """The files in turn until the time is over, each at least once. A document that the child
    refuses counts: saying no is work too."""
    reading = Reading(0, 0, 0, 0)
    while reading.seconds < seconds or reading.document_count < len(files):
        file = files[reading.document_count % len(files)]
        with tempfile.TemporaryDirectory() as folder:
            # As the service does it: the file is the standard input, and lies in the own folder.
            document = Path(folder) / "input"
            shutil.copyfile(file, document)
            before, start = os.times(), time.perf_counter()
            with document.open("rb") as standard_input:
                done = subprocess.run(
                    command, stdin=standard_input, capture_output=True, cwd=folder,
                    env=base_environment(), timeout=CHILD_SECONDS_MAX, check=False,
                )
            reading.seconds += time.perf_counter() - start
            after = os.times()
        if done.returncode < 0:
            raise StackError(f"reading {file.name} ended by signal {-done.returncode}")
        reading.cpu_seconds += after.children_user - before.children_user
        reading.cpu_seconds += after.children_system - before.children_system
        reading.document_count += 1
        reading.byte_count += file.stat().st_size
    return reading


def compare_workers(bench: Bench) -> None:
    settings = {"INGEST_ROLES": "api"}
    script = {"model": "indexing-passages", "steps": [{"delay_ms": EMBEDDING_MS}]}
    httpx.post(f"{bench.scripted_url}/script", json=script, timeout=5, trust_env=False)
    token = bench.token("alice")
    with bench.services("indexing", **settings) as services:
        rounds = iter(range(len(WORKERS) * INDEX_ROUNDS))
        taken = interleaved(
            INDEX_ROUNDS,
            {
                str(count): lambda count=count: index_all(
                    bench, services, token, next(rounds), count
                )
                for count in WORKERS
            },
        )
    table = Table(["jobs at once", "documents/s", "beside one"])
    single = median(taken[str(WORKERS[0])])
    for count in WORKERS:
        rate = median(taken[str(count)])
        table.add(str(count), rate, ratio(rate, single))
    print(
        f"indexing {DOCUMENT_COUNT} pages, {EMBEDDING_MS} ms for each embedding request "
        f"(one worker, if it did nothing but wait: {number(1000 / EMBEDDING_MS)} documents/s)"
    )
    print(table, flush=True)


def index_all(bench: Bench, services: Services, token: str, turn: int, count: int) -> float:
    """Uploads while no worker is there, then starts one. Documents a second, from the first one's
    end to the last one's."""
    upload_all(services.gateway_port, token, pages(turn))
    running = Stack(bench.folder / f"worker-{turn}")
    settings = services.settings | {"INGEST_ROLES": "worker", "INGEST_CONCURRENCY": str(count)}
    try:
        running.start(bench.service("ingest", settings, find_free()))
        deadline = time.monotonic() + INDEX_SECONDS_MAX
        while bench.sql("indexing", UNFINISHED) != "0":
            if time.monotonic() > deadline:
                raise StackError(f"indexing took longer than {INDEX_SECONDS_MAX} s")
            time.sleep(0.1)
    finally:
        running.stop()
    return float(bench.sql("indexing", RATE.format(count=DOCUMENT_COUNT)))


UNFINISHED = "SELECT count(*) FROM jobs WHERE kind = 'index_attachment' AND state <> 'done'"
# Of the last ones, which this turn uploaded.
RATE = """
    SELECT ({count} - 1) / extract(epoch FROM max(finished_at) - min(finished_at)) FROM (
        SELECT finished_at FROM jobs WHERE kind = 'index_attachment' ORDER BY id DESC LIMIT {count}
    ) AS last
"""


def pages(turn: int) -> list[tuple[str, bytes]]:
    """Each unlike all others in every paragraph, or its vectors would be found in the table."""
    samples = sorted((FIXTURES / "training-materials").rglob("*.md"))
    return [
        (
            f"page-{turn}-{index}.md",
            samples[index % len(samples)].read_text()
            .replace("\n\n", f" ({turn}.{index})\n\n").encode(),
        )
        for index in range(DOCUMENT_COUNT)
    ]
