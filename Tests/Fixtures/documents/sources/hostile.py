"""Makes the broken and hostile documents that no honest program writes. Run by make.sh."""

import struct
import sys
import zlib
from pathlib import Path


def pdf(objects: list[bytes]) -> bytes:
    """A PDF of these objects, the first of which is the catalogue."""
    out, places = b"%PDF-1.5\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(out))
    )


def stream(content: bytes, more: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), more, content)


def many_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(count))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] >>"
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
        ]
        + [page] * count
    )


def endless() -> bytes:
    """One page, drawn of ten drawings, each of ten drawings, and so on: 10^14 letters."""
    font = b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    drawings = [
        stream(
            b"/X Do " * 10 if depth else b"BT /F 9 Tf (x) Tj ET",
            b"/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << %s %s >>"
            % (font, b"/XObject << /X %d 0 R >>" % (depth + 4) if depth else b""),
        )
        for depth in range(14)
    ]
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R"
            b" /Resources << /XObject << /X %d 0 R >> >> >>" % (len(drawings) + 4),
            stream(b"/X Do " * 10),
        ]
        + drawings
    )


def huge_png(size: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64))


def huge_gif(size: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", size, size, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff;"


def huge_tiff(size: int) -> bytes:
    """Its directory leads back to itself, too."""
    entries = [(256, 4, 1, size), (257, 4, 1, size), (258, 3, 1, 8), (259, 3, 1, 1)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", 8)


def turned(jpeg: bytes) -> bytes:
    """With the note that it is to be turned right by a quarter."""
    directory = struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">I", 8) + directory
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def main(family: str, *arguments: str) -> None:
    if family == "pdf":
        Path(arguments[0]).write_bytes(many_pages(2001))
        Path("endless.pdf").write_bytes(endless())
    elif family == "pictures":
        Path("huge.png").write_bytes(huge_png(100_000))
        Path("huge.gif").write_bytes(huge_gif(65_535))
        Path("huge.tiff").write_bytes(huge_tiff(100_000))
    elif family == "orientation":
        source, target = arguments
        Path(target).write_bytes(turned(Path(source).read_bytes()))


main(*sys.argv[1:])
