import ModelEndpoint
import TestSupport
import Testing

@testable import Chat

@Suite("Questions that lean on the conversation")
struct FollowUpTests {
    @Test(
        "are told from those that stand alone",
        arguments: [
            ("and for apartments?", true), ("e per i condomini?", true), ("Why?", true),
            ("What does it cost per year?", true), ("Quanto costa questo servizio?", true),
            ("Ma la batteria della comunità è inclusa?", true), ("¿Y para los pisos?", true),
            ("Et pour les appartements ?", true), ("Und für Wohnungen?", true),
            ("How much energy does the community battery store?", false),
            ("Quanto costa la quota di ingresso?", false),
            ("Quali documenti servono per aderire alla comunità?", false),
            ("", false), ("?!", false),
            (
                "Is this true: a member who has a heat pump and a car at home pays less than all "
                    + "the other members of the community together?", false
            ),
        ])
    func leans(example: (question: String, leans: Bool)) {
        #expect(FollowUp.leans(example.question) == example.leans, "\(example.question)")
    }

    @Test("are joined to the question before, not to its answer")
    func joined() {
        let history = [
            ChatMessage(role: .user, content: "What is the fee?"),
            ChatMessage(role: .assistant, content: "Ten euros."),
        ]
        #expect(FollowUp.joined("And for two?", to: history) == "What is the fee? And for two?")
        #expect(FollowUp.joined("And for two?", to: []) == "And for two?")
    }

    @Test(
        "take one line of what a model says, or nothing",
        arguments: [
            ("\n  \"Where is the ladder kept?\" \nBecause …", "Where is the ladder kept?"),
            ("**Dov'è la scala?**", "Dov'è la scala?"), ("…", nil), ("", nil),
            (String(repeating: "no ", count: 200), nil),
        ] as [(String, String?)])
    func read(example: (said: String, question: String?)) {
        #expect(QuestionRewriter.question(in: example.said) == example.question)
    }

    private static func withTwoFiles(
        rewrites: Bool = true, _ body: @escaping @Sendable (ChatWorld, String) async throws -> Void
    ) async throws {
        var answers = AnswerWriter.Settings(model: "scripted")
        answers.rewritesQuestions = rewrites
        try await ChatWorld.run(answers: answers) { world in
            try await world.withIndex {
                let texts = [
                    "key.md": "The barn key is kept behind the clock in the hall.",
                    "ladder.md": "The long wooden ladder is kept under the stairs.",
                ]
                for (name, text) in texts {
                    try await world.index(try await world.upload(name), text)
                }
                world.model.answer(.says("Behind the clock [1]."))
                let first = try await world.ask("Where is the barn key kept?")
                try await body(world, try first.data("meta")["conversation_id"].text)
            }
        }
    }

    @Test("are searched as the model writes them, and answered as they were asked")
    func rewritten() async throws {
        try await Self.withTwoFiles { world, conversation in
            world.model.answer(
                .says("\\\"Where is the long wooden ladder kept?\\\""),
                .says("Under the stairs [1]."))
            let reply = try await world.ask("And the other thing?", in: conversation)
            #expect(try reply.data("sources")[0]["title"].text == "ladder.md")
            let sent = world.model.requests
            #expect(sent.count == 3)
            #expect(sent[1].contains("Last question: And the other thing?"))
            #expect(sent[1].contains("Member: Where is the barn key kept?"))
            #expect(sent[2].contains("Question: And the other thing?"))
        }
    }

    @Test("are joined to the question before when the model fails, is slow, or is not to be asked")
    func fallback() async throws {
        let failures: [[ScriptedModel.Step]] = [
            [.refusal("500 Internal Server Error")], [.hang(gone: Signal())], .says("…"),
        ]
        for failure in failures {
            try await Self.withTwoFiles { world, conversation in
                world.model.answer(failure, .says("Behind the clock [1]."))
                let reply = try await world.ask("And why there?", in: conversation)
                #expect(try reply.data("sources")[0]["title"].text == "key.md")
                #expect(try reply.data("done")["finish_reason"].text == "stop")
            }
        }
        try await Self.withTwoFiles(rewrites: false) { world, conversation in
            let reply = try await world.ask("And why there?", in: conversation)
            #expect(try reply.data("sources")[0]["title"].text == "key.md")
            #expect(world.model.requests.count == 2)
        }
    }
}
