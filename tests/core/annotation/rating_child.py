"""A program that rates: `rating_child.py PROJECT RATER COUNT`, one line for each rating that is kept."""

from __future__ import annotations

import sys
from pathlib import Path

from core.annotation.acts import rate
from core.annotation.store import Store


def main() -> None:
    folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with Store.open(folder, patience=60) as store:
        rater = store.rater(name, create=True).id
        for number in range(count):
            done = rate(store, rater, number % 12 + 1, "text", float(number % 7 - 3))
            sys.stdout.write(f"{done.event} {done.clip} {done.value}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
