"""`consonance assets`: the pretrained files, seen and brought here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from core import assets
from core.commands.console import FAILED, OK, Steps


def show(names: Sequence[str], *, thorough: bool, as_json: bool) -> int:
    """A line for each asset: here, absent or altered, how big, under which licence."""
    found = assets.verify(names) if thorough else assets.status(names)
    if as_json:
        for item in found:
            Console(soft_wrap=True, highlight=False).print(
                json.dumps({**asdict(item), "path": str(item.path)}), markup=False
            )
    else:
        _table(found)
    return OK if all(item.state == "present" for item in found) else FAILED


def fetch(names: Sequence[str]) -> int:
    """Bring the assets here. AssetError names every source tried if one cannot be had."""
    with Steps() as steps:
        bars = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in bars:
                bars[name] = steps.begin(name, total or 1)
            bars[name]("", done)

        found = assets.fetch(names, on_progress=report)
    _table(found)
    return OK if all(item.state == "present" for item in found) else FAILED


def _table(found: Sequence[assets.AssetStatus]) -> None:
    """What there is; below it, uncut however narrow the terminal, the folders that it lies in."""
    table = Table()
    for column in ("asset", "state", "size", "licence"):
        table.add_column(column, justify="right" if column == "size" else "left")
    for item in found:
        state = item.state if not item.problem else f"{item.state}: {item.problem}"
        table.add_row(item.name, state, f"{item.size / 1e6:.1f} MB", item.licence)
    console = Console(highlight=False)
    console.print(table)
    # An asset is a folder of its name, or one file in it.
    places = [(item.path, *item.path.parents) for item in found]
    own = [next(p for p in place if p.name == item.name) for place, item in zip(places, found, strict=True)]
    for folder in dict.fromkeys(path.parent for path in own):
        console.print(str(folder), soft_wrap=True, markup=False)
