/// How characters are written as bytes: a name of the IANA registry that we convert from.
///
/// Only the encodings documents are found in: the C library knows many more, which have had more
/// errors than readers.
package struct CharacterEncoding: Sendable, Hashable {
    package let name: String

    package static let utf8 = Self(known: "UTF-8")
    package static let utf16LowByteFirst = Self(known: "UTF-16LE")
    package static let utf16HighByteFirst = Self(known: "UTF-16BE")
    package static let utf32LowByteFirst = Self(known: "UTF-32LE")
    package static let utf32HighByteFirst = Self(known: "UTF-32BE")
    /// What text without any other sign most often is in western Europe. Holds ISO 8859-1, and so
    /// does the web with that name (WHATWG Encoding).
    package static let windowsLatin1 = Self(known: "WINDOWS-1252")

    /// Those of western Europe that older systems wrote: Windows, Unix, the Macintosh, DOS. Those
    /// with few signs in the place of others' letters come first.
    package static let western = [
        windowsLatin1, Self(known: "ISO-8859-15"), Self(known: "MACINTOSH"), Self(known: "CP850"),
    ]

    private init(known name: String) { self.name = name }

    /// Nil for a name that is not known here. Case and the marks between its parts do not count.
    package init?(named name: String) {
        guard let known = Self.names[Self.folded(name)] else { return nil }
        self.name = known
    }

    /// A code page of Windows or DOS by its number.
    package init?(codePage: Int) {
        switch codePage {
        case 65001: self = .utf8
        case 437, 850, 852, 855, 858, 860...866: self.init(named: "cp\(codePage)")
        case 874, 1250...1258: self.init(named: "windows\(codePage)")
        case 932: self.init(named: "shiftjis")
        case 936: self.init(named: "gb18030")
        case 949: self.init(named: "euckr")
        case 950: self.init(named: "big5")
        case 10000: self.init(named: "macintosh")
        case 28591...28605: self.init(named: "iso8859\(codePage - 28590)")
        default: return nil
        }
    }

    /// Folded names to those of the C library's converter.
    private static let names: [String: String] = {
        var names = [
            "utf8": "UTF-8", "utf16le": "UTF-16LE", "utf16be": "UTF-16BE", "utf16": "UTF-16",
            "utf32le": "UTF-32LE", "utf32be": "UTF-32BE", "utf32": "UTF-32",
            "usascii": "WINDOWS-1252", "ascii": "WINDOWS-1252", "iso88591": "WINDOWS-1252",
            "latin1": "WINDOWS-1252", "iso885911": "WINDOWS-874", "tis620": "WINDOWS-874",
            "iso88599": "WINDOWS-1254", "koi8r": "KOI8-R", "koi8u": "KOI8-U",
            "macintosh": "MACINTOSH", "maccyrillic": "MAC-CYRILLIC", "shiftjis": "SHIFT_JIS",
            "sjis": "SHIFT_JIS", "windows31j": "CP932", "cp932": "CP932", "eucjp": "EUC-JP",
            "iso2022jp": "ISO-2022-JP", "gb2312": "GB18030", "gbk": "GB18030",
            "gb18030": "GB18030", "big5": "BIG5", "euckr": "EUC-KR", "uhc": "UHC",
            "ksc56011987": "UHC",
        ]
        for part in [2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16] {
            names["iso8859\(part)"] = "ISO-8859-\(part)"
        }
        for page in [1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 874] {
            names["windows\(page)"] = "WINDOWS-\(page)"
            names["cp\(page)"] = "WINDOWS-\(page)"
        }
        for page in [437, 850, 852, 855, 858, 860, 861, 862, 863, 864, 865, 866] {
            names["cp\(page)"] = "CP\(page)"
            names["ibm\(page)"] = "CP\(page)"
        }
        return names
    }()

    private static func folded(_ name: String) -> String {
        name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
