"""Medians, percentiles, ratios, and the tables that show them. Nothing here measures."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

MISSING = "–"

Measure = TypeVar("Measure")


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` of all are not above (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("a percentile of nothing")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def interleaved(
    rounds: int, ways: dict[str, Callable[[], Measure]]
) -> dict[str, list[Measure]]:
    """Each way once a round, in turning order, so that none always comes first or after the same."""
    taken: dict[str, list[Measure]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            taken[name].append(ways[name]())
    return taken


def median_of(measures: Sequence[Any], name: str) -> float:
    """The median of one attribute."""
    return median(getattr(measure, name) for measure in measures)


def number(value: float | None) -> str:
    """Three digits that mean something; whole from a hundred on."""
    if value is None or math.isnan(value):
        return MISSING
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def ratio(ours: float, theirs: float) -> str:
    return MISSING if theirs == 0 else f"{ours / theirs:.2f}"


@dataclass
class Table:
    """Columns that line up: the first to the left, numbers to the right."""

    heads: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, name: str, *cells: float | str | None) -> None:
        shown = [cell if isinstance(cell, str) else number(cell) for cell in cells]
        self.rows.append([name, *shown])

    def __str__(self) -> str:
        lines = [self.heads, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heads))]
        return "\n".join(
            "  ".join(
                [line[0].ljust(widths[0])]
                + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
            ).rstrip()
            for line in lines
        )
