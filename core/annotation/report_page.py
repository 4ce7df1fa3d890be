"""The agreement report as one HTML file: tables and drawings in it, nothing loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from string import Template

import numpy as np

from core.annotation.agreement import Figure
from core.annotation.agreement_report import Agreement
from core.annotation.project import Project

_COLOURS = {"multimodal": "#555555", "text": "#0072B2", "audio": "#D55E00", "visual": "#009E73"}
"""Okabe and Ito's, as everywhere in the program."""
_LEFT, _RIGHT, _LINE = 190, 470, 24
"""Where drawings of coefficients have their axis from 0 to 1, and the height of their lines."""

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Agreement: $name</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color:
#222;
       background: #fff }
table { border-collapse: collapse; margin: .5rem 0 1.5rem }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top }
th:first-child, td:first-child { text-align: left }
h2 { border-left: .4rem solid var(--colour); padding-left: .6rem; margin-top: 2.5rem }
svg { display: block; margin: .5rem 0 1.5rem; max-width: 100% } svg text { font: 13px system-ui, sans-serif }
figcaption, .note { color: #555; font-size: .9rem }
@media print { h2 { break-before: page } h2:first-of-type { break-before: auto } }
</style></head><body>
<h1>Agreement: $name</h1>
<p>Scale from $low to $high in $levels levels. Intervals are 95 % of bootstrap resamples of the clips; with
each figure stands how many clips are behind it. “none” is undefined: too few clips in common, or no
variation.</p> $body
<p class="note">Alpha: Krippendorff 2011. Kappa: Cohen 1968, Fleiss 1971. ICC: Shrout and Fleiss 1979; k is
the mean over all raters. Fleiss' kappa and ICC are of the clips that all raters rated.</p>
</body></html>
""")


def page(project: Project, measured: Sequence[Agreement]) -> str:
    """The report as HTML."""
    low, high = project.scale
    return _PAGE.substitute(
        name=escape(project.name),
        low=f"{low:g}",
        high=f"{high:g}",
        levels=project.levels,
        body="\n".join(_section(one, project) for one in measured),
    )


def _section(one: Agreement, project: Project) -> str:
    colour = _COLOURS[one.modality]
    parts = [f'<h2 style="--colour: {colour}">{one.modality.capitalize()}</h2>']
    counts = [[name, f"{one.rated[name]:,}", f"{one.cannot[name]:,}"] for name in one.raters]
    parts.append(_table(["rater", "clips rated", "cannot judge"], counts))
    if not len(one.together):
        return "\n".join([*parts, "<p>No clip was rated by two raters.</p>"])
    parts.append(_coefficients(one.figures, colour))
    parts.append(_table(["coefficient", "value", "95 % interval", "clips"], map(_cells, one.figures.items())))
    if one.pairs:
        names = list(one.pairs[0].figures)
        rows = [
            [f"{pair.first} and {pair.second}", f"{pair.clips:,}", _number(pair.difference, sign=True)]
            + [_with_interval(pair.figures[name]) for name in names]
            for pair in one.pairs
        ]
        parts += ["<h3>Pairs</h3>", _table(["raters", "clips", "mean difference", *names], rows)]
        parts.append(_matrix(one, project, colour))
    if one.worst:
        rows = [[w.name, f"{w.spread:g}", _given(w.ratings)] for w in one.worst]
        parts += ["<h3>Most disagreement</h3>", _table(["clip", "range", "ratings"], rows)]
    return "\n".join(parts)


def _given(ratings: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in ratings.items())


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(item: tuple[str, Figure]) -> list[str]:
    name, figure = item
    interval = f"{_number(figure.low)} to {_number(figure.high)}" if math.isfinite(figure.low) else "none"
    return [name, _number(figure.value), interval, f"{figure.clips:,}"]


def _with_interval(figure: Figure) -> str:
    if not math.isfinite(figure.low):
        return _number(figure.value)
    return f"{_number(figure.value)} ({_number(figure.low)} to {_number(figure.high)})"


def _number(value: float, *, sign: bool = False) -> str:
    return "none" if not math.isfinite(value) else f"{value:+.3f}" if sign else f"{value:.3f}"


def _coefficients(figures: dict[str, Figure], colour: str) -> str:
    """Dots with their intervals on one axis from 0 to 1; what is below 0 ends at its edge."""

    def at(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(max(value, 0.0), 1.0)

    lines = []
    for row, (name, figure) in enumerate(figures.items()):
        y = _LINE * (row + 0.7)
        lines.append(f'<text x="{_LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        if math.isfinite(figure.low):
            ends = f'x1="{at(figure.low):.1f}" x2="{at(figure.high):.1f}" y1="{y:.1f}" y2="{y:.1f}"'
            lines.append(f'<line {ends} stroke="{colour}" stroke-width="3"/>')
        if math.isfinite(figure.value):
            lines.append(f'<circle cx="{at(figure.value):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
    bottom = _LINE * len(figures) + 8
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x = at(tick)
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{bottom}" stroke="#ddd"/>')
        lines.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    lines.sort(key=lambda line: "#ddd" not in line)  # the grid below the rest
    return _drawing(_RIGHT + 20, bottom + 24, "Coefficients with their intervals", lines)


def _matrix(one: Agreement, project: Project, colour: str) -> str:
    """How often each value of one rater meets each of another, over all pairs."""
    levels = np.array(project.values)
    counts = np.zeros((len(levels), len(levels)), dtype=int)
    nearest = np.abs(one.together[:, :, None] - levels).argmin(axis=2)
    for a in range(len(one.raters)):
        for b in range(a + 1, len(one.raters)):
            both = np.isfinite(one.together[:, [a, b]]).all(axis=1)
            np.add.at(counts, (nearest[both, a], nearest[both, b]), 1)
    size, left, top = 40, 60, 30
    most = max(int(counts.max()), 1)
    lines = [f'<text x="{left}" y="14">value of one rater (rows) against another (columns), in clips</text>']
    for i, row in enumerate(counts):
        y = top + size * i
        lines.append(f'<text x="{left - 10}" y="{y + 25}" text-anchor="end">{levels[i]:g}</text>')
        for j, count in enumerate(row):
            share, x = count / most, left + size * j
            box = f'x="{x}" y="{y}" width="{size}" height="{size}" stroke="#ddd"'
            lines.append(f'<rect {box} fill="{colour}" fill-opacity="{0.85 * share:.3f}"/>')
            ink = "#fff" if share > 0.6 else "#222"
            lines.append(
                f'<text x="{x + size / 2}" y="{y + 25}" text-anchor="middle" fill="{ink}">{count}</text>'
            )
    bottom = top + size * len(levels)
    for j, level in enumerate(levels):
        x = left + size * (j + 0.5)
        lines.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{level:g}</text>')
    return _drawing(max(left + size * len(levels) + 10, 460), bottom + 26, "Values of pairs of raters", lines)


def _drawing(width: float, height: float, title: str, lines: Iterable[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg {size} role="img" aria-label="{escape(title)}">' + "".join(lines) + "</svg>"
