"""A collection's configuration and its payload indexes, between JSON and the engine."""

from typing import Any

import qdrant_edge as engine

from qdrant_server.errors import malformed
from qdrant_server.points import JSON

DISTANCES = {
    "Cosine": engine.Distance.Cosine,
    "Dot": engine.Distance.Dot,
    "Euclid": engine.Distance.Euclid,
    "Manhattan": engine.Distance.Manhattan,
}
INDEXES = {
    "keyword": (engine.PayloadSchemaType.Keyword, engine.KeywordIndexParams),
    "integer": (engine.PayloadSchemaType.Integer, engine.IntegerIndexParams),
    "float": (engine.PayloadSchemaType.Float, engine.FloatIndexParams),
    "bool": (engine.PayloadSchemaType.Bool, engine.BoolIndexParams),
    "datetime": (engine.PayloadSchemaType.Datetime, engine.DatetimeIndexParams),
    "uuid": (engine.PayloadSchemaType.Uuid, engine.UuidIndexParams),
}
HNSW_DEFAULTS: JSON = {
    "m": 16,
    "ef_construct": 100,
    "full_scan_threshold": 10_000,
    "max_indexing_threads": 0,
    "on_disk": False,
}
OPTIMIZER_DEFAULTS: JSON = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "flush_interval_sec": 1,
}
WAL: JSON = {"wal_capacity_mb": 32, "wal_segments_ahead": 0}


def engine_config(body: JSON) -> engine.EdgeConfig:
    if body.get("quantization_config"):
        raise malformed("quantization is not spoken here")
    vectors = body.get("vectors") or {}
    dense = (
        dense_vector(vectors)
        if "size" in vectors
        else {name: dense_vector(one) for name, one in vectors.items()}
    )
    sparse = {
        name: sparse_vector(one or {}) for name, one in (body.get("sparse_vectors") or {}).items()
    }
    return engine.EdgeConfig(
        vectors=dense or None,
        sparse_vectors=sparse or None,
        on_disk_payload=body.get("on_disk_payload"),
        hnsw_config=hnsw(body.get("hnsw_config")),
        wal_enabled=True,
    )


def dense_vector(value: JSON) -> engine.EdgeVectorParams:
    if value["distance"] not in DISTANCES:
        raise malformed(f"unknown distance {value['distance']}")
    return engine.EdgeVectorParams(
        value["size"],
        DISTANCES[value["distance"]],
        on_disk=value.get("on_disk"),
        hnsw_config=hnsw(value.get("hnsw_config")),
    )


def sparse_vector(value: JSON) -> engine.EdgeSparseVectorParams:
    return engine.EdgeSparseVectorParams(
        modifier=engine.Modifier.Idf if value.get("modifier") == "idf" else None,
        on_disk=(value.get("index") or {}).get("on_disk"),
    )


def hnsw(value: JSON | None) -> engine.HnswIndexConfig | None:
    if not value:
        return None
    given = HNSW_DEFAULTS | {k: v for k, v in value.items() if v is not None}
    return engine.HnswIndexConfig(
        m=given["m"],
        ef_construct=given["ef_construct"],
        full_scan_threshold=given["full_scan_threshold"],
        on_disk=given["on_disk"],
        payload_m=given.get("payload_m"),
    )


def payload_index(value: Any) -> Any:
    """A type's name, or the type with parameters."""
    name = value if isinstance(value, str) else value.get("type")
    if name not in INDEXES:
        raise malformed(f"unknown payload index {name}")
    simple, with_parameters = INDEXES[name]
    if isinstance(value, str):
        return simple
    return with_parameters(**{k: v for k, v in value.items() if k != "type" and v is not None})


def description(body: JSON, info: Any, *, is_settled: bool) -> JSON:
    """What `GET /collections/NAME` answers."""
    parameters: JSON = {
        "vectors": body.get("vectors") or {},
        "shard_number": 1,
        "replication_factor": 1,
        "write_consistency_factor": 1,
        "on_disk_payload": body.get("on_disk_payload", True),
    }
    if body.get("sparse_vectors"):
        parameters["sparse_vectors"] = body["sparse_vectors"]
    return {
        "status": "green" if is_settled else "yellow",
        "optimizer_status": "ok",
        "points_count": info.points_count,
        "indexed_vectors_count": info.indexed_vectors_count,
        "segments_count": info.segments_count,
        "config": {
            "params": parameters,
            "hnsw_config": HNSW_DEFAULTS | (body.get("hnsw_config") or {}),
            "optimizer_config": OPTIMIZER_DEFAULTS,
            "wal_config": WAL,
            "quantization_config": None,
        },
        "payload_schema": {
            key: {"data_type": str(one.data_type).split(".")[-1].lower(), "points": one.points}
            for key, one in info.payload_schema.items()
        },
    }
