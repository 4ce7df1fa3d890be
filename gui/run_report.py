"""The report of a run as a page to read and copy: why it ended, scores with intervals, calibration, data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from gui.run_words import figure_words, tr


def report_html(report: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Everything a report says. `about`: run.json. Whatever comes from files is escaped."""
    parts = [_ended(report)] if report else [f"<p>{tr('There is a report once the run has finished.')}</p>"]
    if report:
        parts += [*_scores(report), _calibration(report.get("calibration") or {})]
        parts += [_rows(report.get("rows") or {}), _notes(report.get("notes") or [])]
    parts.append(_about(about))
    return "".join(parts)


def _ended(report: Mapping[str, Any]) -> str:
    words = tr("Why it ended: {why}", why=report.get("ended") or tr("not told"))
    best = report.get("best_epoch")
    more = tr("The best epoch was {best} of {all}.", best=best, all=report.get("epochs")) if best else ""
    return f"<h3>{escape(words)}</h3><p>{escape(more)}</p>"


def _scores(report: Mapping[str, Any]) -> Iterable[str]:
    test = report.get("test") or {}
    sources = test.get("sources") if isinstance(test, dict) else None
    if not sources:
        yield f"<h3>{tr('Test part')}</h3><p>{tr('The data has no test part, so there is no score.')}</p>"
        return
    for source, told in sources.items():
        count = tr("{rows} rows of {groups} groups", rows=told.get("rows"), groups=told.get("groups"))
        title = tr("Test part: {name}", name=source) if source != "test" else tr("Test part")
        yield f"<h3>{escape(title)}</h3><p>{escape(count)}</p>"
        metrics, coverage = told.get("metrics") or {}, told.get("coverage") or {}
        names = list(dict.fromkeys(name for head in metrics.values() for name in head))
        heads = list(metrics)
        rows = [
            [figure_words(name), *(_interval(metrics[head].get(name)) for head in heads)] for name in names
        ]
        if coverage:
            rows.append([tr("labels within the interval"), *(_covered(coverage.get(head)) for head in heads)])
        yield _table([tr("figure"), *map(tr, heads)], rows)


def _interval(figure: Any) -> str:
    if not isinstance(figure, dict) or figure.get("value") is None:
        return tr("undefined")
    value = f"{figure['value']:.3f}"
    if figure.get("low") is None or figure.get("high") is None:
        return value
    return f"{value}  [{figure['low']:.3f}, {figure['high']:.3f}]"


def _covered(told: Any) -> str:
    if not isinstance(told, dict):
        return tr("no interval")
    return tr("{value:.0%} of {count}, made for {level:.0%}", **{"level": 0, "count": 0, **told})


def _calibration(told: Mapping[str, Any]) -> str:
    widths = {name: told[name] for name in ("text", "audio", "visual") if name in told}
    fusion = told.get("multimodal")
    if isinstance(fusion, dict):
        widths |= {tr("multimodal, of {names}", names=name): width for name, width in fusion.items()}
    title = f"<h3>{tr('Intervals')}</h3>"
    if not widths:
        return title + f"<p>{tr('Not calibrated: this model shows no interval.')}</p>"
    rows = [
        [tr(str(name)), f"± {width:.2f}"] for name, width in widths.items() if isinstance(width, (int, float))
    ]
    return title + _table([tr("head"), tr("half width at {level:.0%}", level=told.get("level") or 0)], rows)


def _rows(told: Mapping[str, Any]) -> str:
    parts = list(dict.fromkeys(part for row in told.values() if isinstance(row, dict) for part in row))
    rows = [
        [name, *(str(row.get(part, "")) for part in parts)]
        for name, row in told.items()
        if isinstance(row, dict)
    ]
    return f"<h3>{tr('Rows')}</h3>" + _table([tr("source"), *map(tr, parts)], rows) if rows else ""


def _notes(notes: Sequence[Any]) -> str:
    items = "".join(f"<li>{escape(str(note))}</li>" for note in notes)
    return f"<h3>{tr('About the data')}</h3><ul>{items}</ul>" if items else ""


def _about(about: Mapping[str, Any]) -> str:
    rows = [
        [name, _plain(value)] for name, value in about.items() if name not in ("v",) and value is not None
    ]
    return f"<h3>{tr('The run')}</h3>" + _table([tr("what"), ""], rows) if rows else ""


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items() if item is not None)
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f"<th align='left'>{escape(cell)}&nbsp;&nbsp;&nbsp;&nbsp;</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}&nbsp;&nbsp;&nbsp;&nbsp;</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table cellspacing='0' cellpadding='3'><tr>{cells}</tr>{body}</table>"
