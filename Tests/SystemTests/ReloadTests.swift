import TestSupport
import Testing

@Suite("A reload") struct ReloadTests {
    @Test("is carried out by every chat process, and names one that stands still")
    func standingStill() async throws {
        try await withDeployment { deployment, first in
            let admin = try await deployment.operatorMember(at: first)
            let others = [
                try await deployment.startChat(beside: first),
                try await deployment.startChat(beside: first),
            ]
            var all: [String] = []
            try await eventually(within: .seconds(60)) {
                let answer = try await admin.post("/admin/reload")
                all = answer.json["replicas_answered"] as? [String] ?? []
                return all.count == 3
            }
            others[0].chat.pause()
            var answer = try await admin.post("/admin/reload")
            // One that was slow this once is waited for the next time.
            if answer.json["replicas"] as? Int != 2 {
                answer = try await admin.post("/admin/reload")
            }
            #expect(answer.status == 200, "\(answer.text)")
            let answered = answer.json["replicas_answered"] as? [String] ?? []
            let missing = answer.json["replicas_missing"] as? [String] ?? []
            #expect(answer.json["replicas"] as? Int == 2)
            #expect(answer.json["replicas_pending"] as? Int == 1)
            #expect(missing.count == 1)
            #expect(Set(answered + missing) == Set(all))
            // Silent for long enough, it is dead, and not waited for.
            try await eventually(within: .seconds(60)) {
                let later = try await admin.post("/admin/reload")
                return later.json["replicas_missing"] as? [String] == []
                    && later.json["replicas"] as? Int == 2
            }
            others[0].chat.resume()
            try await eventually(within: .seconds(60)) {
                try await admin.post("/admin/reload").json["replicas"] as? Int == 3
            }
            await deployment.stop(others.flatMap { [$0.gateway, $0.chat] })
        }
    }
}
