// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

// Libraries of others, by the name we say below.
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let asyncAlgorithms: Target.Dependency = .product(
    name: "AsyncAlgorithms", package: "swift-async-algorithms")
let asyncHTTPClient: Target.Dependency = .product(
    name: "AsyncHTTPClient", package: "async-http-client")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(
    name: "HummingbirdTesting", package: "hummingbird")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioFoundation: Target.Dependency = .product(
    name: "NIOFoundationCompat", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let nio = [nioCore, nioHTTP1, nioPosix]

/// A module two services share, or that wraps a C library: its folder and all it may import.
func shared(
    _ name: String, _ uses: Target.Dependency..., resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: uses, path: "Shared/\(name)", resources: resources,
        swiftSettings: settings)
}

/// A process of ours. The binary is named by its product, in lower case.
func service(
    _ name: String, _ uses: [Target.Dependency], resources: [Resource] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: uses, path: "Services/\(name.lowercased())",
        resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ uses: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: uses + ["TestSupport"], path: "Tests/\(name)",
        swiftSettings: settings)
}

func system(_ name: String, _ pkgConfig: String?, _ debian: String) -> Target {
    .systemLibrary(
        name: name, path: "Shared/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}

let webService: [Target.Dependency] = [
    "Domain", "Postgres", "Database", "OutboundHTTP", "Identity", "ServiceRuntime", "HTTPService",
    argumentParser, hummingbird, lifecycle, logging, nioCore, httpTypes,
]

let package = Package(
    name: "celine-assistant",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "gateway", targets: ["Gateway"]),
        .executable(name: "chat", targets: ["Chat"]),
        .executable(name: "ingest", targets: ["Ingest"]),
        .executable(name: "admin", targets: ["Admin"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    ],
    targets: [
        system("CLibPQ", "libpq", "libpq-dev"),
        system("CLibGit2", "libgit2", "libgit2-dev"),
        system("CLibCurl", "libcurl", "libcurl4-openssl-dev"),
        system("COpenSSL", "openssl", "libssl-dev"),
        system("CStemmer", nil, "libstemmer-dev"),
        system("CUchardet", "uchardet", "libuchardet-dev"),
        system("CLinux", nil, "libc6-dev"),
        system("CArchive", "libarchive", "libarchive-dev"),
        system("CXML", "libxml-2.0", "libxml2-dev"),

        shared("Domain", crypto),
        shared("Postgres", "CLibPQ", lifecycle, logging),
        shared(
            "Database", "Postgres", "Domain", logging, resources: [.embedInCode("Migrations")]),
        shared("JobQueue", "Postgres", lifecycle, logging),
        shared(
            "OutboundHTTP", asyncHTTPClient, logging, nioCore, nioHTTP1, nioFoundation, nioSSL),
        shared("ModelEndpoint", "OutboundHTTP", nioCore, nioHTTP1),
        shared("Qdrant", "OutboundHTTP", "Domain", nioCore, nioHTTP1),
        shared("TextAnalysis", "CStemmer", "Domain"),
        shared("CharacterEncoding", "CUchardet"),
        shared(
            "Retrieval", "Qdrant", "Database", "ModelEndpoint", "TextAnalysis", "Domain",
            "Postgres", logging),
        shared(
            "ObjectStorage", "CLibCurl", "COpenSSL", "Domain", logging, nioCore, nioPosix),
        shared("StorageSettings", "ObjectStorage", "ServiceRuntime"),
        shared("ConversationExport", "Database", "Postgres", "Domain", nioCore),
        shared("Archive", "CArchive"),
        shared("Markup", "CXML"),
        shared("MarkdownPages", yams),
        shared("ChildProcess", "CLinux", subprocess, systemPackage, logging),
        shared("Git", "CLibGit2", "CLibCurl", "ChildProcess"),
        shared(
            "Identity", "Domain", "OutboundHTTP", jwt, crypto, lifecycle, logging, nioCore, nioHTTP1
        ),
        shared(
            "ServiceRuntime", "Domain", "OutboundHTTP", asyncHTTPClient, lifecycle, unixSignals,
            logging, nioCore, nioHTTP1, nioPosix),
        shared(
            "HTTPService", "ServiceRuntime", "Identity", "Domain", hummingbird, logging, nioCore,
            httpTypes, nioHTTP1),

        service(
            "Gateway",
            [
                "Domain", "Identity", "ServiceRuntime", "OutboundHTTP", argumentParser, lifecycle,
                logging, asyncHTTPClient, unixSignals, nioSSL, nioTLS, nioHTTP2,
            ] + nio,
            resources: [.embedInCode("Web")]),
        service(
            "Chat",
            webService + [
                "ModelEndpoint", "Qdrant", "Retrieval", "TextAnalysis", "ConversationExport",
                crypto,
                asyncHTTPClient,
            ]),
        service(
            "Ingest",
            webService + [
                "JobQueue",
                "ModelEndpoint", "Qdrant", "TextAnalysis", "ObjectStorage", "StorageSettings",
                "ChildProcess", "CharacterEncoding", "Archive", "Markup", "MarkdownPages",
                "Retrieval",
                "ConversationExport", crypto,
            ]),
        service(
            "Admin",
            webService + [
                "JobQueue",
                "ModelEndpoint", "Qdrant", "Git", "ChildProcess", "ObjectStorage",
                "StorageSettings", "MarkdownPages", "Retrieval", "Archive", crypto, systemPackage,
            ]),

        .target(
            name: "TestSupport",
            dependencies: [
                "Domain", "Postgres", "Database", "Identity", "OutboundHTTP", "Qdrant",
                "ModelEndpoint", "ServiceRuntime", asyncHTTPClient, hummingbird, jwt, crypto,
                lifecycle, logging, httpTypes,
            ] + nio,
            path: "Tests/TestSupport", swiftSettings: settings),
        .executableTarget(
            name: "QueueBenchmark",
            dependencies: ["JobQueue", "Postgres", "Database", argumentParser, lifecycle, logging],
            path: "Tests/Benchmarks/Queue", swiftSettings: settings),
        .executableTarget(
            name: "StreamBenchmark", dependencies: [argumentParser] + nio,
            path: "Tests/Benchmarks/Streams", swiftSettings: settings),
        // Not a test: it measures what retrieval finds. `make eval` runs it.
        .executableTarget(
            name: "Evaluation",
            dependencies: [
                "Retrieval", "Qdrant", "Database", "Postgres", "ModelEndpoint", "OutboundHTTP",
                "TextAnalysis", "Domain", "ServiceRuntime", argumentParser, asyncHTTPClient,
            ],
            path: "Tests/Evaluation", swiftSettings: settings),
        tests("DomainTests", ["Domain"]),
        tests("MarkdownPagesTests", ["MarkdownPages"]),
        tests(
            "PostgresTests", ["Postgres", "Database", "Domain", logging, lifecycle, nioCore]),
        tests("JobQueueTests", ["JobQueue", "Postgres", "Database", "Domain", logging, lifecycle]),
        tests(
            "OutboundTests",
            [
                "OutboundHTTP", "ModelEndpoint", "Qdrant", "Domain", asyncHTTPClient, logging,
                hummingbird, nioHTTP1, nioFoundation,
            ] + [nioCore, nioPosix]),
        tests(
            "RetrievalTests",
            [
                "Retrieval", "TextAnalysis", "Qdrant", "Database", "Postgres", "ModelEndpoint",
                "OutboundHTTP", "Domain", logging, nioCore, nioHTTP1,
            ]),
        tests(
            "RuntimeTests",
            [
                "ServiceRuntime", "HTTPService", "ChildProcess", "Domain",
                "Identity", "OutboundHTTP", hummingbird, hummingbirdTesting, nioCore, nioHTTP1,
                nioPosix,
                logging, lifecycle, httpTypes, asyncAlgorithms, asyncHTTPClient,
            ]),
        tests("ObjectStorageTests", ["ObjectStorage", "Domain", logging] + nio),
        tests("GitTests", ["Git", "ChildProcess", nioCore, nioPosix, logging]),
        tests(
            "IdentityTests",
            [
                "Identity", "Domain", "OutboundHTTP", jwt, crypto, asyncHTTPClient, logging,
                nioCore,
            ]),
        tests(
            "GatewayTests",
            [
                "Gateway", "Identity", "Domain", "ServiceRuntime", "OutboundHTTP", jwt, crypto,
                logging, asyncHTTPClient, lifecycle, nioEmbedded, nioSSL, asyncAlgorithms,
            ] + nio),
        tests(
            "ChatTests",
            webService + [
                "Chat", "ModelEndpoint", "Qdrant", "Retrieval", "TextAnalysis",
                hummingbirdTesting, asyncHTTPClient,
            ]),
        tests(
            "IngestTests",
            webService + [
                "Ingest", "JobQueue", "ModelEndpoint", "Qdrant", "TextAnalysis", "ObjectStorage",
                "StorageSettings",
                "CharacterEncoding", "ChildProcess", "Retrieval", crypto, hummingbirdTesting,
            ]),
        tests(
            "AdminTests",
            webService + [
                "Admin", "JobQueue", "ModelEndpoint", "Qdrant", "Git", "ChildProcess",
                "ObjectStorage", "Archive",
                "Retrieval", crypto, asyncAlgorithms, asyncHTTPClient, hummingbirdTesting, nioHTTP1,
            ]),
        tests(
            "SystemTests",
            ["Domain", "Postgres", asyncHTTPClient, crypto, nioFoundation] + nio),
    ],
    swiftLanguageModes: [.v6]
)
