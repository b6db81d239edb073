"""Qdrant's REST API over its embedded engine, for machines where no container can run.

The engine (qdrant-edge) is the real one: its segments, its indexes, its scores, its write-ahead log.
Here is only what a client says over HTTP: collections, aliases, points, queries. What is not spoken
(gRPC, snapshots, clusters, quantization, recommendations) is answered 400 or 404, never half.

An update is acknowledged when the engine has it in its write-ahead log, so a killed server loses
nothing that it acknowledged; a flush in the background keeps that log short.
"""

VERSION = "1.20.0"
