"""A store of a million clips: opening it, filtering its list, fetching pages, rating in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import psutil

from core.annotation import columns
from core.annotation.acts import rate
from core.annotation.estimates import put
from core.annotation.store import NewClip, Store
from core.annotation.view import Filter, View
from core.types import Estimate

CLIPS = 1_000_000
CHUNK = 50_000
PAGE = 100
"""Rows that are fetched at once while somebody scrolls: more than a tall window shows."""
TIMES = 5
PAGES = 200
RATINGS = 200
WORDS = 5_000


def store(clip: Path) -> dict[str, Any]:
    """Milliseconds of opening, filtering (median and longest), pages and ratings (p50, p95).

    Beside each what this process itself computed, for others may use the machine meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="consonance-bench-") as folder:
        project = Path(folder) / "project"
        seconds = _make(project)
        before = psutil.Process().memory_info().rss
        started = perf_counter()
        with Store.open(project) as opened:
            rater = opened.rater("rater 1").id
            view = View(opened, rater, "multimodal")
            first = view.rows(view.select()[:PAGE])
            open_ms = 1000 * (perf_counter() - started)
            figures = {
                "clips": opened.count(),
                "file_mb": (project / "annotations.sqlite").stat().st_size / 1e6,
                "import_clips_a_second": CLIPS / seconds,
                "open_and_first_page_ms": open_ms,
                "rows_on_it": len(first),
                "filters": [_filtered(name, chosen, view) for name, chosen in FILTERS.items()],
                **_pages(view),
                **_next(view),
                "rss_growth_mb": (psutil.Process().memory_info().rss - before) / 1e6,
                **_rated(opened, rater),
            }
    return figures


FILTERS = {
    "all": Filter(),
    "a rare word": Filter(text="zq"),
    "a usual word": Filter(text="qu"),
    "one letter": Filter(text="e"),
    "a name": Filter(text="film04217/"),
    "unrated": Filter(state="unrated"),
    "rated": Filter(state="rated"),
    "own score over 1": Filter(score=(1.0, 3.0)),
    "mean under -1": Filter(score=(-3.0, -1.0), score_of="mean"),
    "raters disagree by 3": Filter(disagreement=(3.0, 6.0)),
    "modalities disagree by 3": Filter(disagreement=(3.0, 6.0), disagreement_of="modalities"),
    "word, unrated, score": Filter(text="qu", state="unrated", score=(0.0, 3.0), score_of="mean"),
}


def _make(project: Path) -> float:
    """Fill a project as an import and two raters would; the seconds that adding the clips took."""
    random = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkqjxz"))
    weights = 1 / np.arange(1, 27)
    lengths = random.integers(2, 9, WORDS)
    words = ["".join(random.choice(letters, n, p=weights / weights.sum())) for n in lengths]
    with Store.create(project, seed=1, blind=False, name="bench") as made:
        raters = [made.rater(f"rater {number}", create=True).id for number in (1, 2)]
        started = perf_counter()
        for first in range(0, CLIPS, CHUNK):
            made.add(list(_clips(first, words, random)))
        seconds = perf_counter() - started
        with made.database.write() as connection:
            ids = np.arange(1, CLIPS + 1)
            given = {rater: random.integers(-3, 4, CLIPS).astype(float) for rater in raters}
            given[raters[0]][random.random(CLIPS) < 0.5] = np.nan
            for rater, values in given.items():
                columns.put_many(connection, "rating", "multimodal", rater, ids, values)
            both = np.array(list(given.values()))
            columns.put_many(connection, "mean", "multimodal", 0, ids, np.nanmean(both, axis=0))
            columns.put_many(connection, "spread", "multimodal", 0, ids, np.ptp(both, axis=0))
            for modality in ("text", "audio", "visual"):
                values = random.integers(-3, 4, CLIPS).astype(float)
                columns.put_many(connection, "mean", modality, 0, ids, values)
        put(made, 1, {"multimodal": Estimate(1.0, 0.0, 2.0)}, "bench")
    return seconds


def _clips(first: int, words: list[str], random: np.random.Generator) -> Iterator[NewClip]:
    for number, chosen in enumerate(random.integers(0, WORDS, (CHUNK, 9)), first):
        name = f"film{number // 100:05d}/{number % 100:04d}"
        yield NewClip(name, f"{name}.mp4", " ".join(words[k] for k in chosen))


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = perf_counter()
    result = call()
    return 1000 * (perf_counter() - started), result


def _filtered(name: str, chosen: Filter, view: View) -> dict[str, Any]:
    started = process_time()
    took = [_timed(lambda: view.select(chosen)) for _ in range(TIMES)]
    cpu = 1000 * (process_time() - started) / TIMES
    times = [milliseconds for milliseconds, _ in took]
    figures = {"median_ms": median(times), "longest_ms": max(times), "cpu_ms": cpu}
    return {"filter": name, "clips": len(took[0][1]), **figures}


def _pages(view: View) -> dict[str, float]:
    ids = view.select()
    places = np.random.default_rng(1).integers(0, len(ids) - PAGE, PAGES)
    started = process_time()
    times = [_timed(lambda place=place: view.rows(ids[place : place + PAGE]))[0] for place in places]
    cpu = 1000 * (process_time() - started) / PAGES
    return {"page_p50_ms": median(times), "page_p95_ms": float(np.quantile(times, 0.95)), "page_cpu_ms": cpu}


def _next(view: View) -> dict[str, float]:
    return {"next_unrated_ms": median(_timed(lambda: view.next(1, "unrated"))[0] for _ in range(TIMES))}


def _rated(opened: Store, rater: int) -> dict[str, float]:
    rate(opened, rater, 1, "text", 1.0)  # the first write of a connection opens its files
    clips = np.random.default_rng(2).integers(1, CLIPS, RATINGS)
    started = process_time()
    times = [_timed(lambda clip=clip: rate(opened, rater, int(clip), "text", 1.0))[0] for clip in clips]
    cpu = 1000 * (process_time() - started) / RATINGS
    return {
        "rating_p50_ms": median(times),
        "rating_p95_ms": float(np.quantile(times, 0.95)),
        "rating_cpu_ms": cpu,
    }
