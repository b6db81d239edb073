import Foundation
import TestSupport
import Testing
import TextAnalysis

@testable import Ingest

@Suite("Documents with damage")
struct DamagedDocumentTests {
    /// Small, so that what is to be refused is refused soon.
    private static let limits: ReadingLimits = {
        var limits = ReadingLimits()
        limits.unpackedByteCountMax = 4 << 20
        limits.entryCountMax = 200
        limits.pageCountMax = 50
        limits.textByteCountMax = 4 << 20
        return limits
    }()

    @Test(
        "are read or refused, and what is read is cut into pieces of it",
        arguments: Extraction.Format.allCases.filter { !$0.isReadByTools })
    func reads(_ format: Extraction.Format) async throws {
        let (examples, tokens) = try FuzzExamples.of(format)
        try await Fuzzing("reader of \(format.rawValue)", runCount: 60).each(
            of: examples, tokens: tokens
        ) { input in
            let found: DocumentBlocks
            do throws(ExtractionFailure) {
                found = try Extraction.extract(input.bytes, as: format, limits: Self.limits)
            } catch {
                return
            }
            let text = ExtractedText(title: found.title, blocks: found.blocks)
            expectPlaced(text, input.comment)
            let window = Int.random(in: 16...512, using: &input.generator)
            expectCut(text, windowTokenCount: window, input.comment)
        }
    }

    /// Blocks stand one after the other, each a piece of the text.
    private func expectPlaced(_ text: ExtractedText, _ comment: String) {
        var end = 0
        for block in text.blocks {
            #expect(block.range.lowerBound >= end && !block.range.isEmpty, "\(comment)")
            end = block.range.upperBound
            let slice = text.text.slice(block.range)
            #expect(slice.utf8.count == block.range.count, "\(comment)")
        }
        #expect(end == text.text.utf8.count, "\(comment)")
    }

    /// Every word of the blocks is in a piece; pieces stand in order and inside the text.
    private func expectCut(
        _ text: ExtractedText, windowTokenCount: Int, _ comment: String
    ) {
        let chunker = Chunker(windowTokenCount: windowTokenCount) { Analyser.sentences(in: $0) }
        let pieces = chunker.pieces(of: text)
        var covered = [Bool](repeating: false, count: text.text.utf8.count)
        var start = 0
        for piece in pieces {
            #expect(piece.range.lowerBound >= start && !piece.range.isEmpty, "\(comment)")
            start = piece.range.lowerBound
            #expect(text.text.slice(piece.range).utf8.count == piece.range.count, "\(comment)")
            for index in piece.range { covered[index] = true }
            for half in chunker.split(piece, of: text.text) {
                #expect(
                    piece.range.lowerBound <= half.range.lowerBound
                        && half.range.upperBound <= piece.range.upperBound, "\(comment)")
            }
        }
        for block in text.blocks where !block.kind.isHeading {
            let slice = text.text.slice(block.range)
            for word in slice.split(whereSeparator: \.isWhitespace) {
                let offset = block.range.lowerBound + slice.utf8Offset(of: word.startIndex)
                #expect(covered[offset], "\(comment): \(word.prefix(40))")
            }
        }
    }
}

extension TextBlock.Kind {
    fileprivate var isHeading: Bool {
        if case .heading = self { true } else { false }
    }
}
