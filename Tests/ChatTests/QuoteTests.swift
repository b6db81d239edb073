import Testing

@testable import Chat

@Suite("Quotes")
struct QuoteTests {
    static let source = """
        The community was founded in 2021. The tariff is 0,137 euro per kWh. \
        Members vote once a year.
        """

    @Test("are the sentence of the source that says it, verbatim")
    func verbatim() {
        let quote = Quote(for: "The tariff is 0.137 euro.", in: Self.source)
        #expect(quote.text == "The tariff is 0,137 euro per kWh.")
        #expect(quote.isVerified)
        let scalars = Array(Self.source.unicodeScalars)
        let span = quote.span ?? 0..<0
        #expect(String(String.UnicodeScalarView(scalars[span])) == quote.text)
    }

    @Test("are not verified when a number is not in the source")
    func wrongNumber() {
        #expect(!Quote(for: "The tariff is 0.138 euro.", in: Self.source).isVerified)
    }

    @Test("are found across languages by their numbers")
    func acrossLanguages() {
        let quote = Quote(for: "La tariffa è di 0,137 euro.", in: Self.source)
        #expect(quote.text == "The tariff is 0,137 euro per kWh.")
        #expect(quote.isVerified)
    }

    @Test("are empty and unverified when nothing in the source is like it")
    func nothing() {
        let quote = Quote(for: "Bananas are yellow.", in: Self.source)
        #expect(quote.text.isEmpty && quote.span == nil && !quote.isVerified)
    }

    @Test("take the number of a list's item for no number of the sentence")
    func listItem() {
        #expect(Quote.numbers(in: "3. The tariff is 5 euro") == Quote.numbers(in: "5"))
    }
}
