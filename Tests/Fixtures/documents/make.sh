#!/usr/bin/env bash
# Makes the sample documents from what is in sources/, with the programs people write them with.
# They are committed: tests never run this. Without an argument it makes all families.
#
#   apt-get install libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui pandoc \
#       fonts-dejavu-core graphicsmagick poppler-utils qpdf webp
set -euo pipefail
cd "$(dirname "$0")"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# convert FORMAT SOURCE TARGET
convert() {
    soffice "-env:UserInstallation=file://$scratch/profile" --headless --convert-to "$1" \
        --outdir "$scratch" "$2" >/dev/null 2>&1
    mv "$scratch/$(basename "${2%.*}").${1%%:*}" "$3"
}

make_office() {
    convert odt sources/rules.fodt rules.odt
    convert docx sources/rules.fodt rules.docx
    convert ods sources/meters.fods meters.ods
    convert xlsx sources/meters.fods meters.xlsx
    convert odp sources/assembly.fodp assembly.odp
    convert pptx sources/assembly.fodp assembly.pptx
    pandoc sources/guide.md --toc -o guide.docx
    pandoc sources/guide.md -o guide.odt
    pandoc sources/guide.md --slide-level 2 -o guide.pptx
}

make_web() {
    cp sources/page.html page.html
    pandoc sources/guide.md --standalone --toc -o guide.html
    pandoc sources/guide.md --toc -o guide.epub
}

make_pdf() {
    convert pdf sources/statute.fodt statute.pdf
    qpdf --encrypt secret owner 256 -- statute.pdf encrypted.pdf
    # Whoever has no password may read this one.
    qpdf --encrypt "" owner 256 -- statute.pdf restricted.pdf
    head -c 4000 statute.pdf > truncated.pdf
    # A scan has no text: pictures of two pages.
    pdftoppm -r 110 -gray -jpeg -jpegopt quality=40 -f 1 -l 2 statute.pdf "$scratch/scan"
    gm convert -density 110 -compress JPEG "$scratch"/scan-*.jpg scanned.pdf
    python3 sources/hostile.py pdf "$scratch/many.pdf"
    qpdf --object-streams=generate "$scratch/many.pdf" many-pages.pdf
}

# encoded ENCODING TARGET: a text as programs before Unicode wrote it.
encoded() {
    iconv -f UTF-8 -t "$1" sources/bollettino.txt > "$2"
}

make_text() {
    convert rtf sources/rules.fodt rules.rtf
    pandoc sources/guide.md --standalone -o guide.rtf
    pandoc sources/guide.md --to gfm --wrap=preserve -o guide.md
    # Field separator, quote, character set: as a spreadsheet in Italy and one in England export.
    convert "csv:Text - txt - csv (StarCalc):59,34,1" sources/meters.fods meters.csv
    convert "csv:Text - txt - csv (StarCalc):9,34,76" sources/meters.fods meters.tsv
    jq --slurp --raw-input 'split("\n") | map(select(length > 0) | split("\t"))
        | {"comunità": "Valle Sole", letture: [.[2:4][] | {POD: .[0], kWh: .[2], quota: .[3]}]}' \
        meters.tsv > meters.json
    encoded WINDOWS-1252 bollettino-windows.txt
    encoded ISO-8859-15 bollettino-latin9.txt
    encoded MACINTOSH bollettino-mac.txt
    encoded UTF-16 bollettino-utf16.txt
    encoded UTF-16BE bollettino-utf16be.txt
    python3 sources/mail.py sources/bollettino.txt meters.csv invito.eml
}

# picture FIRST-LINE SECOND-LINE TARGET
picture() {
    gm convert -size 900x300 xc:white -font /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf -pointsize 34 -fill black \
        -draw "text 40,90 '$1'" -draw "text 40,190 '$2'" -colorspace gray -depth 8 "$3"
}

make_pictures() {
    local bill="La bolletta di marzo costa 84 euro." pump="The heat pump saves energy."
    picture "$bill" "$pump" bill.png
    gm convert bill.png -quality 60 bill.jpg
    # As a telephone held upright writes it: lying, with a note of which way is up.
    gm convert bill.png -rotate 270 -quality 60 "$scratch/lying.jpg"
    python3 sources/hostile.py orientation "$scratch/lying.jpg" turned.jpg
    cwebp -quiet -q 60 bill.png -o bill.webp
    picture "$pump" "Second frame" "$scratch/second.png"
    gm convert -delay 50 bill.png "$scratch/second.png" bill.gif
    gm convert bill.png "$scratch/second.png" -compress LZW bill.tiff
    gm convert -size 300x200 xc:white blank.png
    python3 sources/hostile.py pictures
}

families=("$@")
[ $# -gt 0 ] || families=(office text web pdf pictures)
for family in "${families[@]}"; do "make_$family"; done
