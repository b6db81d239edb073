import Database
import Domain
import Logging
import ModelEndpoint
import Postgres
import TextAnalysis

/// Makes one answer: waits its turn, gathers what is known, asks the model, keeps the reply.
struct AnswerWriter: Sendable {
    struct Settings: Sendable {
        var model: String
        var systemPrompt = Prompt.defaultSystemPrompt
        var temperature: Double?
        var outputTokenCountMax = 2048
        /// Messages, not turns.
        var historyCountMax = 20
        var modelLimits = ChatLimits()
        var turnWait: Duration = .seconds(30)
        var attachmentWait: Duration = .seconds(30)
        /// Whether the model is asked to rewrite questions that lean on the conversation.
        var rewritesQuestions = true
        /// Whether the model is asked for the titles of new conversations.
        var makesTitles = true
    }

    private enum Outcome: Sendable {
        case finished(Message.FinishReason)
        case failed(AnswerFailure)
        case stopped(StopReason)
    }

    let settings: Settings
    let materials: AnswerMaterials
    let models: ModelEndpoint
    let keeper: AnswerKeeper
    let turns: Wakeups
    let pool: PostgresPool
    let logger: Logger

    /// True when the reply was made and is kept.
    func write(_ answer: RunningAnswer, replica: String) async -> Bool {
        let turn = answer.question.turn
        defer { answer.log.close() }
        do {
            try answer.log.append(
                .meta(
                    .init(
                        conversationID: turn.conversation.description,
                        messageID: turn.reply.description, title: answer.question.title)))
            let outcome = await raced(answer)
            return try await end(answer, as: outcome, replica: replica)
        } catch {
            logger.error("answer ended without its last event", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Until it is made, fails, or is told to stop, whichever comes first.
    private func raced(_ answer: RunningAnswer) async -> Outcome {
        await withTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                do {
                    return .finished(try await make(answer))
                } catch is CancellationError where Task.isCancelled {
                    return nil
                } catch {
                    if answer.stop.reason != nil { return nil }
                    return .failed(AnswerFailure(error))
                }
            }
            group.addTask {
                await answer.stop.wait()
                return answer.stop.reason.map(Outcome.stopped)
            }
            defer { group.cancelAll() }
            for await outcome in group {
                if let outcome { return outcome }
            }
            return .failed(.shuttingDown)
        }
    }

    /// Commits first: `done` tells the client that the reply is kept.
    private func end(
        _ answer: RunningAnswer, as outcome: Outcome, replica: String
    ) async throws -> Bool {
        let (status, reason, failure) = verdict(outcome)
        let draft = answer.draft.contents
        let ending = try answer.log.ending(
            with: lastEvents(of: answer, reason, failure, usage: draft))
        let isKept = await keeper.keep(
            draft, of: answer, status, reason, stream: (ending.whole, ending.count),
            replica: replica)
        if let code = isKept ? failure?.code : AnswerFailure.notSaved.code {
            logger.warning("answer ended early", metadata: ["answer.code": "\(code)"])
        }
        if isKept {
            answer.log.append(ending.last)
        } else {
            // With the last ids there are: those that follow may stand for something else in
            // Postgres, should it have taken the end and lost its answer.
            let events = lastEvents(of: answer, .error, failure ?? .notSaved, usage: draft)
            let firstID = TakeOver.eventCountMax - events.count + 1
            answer.log.append(
                try events.enumerated().map { try $1.frame(id: firstID + $0) })
        }
        return isKept && status == .complete
    }

    private func lastEvents(
        of answer: RunningAnswer, _ reason: Message.FinishReason, _ failure: AnswerFailure?,
        usage draft: AnswerDraft.Contents
    ) -> [AnswerEvent] {
        var usage: AnswerEvent.Done.Usage?
        if let prompt = draft.promptTokenCount, let completion = draft.completionTokenCount {
            usage = .init(promptTokens: prompt, completionTokens: completion)
        }
        return AnswerEvent.ending(answer.id, reason, failure, usage: usage)
    }

    private func verdict(
        _ outcome: Outcome
    ) -> (Message.Status, Message.FinishReason, AnswerFailure?) {
        switch outcome {
        case .finished(let reason): (.complete, reason, nil)
        case .stopped(.cancelled): (.cancelled, .cancelled, nil)
        case .stopped(.shuttingDown): (.incomplete, .error, .shuttingDown)
        case .stopped(.gone), .stopped(.unsaved): (.incomplete, .error, .notSaved)
        case .failed(let failure): (.incomplete, .error, failure)
        }
    }

    private func make(_ answer: RunningAnswer) async throws -> Message.FinishReason {
        try await waitForTurn(answer)
        let found = try await materials.gather(for: answer)
        let sources = found.sources
        answer.draft.change { draft in
            draft.sources = sources
            draft.drawnFrom = found.drawnFrom
        }
        if answer.question.includesCitations {
            try answer.log.append(.sources(sources.map { SourceAnswer($0) }))
        }
        try answer.log.append(.status(.init(stage: .generating)))
        let prompt = Prompt(
            systemPrompt: settings.systemPrompt, summary: found.summary, history: found.history,
            sources: sources,
            context: answer.question.context, absentAttachments: found.absentAttachments,
            question: found.question, language: Analyser.language(of: found.question),
            asksForCitations: answer.question.includesCitations)
        let messages = prompt.messages
        answer.draft.change { draft in
            draft.promptCharacterCount = messages.reduce(0) { $0 + $1.content.count }
        }
        return try await models.chat(
            messages, model: settings.model, temperature: settings.temperature,
            outputTokenCountMax: settings.outputTokenCountMax, limits: settings.modelLimits
        ) { stream in
            try await relay(stream, to: answer, sources: sources)
        }
    }

    private func waitForTurn(_ answer: RunningAnswer) async throws {
        guard answer.question.waitsForTurn else { return }
        try answer.log.append(.status(.init(stage: .waitingForTurn)))
        let isOurs = try await turns.wait(
            for: [answer.question.turn.conversation.description], atMost: settings.turnWait
        ) {
            try await pool.read { try MessageStore($0).isFirstInTurn(answer.id) }
        }
        if !isOurs { throw AnswerFailure.conversationBusy }
    }

    private func relay(
        _ stream: ChatStream, to answer: RunningAnswer, sources: [NumberedSource]
    ) async throws -> Message.FinishReason {
        var text = AnswerText(
            sources: sources, keepsMarkers: answer.question.includesCitations)
        for try await event in stream {
            switch event {
            case .text(let piece):
                try emit(text.feed(piece), to: answer, sources)
            case .finished(let reason, let usage):
                try emit(text.finish(), to: answer, sources)
                answer.draft.change { draft in
                    draft.promptTokenCount = usage?.promptTokenCount
                    draft.completionTokenCount = usage?.completionTokenCount
                }
                return try finishReason(reason, isEmpty: answer.draft.contents.text.isEmpty)
            }
        }
        throw ModelError.broken
    }

    private func finishReason(
        _ reason: ChatEvent.FinishReason, isEmpty: Bool
    ) throws -> Message.FinishReason {
        if reason == .contentFilter { throw AnswerFailure.contentFilter }
        if reason == .length { return .length }
        if isEmpty { throw ModelError.undecodable }
        return .stop
    }

    private func emit(
        _ outputs: [AnswerText.Output], to answer: RunningAnswer, _ sources: [NumberedSource]
    ) throws {
        for output in outputs {
            switch output {
            case .text(let text):
                answer.draft.change { $0.text += text }
                try answer.log.append(.token(text))
            case .citation(let marker, let index, let sentence, let quote):
                answer.draft.change { draft in
                    draft.citations.append(
                        .init(
                            marker: marker, sourceIndex: index, sentence: sentence,
                            quote: quote.span, isVerified: quote.isVerified))
                }
                try answer.log.append(
                    .citation(
                        .init(
                            marker: marker, sourceIndex: index, sentence: sentence,
                            quote: quote.span, of: sources[index].chunk,
                            verified: quote.isVerified)))
            }
        }
    }
}
