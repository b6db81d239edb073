"""Filters between JSON and the engine."""

from typing import Any

import qdrant_edge as engine

from qdrant_server.errors import malformed
from qdrant_server.points import JSON, point_id

CLAUSES = ("must", "should", "must_not", "min_should")
MATCHES = {
    "value": engine.MatchValue,
    "any": engine.MatchAny,
    "except": engine.MatchExcept,
    "text": engine.MatchText,
    "phrase": engine.MatchPhrase,
}


def filter_of(value: JSON | None) -> engine.Filter | None:
    """Nothing, or a filter without a clause, is no filter at all."""
    if not value:
        return None
    unknown = set(value) - set(CLAUSES)
    if unknown:
        # A clause that we do not know would widen a search if it were passed over.
        raise malformed(f"unknown filter clause {', '.join(sorted(unknown))}")
    least = value.get("min_should")
    return engine.Filter(
        must=conditions(value.get("must")),
        should=conditions(value.get("should")),
        must_not=conditions(value.get("must_not")),
        min_should=engine.MinShould(conditions(least["conditions"]), least["min_count"])
        if least
        else None,
    )


def conditions(value: Any) -> list[Any] | None:
    if value is None:
        return None
    return [condition(one) for one in (value if isinstance(value, list) else [value])]


def condition(value: JSON) -> Any:
    if "key" in value:
        return field_condition(value)
    if "has_id" in value:
        return engine.HasIdCondition({point_id(one) for one in value["has_id"]})
    if "is_empty" in value:
        return engine.IsEmptyCondition(value["is_empty"]["key"])
    if "is_null" in value:
        return engine.IsNullCondition(value["is_null"]["key"])
    if "has_vector" in value:
        return engine.HasVectorCondition(value["has_vector"])
    if "nested" in value:
        nested = value["nested"]
        return engine.NestedCondition(nested["key"], filter_of(nested["filter"]))
    if any(clause in value for clause in CLAUSES):
        return filter_of(value)
    raise malformed(f"unknown condition {', '.join(sorted(value))}")


def field_condition(value: JSON) -> engine.FieldCondition:
    terms: JSON = {}
    for name, given in value.items():
        if name == "key" or given is None:
            continue
        terms[name] = _term(name, given)
    if not terms:
        raise malformed(f"the condition on {value['key']} says nothing")
    return engine.FieldCondition(value["key"], **terms)


def _term(name: str, given: Any) -> Any:
    match name:
        case "match":
            return match_of(given)
        case "range":
            bounds = {bound: limit for bound, limit in given.items() if limit is not None}
            has_dates = any(isinstance(limit, str) for limit in bounds.values())
            return (engine.RangeDateTime if has_dates else engine.RangeFloat)(**bounds)
        case "values_count":
            return engine.ValuesCount(**{k: v for k, v in given.items() if v is not None})
        case "is_empty" | "is_null":
            return given
    raise malformed(f"unknown condition on a field: {name}")


def match_of(value: JSON) -> Any:
    for name, kind in MATCHES.items():
        if name in value:
            return kind(value[name])
    raise malformed(f"unknown match {', '.join(sorted(value))}")
