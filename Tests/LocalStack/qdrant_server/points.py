"""Ids, vectors and points between JSON and the engine."""

import uuid
from typing import Any

import qdrant_edge as engine

from qdrant_server.errors import malformed

JSON = dict[str, Any]
PointID = int | uuid.UUID


def point_id(value: Any) -> PointID:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise malformed(
            f"value {value} is not a valid point ID, "
            "valid values are either an unsigned integer or a UUID"
        ) from None


def point_id_json(value: PointID) -> int | str:
    return value if isinstance(value, int) else str(value)


def vector(value: Any) -> Any:
    """A dense, a sparse, or several by name."""
    if not isinstance(value, dict):
        return value
    if "indices" in value:
        return engine.SparseVector(value["indices"], value["values"])
    return {name: vector(one) for name, one in value.items()}


def vector_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: vector_json(one) for name, one in value.items()}
    if isinstance(value, engine.SparseVector):
        return {"indices": list(value.indices), "values": list(value.values)}
    return value


def points(body: JSON) -> list[engine.Point]:
    """Given one by one, or as columns in a batch."""
    if "batch" in body:
        return _columns(body["batch"])
    return [
        engine.Point(point_id(p["id"]), vector(p.get("vector") or {}), p.get("payload"))
        for p in body["points"]
    ]


def _columns(batch: JSON) -> list[engine.Point]:
    ids, vectors = batch["ids"], batch["vectors"]
    payloads = batch.get("payloads") or [None] * len(ids)

    def row(index: int) -> Any:
        if isinstance(vectors, dict):
            return {name: column[index] for name, column in vectors.items()}
        return vectors[index]

    return [
        engine.Point(point_id(one), vector(row(index)), payloads[index])
        for index, one in enumerate(ids)
    ]


def record_json(record: engine.Record) -> JSON:
    document: JSON = {"id": point_id_json(record.id)}
    if record.payload is not None:
        document["payload"] = record.payload
    if record.vector is not None:
        document["vector"] = vector_json(record.vector)
    return document


def scored_json(point: engine.ScoredPoint) -> JSON:
    return record_json(point) | {"version": point.version, "score": point.score}


def payload_selector(value: Any, default: bool) -> Any:
    """`with_payload`: yes or no, the keys wanted, or which to include or leave out."""
    if value is None:
        return default
    if isinstance(value, dict):
        if value.get("include"):
            return engine.PayloadSelector.Include(value["include"])
        return engine.PayloadSelector.Exclude(value.get("exclude") or [])
    return value
