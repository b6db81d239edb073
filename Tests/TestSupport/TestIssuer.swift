package import Foundation
import JWTKit

/// An issuer of tokens for tests: signs whatever header and payload it is told to.
package struct TestIssuer: Sendable {
    /// One of its keys. Made for these tests, used nowhere else.
    package enum Key: String, Sendable, CaseIterable {
        case first
        case second
    }

    package let address: String

    package init(address: String = "https://issuer.test") { self.address = address }

    /// The key document with these keys in it.
    package func jwks(_ keys: [Key] = [.first]) throws -> String {
        let entries = try keys.map { key in
            let primitives = try Self.privateKey(key).publicKey.getKeyPrimitives()
            let (modulus, exponent) = (
                Self.encode(primitives.modulus), Self.encode(primitives.publicExponent)
            )
            return """
                {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "\(key.rawValue)", \
                "n": "\(modulus)", "e": "\(exponent)"}
                """
        }
        return #"{"keys": [\#(entries.joined(separator: ", "))]}"#
    }

    /// A good token; `claims` replace or add members, JSON null removes one.
    package func token(
        subject: String = "alice", claims: [String: Any?] = [:], header: [String: Any] = [:],
        key: Key = .first
    ) async throws -> String {
        let now = Date().timeIntervalSince1970
        var payload: [String: Any] = [
            "iss": address, "aud": "oauth2_proxy", "sub": subject, "exp": Int(now) + 600,
            "iat": Int(now), "email": "\(subject)@example.org", "name": "Name of \(subject)",
        ]
        for (name, value) in claims { payload[name] = value }
        var fields: [String: Any] = ["alg": "RS256", "kid": key.rawValue, "typ": "JWT"]
        for (name, value) in header { fields[name] = value }
        return try await sign(
            header: JSONSerialization.data(withJSONObject: fields),
            payload: JSONSerialization.data(withJSONObject: payload), key: key)
    }

    /// A token of exactly these bytes.
    package func sign(header: Data, payload: Data, key: Key = .first) async throws -> String {
        let signed = Self.encode(header) + "." + Self.encode(payload)
        let keys = JWTKeyCollection()
        await keys.add(rsa: try Self.privateKey(key), digestAlgorithm: .sha256, kid: "key")
        let signature = try await keys.getKey(for: "key").sign(Array(signed.utf8))
        return signed + "." + Self.encode(Data(signature))
    }

    package static func encode(_ bytes: Data) -> String {
        bytes.base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    private static func privateKey(_ key: Key) throws -> Insecure.RSA.PrivateKey {
        try Insecure.RSA.PrivateKey(pem: key == .first ? first : second)
    }

    private static let first = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCgMezogf6irNzA
        hcyj1hBM+6KAlrNGKa6bXEMpTAQgT6FIp80npTk/LyTHOAdPtj7uvb7VRK7cHpd+
        2AbYGVnXIkS0iiNvbxKOqjjyY30um9GNOtLyKanMz6/p3G0DTPxI06jMs3qscdyA
        iMrfp7kaY0NBTcSdnlx3SzA04S5W5x7ax1mKxw5kbNjHODonZxjkfGxf54tZDwdo
        87F64IoG7M6gLFoyK8tzrWpHmZbb/NpF4dYhEdkBGDjAMCQCGuogsKXMlTv2FWfr
        ov5CH3a3dDzAu45N5riuxOYYv4DExR42qEX0lhD4I0QVgptEocd8NLDXqJ8UgK2+
        OwsREGD/AgMBAAECggEAIadbZd0paXN3TNrPCvxFoGac1PbT4sGO9QSE94AIveD8
        uQ7HgrSrOiLlTxTuNEjNH8qs9JDhS00B9pvblDp/LTr9xA/hMd/bviz0mbdc7RW/
        CDR7bHRkP6rCAhdUr4TU21fb9mUeOGwTLs2OET5jHLANyQJVc+d49XbOQc2stoSy
        Ke+IQ3LCNfGr4zeutInebkdw8PuQcgTyzv0Jr/0Ak8m5cm0xys3UL+KKRtW4h7lV
        lRSDg3YiVeis28dveCPycMI2ZHNe8qQDAzWxSbpSD/DPgad4ba2qwRD9Cn1pgDh0
        CYU6tzSR6Nptvteuyw+GrX1HGX7LxlMnAZNZe8FSgQKBgQDYKcofRRY7UesPBHGS
        hyFfllJJA4Z2dFT+rXRreD0IjOEJgFBJNiZ2rx7p4udFVeWqV73wSFQLaBRnXXgy
        y3doRaU9TfoMIUN60LN+4eXRGPyRCdGVaw2r3tA01Rtm/7TQrPg5hjFKowSggP70
        uIejiJdkrSMNWpbNZ9VAOzKHdwKBgQC9t6bDN1q9ybIZGlLkFtDmOa0zty6g6a8V
        5eTbj2GZQx05qveBvM8OTW5UyKg3F/r5hFbohk2JiyAHcrQpvyDbKtZR6MgL3uFK
        iP96oGscR7E/YM5qI3Dqn4rRLlL1EobHLeKLh9fjFtx4kUogxPTFjOckLMrKAe3L
        IIGNRO5kuQKBgEvq+WLcF7/DuINwsxacQPtaRxH/m/T0THmZn76y3vSmzc5Rc2ET
        FJUwUfIgz8rJLT0TTdEbBfFvn2LiL/ne/dPwSeVrAnvKHvH+ZFwWqGk0lle2FBaf
        H5ESUxuLEPGusulrJk7Fs4AcGt7oDyMRwAmOSmWAbUQeYcJISlwhrlBnAoGBAIna
        meV+IoSHu877zsGIRrETteQ/NjWcuCmcTCiyTgP0vZa6wXBXRskowIQA7iJiXW7T
        l+cMN+k628ItufYfuHso7GTGVh4yDNiBJcrwKAR7n7Li3/pF2HXUCiWnmIYVuTOg
        Bt7GjbuoT/mX8RpQo1+s3APwPEZ/ElAoRZrmPKeZAoGAff+Ht+PKYTX6Xrw2O2aA
        NKnniK9vz9pQtEkVnOMX/sVJeeeKe+UXhob+05WqfR+UR1WxeuEl5Pl6CvsZOnGQ
        DDuDsNHlEYjw+k8gMmh+meJnHouIQf0pIa1AwbWdonRp/rasxXdusMgjgYzA8w8M
        w/88IvjLM5TcKRdz6BMvGBo=
        -----END PRIVATE KEY-----
        """

    private static let second = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDO/fhl5hTBSuvF
        qe/ywGWisvYz7CN9EUOoMtrfAvHnfm60PmY2SRdJDYiSJ8cVRYOZ6uPfrKdbEAgM
        SOHEc4AyNzIRec+9QRfUa97A9IKjiEcmNcdaVsQCdK5jNl/apSwbqNOqfolHFjuA
        9ctobdmnSC6lyOJlVm1uG1/tZL7TNJxAkDnYtphyalGEQMnk/d606RgW2Th5ztT6
        RZALdDXLpmqBmqfNMJ+kEbRh96R3FccSS3FK8LSQXiJWV82nzeYhkpOltHazdwri
        USIy+/14a2Qrl+Zabgot9TvsMRMIU9a2NSSED56zDaazvHBdrUziMLCtT33Pfstx
        VH69MRerAgMBAAECggEAT/bhTUxTXFD7QINkBR26pd4JKwngs+JFhucOkvTqSwoW
        7l7k0bfu3PPzfLMNP/R44K9TlQd4J7/LvCMzxNbyAXQ9TW8HiA9ri06Y4WYUSeTN
        x78i4o1+b4xwCjfpU+hXX+Aa1VTI58N4/Vr3V8KIQQ2rp7QxcgCvicfdiTJQXfrV
        PORNSQGc2S59D2Vo3NSZh/XqK81FspysR8Sb4ElXtzTh5pO3YuXnrboKbZwpT1yY
        vv1AXeViHellsaAimSepgPycGbZUjZyk0Z//DCqlqKQnvRh32j0Dclit0b8QhDZo
        JasBLjSb0s8A2p+kYMV7vBWl+anhNDQNEkfo/w2VsQKBgQDoBa8Q9IjThC0OSOUd
        ksHKPdc/2WRJ8iyihcImsMGvM9J2zYZkwcOsZUcAIkoZXJh7gxA8j4Ns3rZzhYGC
        79dClFMA2CUtUUhBQTh2L5MrALh/wu5Fc1b9ytoyo6/ir83eMy8DDQTmi3B+i8B6
        PufBputMTMAgM9yrTNToJxDzbQKBgQDkYhib2DKk+HqOLbkj4DQ1qkyxDRwZI+59
        EpsdwKXyedoMTL6jmiUSmCOKiF9vCgJCPbFvTk6u0SWS1lwQLk3vE8Te9WoYJETO
        TEtIX8UZswjGQ6chrJOqDN/c3qZV3cgyWSGGJFU4QGs68mi6wx+cZ6++NrNK8QV3
        lRvq4qmwdwKBgFqNBVLfrJqoBhGCH3DYOqtcUSpJBFvbmNHg0/HXn+9pkSTudxnR
        iTU53WjO+Q5G1fe2IdsQw2D01k3ld7MLOX5xdqdos7Go/EMDWi69yHjK8jZidC1E
        o1mvFlMXEOiuZfDnFtzg8t2q479veTH8ZORt6XzAo2at9twfwyPLQ1FNAoGAdIOj
        YGbFN6rZA45KJQZuPG68n5s7mYveUQrb/irZvsHxv1Kr89VhUoIxp6x5W7H0gwzs
        aAfAVqm3DJm18D9fXThtuP3leZmPTNxZj/vkF39iW5wKOUDNOPVGhG1G2QnD6APW
        +ZOxsngS/MjNK3L+vpGbdGR9xh7+lgqJaqTmw3MCgYEA4YUKLjq123oK2I+vEp6V
        5GvzGgGVY5lP4HeEz5tsK+8u09I9Rc4YELvThty0LkyZzE3WlEjBEle0+hGBZ+pG
        Llvu5SH7tc+AYZRyaCAgPbn9DrlAGTHmVKvy8WJ6huDiBLdyUkQTHsW9b6MdngGy
        UE0OA1UeGoWAFfadMwRCx+U=
        -----END PRIVATE KEY-----
        """
}
