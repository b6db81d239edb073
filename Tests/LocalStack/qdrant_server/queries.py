"""Queries between JSON and the engine: nearest, fused, ordered."""

from typing import Any

import qdrant_edge as engine

from qdrant_server.errors import RequestError, malformed
from qdrant_server.filters import filter_of
from qdrant_server.points import JSON, payload_selector, point_id, vector

LIMIT_DEFAULT = 10
# Qdrant's own constant of reciprocal rank fusion where none is given.
RRF_K_DEFAULT = 2

DIRECTIONS = {"asc": engine.Direction.Asc, "desc": engine.Direction.Desc}


class Queries:
    """Reads the queries to one shard; a point's id may stand for its vector."""

    def __init__(self, shard: engine.EdgeShard) -> None:
        self.shard = shard

    def request(self, body: JSON) -> engine.QueryRequest:
        return engine.QueryRequest(
            limit=_or(body.get("limit"), LIMIT_DEFAULT),
            offset=body.get("offset") or 0,
            query=self.query(body.get("query"), body.get("using")),
            prefetches=self.prefetches(body.get("prefetch")),
            with_vector=body.get("with_vector") or False,
            with_payload=payload_selector(body.get("with_payload"), False),
            filter=filter_of(body.get("filter")),
            score_threshold=body.get("score_threshold"),
            params=search_params(body.get("params")),
        )

    def prefetches(self, value: Any) -> list[engine.Prefetch]:
        if not value:
            return []
        return [
            engine.Prefetch(
                limit=_or(one.get("limit"), LIMIT_DEFAULT),
                query=self.query(one.get("query"), one.get("using")),
                prefetches=self.prefetches(one.get("prefetch")),
                params=search_params(one.get("params")),
                filter=filter_of(one.get("filter")),
                score_threshold=one.get("score_threshold"),
            )
            for one in (value if isinstance(value, list) else [value])
        ]

    def query(self, value: Any, using: str | None) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict) or "indices" in value:
            return engine.Query.Nearest(self._vector(value, using), using=using)
        if "nearest" in value:
            return engine.Query.Nearest(self._vector(value["nearest"], using), using=using)
        if "rrf" in value:
            rrf = value["rrf"] or {}
            return engine.Fusion.Rrf(_or(rrf.get("k"), RRF_K_DEFAULT), rrf.get("weights"))
        if "fusion" in value:
            return fusion(value["fusion"])
        if "order_by" in value:
            return order_by(value["order_by"])
        raise malformed(f"unsupported query {', '.join(sorted(value))}")

    def _vector(self, value: Any, using: str | None) -> Any:
        if not isinstance(value, (int, str)):
            return vector(value)
        found = self.shard.retrieve([point_id(value)], False, True)
        if not found:
            raise RequestError(404, f"Not found: No point with id {value} found")
        held = found[0].vector
        return held[using or ""] if isinstance(held, dict) else held


def fusion(name: str) -> Any:
    match name:
        case "rrf":
            return engine.Fusion.Rrf(RRF_K_DEFAULT)
        case "dbsf":
            return engine.Fusion.Dbsf()
    raise malformed(f"unknown fusion {name}")


def order_by(value: Any) -> engine.OrderBy:
    if isinstance(value, str):
        return engine.OrderBy(value)
    return engine.OrderBy(
        value["key"], DIRECTIONS.get(value.get("direction")), value.get("start_from")
    )


def search_params(value: JSON | None) -> engine.SearchParams | None:
    if not value:
        return None
    return engine.SearchParams(
        hnsw_ef=value.get("hnsw_ef"),
        exact=bool(value.get("exact")),
        indexed_only=bool(value.get("indexed_only")),
    )


def _or(value: int | None, default: int) -> int:
    """Zero is a limit like any other."""
    return default if value is None else value
