"""The two pictures of a search, as SVG: its history, and how much each setting mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 70, 20, 40, 50
ROW = 28
BLUE, ORANGE, GREY, INK = "#2b6cb0", "#dd6b20", "#a0aec0", "#2d3748"


def history(trials: Sequence[Mapping[str, Any]], figure: str) -> str:
    """Each trial's best figure by number (pruned ones grey), and the best so far as a line; lower is better.

    trials: `number`, `state` and `value` (None where it has none) of each.
    """
    known = [t for t in trials if t["value"] is not None]
    if not known:
        return _page("No trial has finished yet", HEIGHT, [])
    values, last = [t["value"] for t in known], max(1, *(t["number"] for t in known))
    low, high = _widened(min(values), max(values))

    def place(number: float, value: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * number / last
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    drawn = _axes(low, high, last)
    drawn += [_dot(*place(t["number"], t["value"]), t) for t in known]
    best, line = float("inf"), []
    for trial in known:
        if trial["state"] == "complete" and trial["value"] < best:
            if line:
                line.append(place(trial["number"], best))
            best = trial["value"]
            line.append(place(trial["number"], best))
    if line:
        line.append(place(last, best))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{ORANGE}" stroke-width="2"/>')
    return _page(f"{figure} of each trial (grey: cut short), and the best so far", HEIGHT, drawn)


def importance(shares: Mapping[str, float]) -> str:
    """A bar for each setting, the longest first; shares are of the variance of the trials' figures."""
    if not shares:
        return _page("Too few finished trials to say which setting matters", 80, [])
    drawn, left = [], 260
    for row, (name, share) in enumerate(sorted(shares.items(), key=lambda item: -item[1])):
        y = TOP + ROW * row
        length = (WIDTH - left - 80) * share
        drawn.append(_text(left - 10, y + 17, name, "end"))
        drawn.append(f'<rect x="{left}" y="{y + 4}" width="{length:.1f}" height="{ROW - 8}" fill="{BLUE}"/>')
        drawn.append(_text(left + length + 8, y + 17, f"{100 * share:.0f} %"))
    return _page("How much of the differences each setting explains", TOP + ROW * len(shares) + 20, drawn)


def _axes(low: float, high: float, last: int) -> list[str]:
    drawn = []
    for step in range(5):
        value = low + (high - low) * step / 4
        y = TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e2e8f0"/>')
        drawn.append(_text(LEFT - 8, y + 4, f"{value:.3g}", "end"))
    for number in sorted({round(last * step / 4) for step in range(5)}):
        drawn.append(
            _text(
                LEFT + (WIDTH - LEFT - RIGHT) * number / last, HEIGHT - BOTTOM + 18, str(number + 1), "middle"
            )
        )
    drawn.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "trial", "middle"))
    return drawn


def _dot(x: float, y: float, trial: Mapping[str, Any]) -> str:
    colour = BLUE if trial["state"] == "complete" else GREY
    told = escape(f"trial {trial['number'] + 1}, {trial['state']}: {trial['value']:.4g}")
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{told}</title></circle>'


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}">{escape(text)}</text>'


def _page(title: str, height: float, drawn: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    )
    named = f'<g font-size="14">{_text(WIDTH / 2, 20, title, "middle")}</g>'
    return "\n".join([head, named, *drawn, "</svg>", ""])
