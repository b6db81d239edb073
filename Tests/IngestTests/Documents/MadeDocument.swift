@testable import Ingest

/// The smallest documents of their kinds around something to be read.
enum MadeDocument {
    typealias Parts = [(String, String)]

    static func docx(
        body: String, styles: String = "", doctype: String = "", more: Parts = []
    ) -> ZipFile {
        ZipFile(docxParts(body: body, styles: styles, doctype: doctype) + more)
    }

    static func xlsx(
        sheet: String, strings: String = "", styles: String = "", properties: String = ""
    ) -> ZipFile {
        ZipFile(
            xlsxParts(sheet: sheet, strings: strings, styles: styles, properties: properties))
    }

    static func ods(_ rows: String) -> ZipFile { ZipFile(odsParts(rows)) }

    static func odt(_ text: String) -> ZipFile { ZipFile(odtParts(text)) }

    static func read(
        _ bytes: [UInt8], as format: Extraction.Format, limits: ReadingLimits = ReadingLimits()
    ) throws(ExtractionFailure) -> String {
        SampleDocument.described(try Extraction.extract(bytes, as: format, limits: limits))
    }

    static func docxParts(body: String, styles: String = "", doctype: String = "") -> Parts {
        let document =
            "<w:document xmlns:w=\"w\" xmlns:mc=\"mc\"><w:body>\(body)</w:body></w:document>"
        return [
            ("_rels/.rels", relationships([("officeDocument", "word/document.xml")])),
            ("word/document.xml", "<?xml version=\"1.0\"?>" + doctype + document),
            (
                "word/_rels/document.xml.rels",
                relationships([("styles", "styles.xml"), ("footnotes", "footnotes.xml")])
            ),
            ("word/styles.xml", "<w:styles xmlns:w=\"w\">\(styles)</w:styles>"),
        ]
    }

    static func xlsxParts(
        sheet: String, strings: String = "", styles: String = "", properties: String = ""
    ) -> Parts {
        [
            ("_rels/.rels", relationships([("officeDocument", "xl/workbook.xml")])),
            (
                "xl/workbook.xml",
                "<workbook xmlns:r=\"r\">\(properties)<sheets>"
                    + "<sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
            (
                "xl/_rels/workbook.xml.rels",
                relationships([
                    ("worksheet", "/xl/worksheets/sheet1.xml"),
                    ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml"),
                ])
            ),
            ("xl/worksheets/sheet1.xml", "<worksheet><sheetData>\(sheet)</sheetData></worksheet>"),
            ("xl/sharedStrings.xml", "<sst>\(strings)</sst>"),
            ("xl/styles.xml", "<styleSheet>\(styles)</styleSheet>"),
        ]
    }

    static func odsParts(_ rows: String) -> Parts {
        content("<o:spreadsheet><t:table t:name=\"S\">\(rows)</t:table></o:spreadsheet>")
    }

    static func odtParts(_ text: String) -> Parts { content("<o:text>\(text)</o:text>") }

    private static func content(_ body: String) -> Parts {
        let start = "<o:document-content xmlns:o=\"o\" xmlns:t=\"t\" xmlns:x=\"x\"><o:body>"
        return [("content.xml", start + body + "</o:body></o:document-content>")]
    }

    /// Their ids are counted from `rId1`.
    private static func relationships(_ targets: Parts) -> String {
        let base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
        let lines = targets.enumerated().map { index, target in
            "<Relationship Id=\"rId\(index + 1)\" Type=\"\(base)\(target.0)\" "
                + "Target=\"\(target.1)\"/>"
        }
        return "<Relationships>\(lines.joined())</Relationships>"
    }
}
