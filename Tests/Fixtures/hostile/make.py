"""Writes hostile and broken files into a folder, and into `expected.json` there what may become of each:
a status, `415`, or the code of its failure. Made anew for every run: most are large and pack well.

    python3 make.py FOLDER [MEGABYTES-OF-ONE-LINE]
"""

import json
import sys
import zipfile
import zlib
from pathlib import Path

DOCUMENTS = Path(__file__).parent.parent / "documents"
CONTENT_TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
READ = ["indexed", "stored"]


class Corpus:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.expected: dict[str, list[str]] = {}

    def add(self, name: str, content: bytes, *outcomes: str) -> None:
        self.folder.joinpath(name).write_bytes(content)
        self.expected[name] = list(outcomes)

    def copy(self, source: str, name: str, *outcomes: str) -> None:
        self.add(name, (DOCUMENTS / source).read_bytes(), *outcomes)

    def zip(self, name: str, entries: dict[str, bytes], *outcomes: str) -> None:
        with zipfile.ZipFile(self.folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in entries.items():
                kind = zipfile.ZIP_STORED if path == "mimetype" else zipfile.ZIP_DEFLATED
                archive.writestr(path, content, kind)
        self.expected[name] = list(outcomes)

    def word(self, name: str, document: bytes, *outcomes: str) -> None:
        entries = {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": document}
        self.zip(name, entries, *outcomes)


def bombs(corpus: Corpus) -> None:
    corpus.word("bomb.docx", b" " * (300 << 20), "unpacks_too_large", "corrupt")
    paragraphs = f'<w:document xmlns:w="{WORD}"><w:body>'.encode() + b"<w:p/>" * (30 << 20)
    corpus.word("paragraphs.docx", paragraphs, "unpacks_too_large", "corrupt", "timed_out")
    entries = {f"word/{number}.xml": b"" for number in range(30_000)}
    corpus.zip(
        "entries.docx", {"[Content_Types].xml": CONTENT_TYPES} | entries, "too_many_entries", "415"
    )
    laughs = "".join(
        f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10)
    )
    body = f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p></w:body></w:document>'
    corpus.word(
        "laughs.docx", f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>{body}'.encode(), "corrupt"
    )
    outside = f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>{body.replace("l9", "f")}'
    corpus.word("outside.docx", outside.encode(), "corrupt")
    inner = corpus.folder / "bomb.docx"
    corpus.zip("nested.zip", {"a.zip": inner.read_bytes()}, "415")
    corpus.word("nested.docx", inner.read_bytes(), "corrupt")
    repeated = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
        '<office:spreadsheet><table:table table:name="a">'
        '<table:table-row table:number-rows-repeated="1000000">'
        '<table:table-cell table:number-columns-repeated="16000"><text:p>again</text:p>'
        "</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    corpus.zip("repeated.ods", {"mimetype": kind, "content.xml": repeated.encode()}, "too_much_text")


def depths(corpus: Corpus) -> None:
    corpus.add("deep.json", b"[" * 5_000_000, "too_deep")
    corpus.add("deep-objects.json", b'{"a":' * 1_000_000, "too_deep")
    corpus.add("deep.rtf", b"{\\rtf1" + b"{" * 5_000_000, "too_deep")
    corpus.add("deep.html", b"<div>" * 1_000_000 + b"text", "too_deep", *READ)
    corpus.add("deep.eml", b"Content-Type: message/rfc822\n\n" * 200_000, "too_deep")
    corpus.add(
        "parts.eml", b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 500_000,
        "too_many_entries",
    )
    corpus.add("quotes.csv", b'"' * 400_001, *READ, "too_much_text")
    corpus.add("separators.csv", b";" * 20_000_000, *READ)
    corpus.add("rows.tsv", b"a\tb\n" * 5_000_000, "too_much_text", *READ)
    corpus.add("brackets.md", b"[" * 1_000_000 + b"](" * 1_000_000, *READ)
    corpus.add("pipes.md", b"|a" * 100_000 + b"\n" + b"|-" * 100_000 + b"\n", *READ)
    corpus.add("words.eml", b"Subject: " + b"=?utf-8?q?a?= " * 200_000 + b"\n\nx", *READ)


def impostors(corpus: Corpus) -> None:
    corpus.copy("rules.docx", "document.pdf", "indexed")
    corpus.copy("bill.png", "picture.docx", "indexed")
    corpus.copy("statute.pdf", "page.html", "indexed")
    corpus.add("text.docx", b"This is a text.", "indexed")
    corpus.add("program.txt", b"\x7fELF\x02\x01\x01" + bytes(4000), "415")
    corpus.add("script.pdf", b"%PDF-1.7\n%!PS (x) show", "corrupt")
    archive = (DOCUMENTS / "rules.docx").read_bytes()
    corpus.add("both.pdf", b"%PDF-1.4\n" + archive, "corrupt")
    corpus.add("both.gif", b"GIF89a<script>alert(1)</script>", "corrupt", "too_many_pixels")
    corpus.add("tail.png", (DOCUMENTS / "bill.png").read_bytes() + archive, "indexed", "corrupt")
    corpus.copy("encrypted.pdf", "encrypted.pdf", "encrypted")
    corpus.add(
        "encrypted.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(8000), "encrypted", "corrupt"
    )
    for name in ("endless.pdf", "truncated.pdf", "huge.png", "huge.gif", "huge.tiff"):
        corpus.copy(name, name, "corrupt", "timed_out", "too_large", "too_many_pixels", "stored")
    corpus.copy("many-pages.pdf", "many-pages.pdf", "too_many_pages")
    for name in ("rules.docx", "guide.epub", "meters.ods", "assembly.pptx", "scanned.pdf", "bill.jpg"):
        whole = (DOCUMENTS / name).read_bytes()
        cut = whole[: len(whole) * 3 // 5]
        corpus.add(f"cut-{name}", cut, "corrupt", "415", *READ)
        corpus.add(f"flipped-{name}", flipped(whole), "corrupt", "415", "too_large", *READ)


def flipped(content: bytes) -> bytes:
    """With a bit turned in every 97th byte after the first ones, which tell the type."""
    changed = bytearray(content)
    for place in range(200, len(changed), 97):
        changed[place] ^= 1 << (place % 8)
    return bytes(changed)


def one_line(corpus: Corpus, megabytes: int) -> None:
    with corpus.folder.joinpath("line.txt").open("wb") as file:
        for _ in range(megabytes):
            file.write(b"a" * 1_000_000)
    corpus.expected["line.txt"] = ["too_much_text", "too_large", "timed_out", "indexed"]
    packed = zlib.compress(b"\0" * (megabytes << 20))
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    corpus.add(
        "stream.pdf",
        b"%PDF-1.5\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n"
        b"4 0 obj\n" + stream + b"\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n",
        "corrupt", "timed_out", "too_large", *READ,
    )


def main(folder: str, megabytes: str = "20") -> None:
    corpus = Corpus(Path(folder))
    for family in (bombs, depths, impostors):
        family(corpus)
    one_line(corpus, int(megabytes))
    corpus.folder.joinpath("expected.json").write_text(json.dumps(corpus.expected))


main(*sys.argv[1:])
