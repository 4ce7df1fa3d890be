"""The entry point of `consonance`: the window, its workers and every subcommand start here.

Nothing heavy at the top, not even the parser of options, for the window is to be seen soon.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main() -> None:
    """Obey the command line. Exit codes: 0, 1 (something failed), 2 (wrong usage), 130 (interrupted).

    The user's errors are told with their remedy; ours leave a traceback.
    """
    import multiprocessing

    multiprocessing.freeze_support()
    if sys.argv[1:2] == ["app"]:  # it reads its own options
        open_window(sys.argv[2:])
    from core.commands.tree import app
    from core.errors import UserError

    try:
        app(prog_name="consonance")
    except UserError as error:
        from core.commands.console import show_error

        show_error(error)
        sys.exit(1)


def open_window(arguments: Sequence[str]) -> None:
    """Show the window until it is closed; does not return. `arguments`: clips, and options of `gui.app`."""
    from gui.app import main as show

    sys.exit(show(list(arguments)))


if __name__ == "__main__":
    main()
