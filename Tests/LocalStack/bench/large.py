"""Large files: how soon a PDF of 500 pages can be asked about, and what 200 MB on their way take.

Embeddings come from the scripted model, which answers at once: what is measured is ours and poppler's.
"""

import time
import zlib
from pathlib import Path
from statistics import median

import httpx

from bench import meters
from bench.figures import Table
from bench.uploads import upload_all
from bench.world import Bench, Services
from stack.component import StackError

ROUNDS = 3
PAGE_COUNT = 500
LINE_COUNT = 40
SEARCHABLE_SECONDS_MAX = 120
UPLOAD_MB = 200


def measure(bench: Bench) -> None:
    with bench.services("large", MAX_UPLOAD_MB="256") as services:
        token = bench.token("alice")
        table = Table(["pages", "MB", "chunks", "searchable after s", "ingest peak RSS MB"])
        taken = [index(bench, services, token, turn) for turn in range(ROUNDS)]
        size, chunks, seconds, peak = (median(one[place] for one in taken) for place in range(4))
        table.add(str(PAGE_COUNT), size / 1_000_000, chunks, seconds, peak)
        print(f"medians of {ROUNDS}; from the upload's first byte until a search finds the last page")
        print(table, flush=True)
    with bench.services("larger", MAX_UPLOAD_MB="256", INGEST_ROLES="api") as services:
        upload(bench, services, bench.token("alice"))


def index(
    bench: Bench, services: Services, token: str, turn: int
) -> tuple[float, float, float, float]:
    content = pdf(turn)
    worker = services.pids("ingest")
    meters.forget_peak(worker)
    start = time.perf_counter()
    upload_all(services.gateway_port, token, [(f"large-{turn}.pdf", content)])
    search_until_found(services, token, name_of(turn, PAGE_COUNT))
    seconds = time.perf_counter() - start
    chunks = bench.sql(
        "large", "SELECT chunk_count FROM attachments ORDER BY sequence DESC LIMIT 1"
    )
    return len(content), float(chunks), seconds, meters.peak_rss_mb(worker)


def search_until_found(services: Services, token: str, word: str) -> None:
    deadline = time.monotonic() + SEARCHABLE_SECONDS_MAX
    with httpx.Client(timeout=10, trust_env=False) as client:
        while time.monotonic() < deadline:
            answer = client.post(
                f"{services.gateway_url}/search", json={"query": word, "top_k": 1},
                headers={"Authorization": f"Bearer {token}"},
            )
            if answer.status_code == 200 and word in answer.text:
                return
            time.sleep(0.1)
    raise StackError(f"{word} was not found within {SEARCHABLE_SECONDS_MAX} s: {answer.text[:300]}")


def upload(bench: Bench, services: Services, token: str) -> None:
    content = b"All work and no play.\n" * (UPLOAD_MB * 1_000_000 // 22)
    table = Table(["process", "idle RSS MB", f"peak RSS MB, {UPLOAD_MB} MB going through"])
    pids = {name: services.pids(name) for name in ("gateway", "ingest")}
    idle = {name: meters.rss_mb(pids[name]) for name in pids}
    for one in pids.values():
        meters.forget_peak(one)
    start = time.perf_counter()
    upload_all(services.gateway_port, token, [("large.txt", content)])
    seconds = time.perf_counter() - start
    for name, one in pids.items():
        table.add(name, idle[name], meters.peak_rss_mb(one))
    print(table)
    print(f"{UPLOAD_MB / seconds:.0f} MB/s, hashed and kept in a folder", flush=True)


def pdf(turn: int) -> bytes:
    """Pages of text, each unlike all others, or its vectors would be found in the table."""
    samples = Path(__file__).parents[2] / "Fixtures" / "training-materials"
    words = " ".join(
        path.read_text() for path in sorted(samples.rglob("*.md"))
    ).encode("latin-1", "ignore").decode("latin-1").split()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (PAGE_COUNT, b" ".join(b"%d 0 R" % (4 + 2 * page) for page in range(PAGE_COUNT))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for page in range(1, PAGE_COUNT + 1):
        lines = [f"Page {name_of(turn, page)}"]
        for line in range(LINE_COUNT):
            start = (page * 37 + line * 11) % (len(words) - 12)
            lines.append(" ".join([*words[start : start + 11], f"{turn}.{page}.{line}"]))
        content = zlib.compress(drawn(lines))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> >> >>" % (5 + 2 * (page - 1))
        )
        objects.append(
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream"
            % (len(content), content)
        )
    return file_of(objects)


def name_of(turn: int, page: int) -> str:
    """A word that stands on that page alone."""
    return "quj" + "".join(chr(ord("a") + int(digit)) for digit in f"{turn}{page:04}") + "quj"


def drawn(lines: list[str]) -> bytes:
    text = b"BT /F 10 Tf 14 TL 40 800 Td\n"
    for line in lines:
        escaped = line.replace("\\", "").replace("(", "").replace(")", "")
        text += b"(" + escaped.encode("cp1252", "ignore") + b") Tj T*\n"
    return text + b"ET"


def file_of(objects: list[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, start,
    )
    return bytes(out)
