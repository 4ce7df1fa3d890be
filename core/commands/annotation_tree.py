"""The subcommands of `consonance annotations` and their options; each imports its work when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.types import HEADS

app = typer.Typer(help="Projects of clips to rate: import, rate, agreement, export.")

Folder = Annotated[Path, typer.Argument(metavar="PROJECT", help="Folder of a project.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, one object a line.")]
Rule = Annotated[
    str | None, typer.Option(help="mean, median or adjudicated: what ratings amount to; the project's.")
]
RULES = ("mean", "median", "adjudicated")
FORMS = ("csv", "json", "elan", "label-folder")


def _one_of(name: str, given: str | None, allowed: tuple[str, ...]) -> Any:
    if given is not None and given not in allowed:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(allowed)}", param_hint=name)
    return given


def _scale(text: str) -> tuple[float, float]:
    limits = {"3": (-3.0, 3.0), "1": (-1.0, 1.0)}
    return limits[_one_of("--scale", text, tuple(limits))]


@app.command()
def init(
    folder: Folder,
    name: Annotated[str | None, typer.Option(help="Name of the project; the folder's, if left out.")] = None,
    scale: Annotated[str, typer.Option(help="3: from -3 to 3; 1: from -1 to 1.")] = "3",
    levels: Annotated[int | None, typer.Option(help="Values on the scale: 7; or 3, 5, 11 up to 1.")] = None,
    blind: Annotated[bool, typer.Option(help="Raters do not see each other's ratings nor estimates.")] = True,
    passes: Annotated[str, typer.Option(metavar="LIST", help="What is rated.")] = ",".join(HEADS),
    media: Annotated[Path | None, typer.Option(help="Folder that holds all clips.")] = None,
    store: Annotated[str | None, typer.Option(help="A postgresql:// address, for a team.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Decides each rater's order of clips.")] = None,
    rater: Annotated[list[str] | None, typer.Option(help="Name of a rater; several may be given.")] = None,
    json: Json = False,
) -> None:
    """Make a project."""
    from core.commands.annotations import init as make

    settings = {
        "name": name,
        "scale": _scale(scale),
        "levels": levels,
        "blind": blind,
        "passes": tuple(_one_of("--passes", part.strip(), HEADS) for part in passes.split(",")),
        "media": None if media is None else str(media.resolve()),
        "store": store,
        "seed": seed,
    }
    raise typer.Exit(make(folder, settings, rater or (), as_json=json))


@app.command("import")
def bring_in(
    folder: Folder,
    sources: Annotated[list[Path], typer.Argument(help="Folders of clips, label folders, .pkl, .csv.")],
    cut: Annotated[bool, typer.Option("--cut", help="Cut long videos into utterances by voice.")] = False,
    json: Json = False,
) -> None:
    """Bring in clips, transcripts and labels. Missing files are listed, not dropped."""
    from core.commands.annotations import bring_in as run

    raise typer.Exit(run(folder, sources, cut=cut, as_json=json))


@app.command()
def rate(
    folder: Folder,
    clip: Annotated[str, typer.Argument(help="Name of the clip: video/clip.")],
    modality: Annotated[str, typer.Argument(help=", ".join(HEADS))],
    value: Annotated[str, typer.Argument(help="A value of the scale, or none: cannot judge.")],
    rater: Annotated[str, typer.Option(help="Who rates.")],
    json: Json = False,
) -> None:
    """Rate one modality of a clip (write negative values after a --)."""
    from core.commands.annotations import rate as run

    head = _one_of("MODALITY", modality, HEADS)
    try:
        number = None if value == "none" else float(value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} is neither a number nor none") from error
    raise typer.Exit(run(folder, clip, rater, head, number, as_json=json))


@app.command()
def export(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="File, or folder, to write.")],
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMS))] = "csv",
    rule: Rule = None,
    rater: Annotated[list[str] | None, typer.Option(help="Only this rater; several may be given.")] = None,
    json: Json = False,
) -> None:
    """Write the ratings for another program."""
    from core.commands.annotations import export_to

    chosen, how = _one_of("--format", form, FORMS), _one_of("--rule", rule, RULES)
    raise typer.Exit(export_to(folder, out, chosen, how, rater or (), as_json=json))


@app.command()
def relink(
    folder: Folder,
    search: Annotated[Path | None, typer.Option(help="Look for missing files in this folder.")] = None,
    media: Annotated[Path | None, typer.Option(help="The new folder that holds all clips.")] = None,
    json: Json = False,
) -> None:
    """Look for files that have moved. Exit code 1 while some are missing."""
    from core.commands.annotations import relink as run

    raise typer.Exit(run(folder, search, media, as_json=json))


@app.command()
def agreement(
    folder: Folder,
    passes: Annotated[str, typer.Option(metavar="LIST", help="Of which modalities.")] = ",".join(HEADS),
    rater: Annotated[list[str] | None, typer.Option(help="Of these raters; all people, if left out.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report with drawings: an HTML file.")] = None,
    json: Json = False,
) -> None:
    """How far raters agree, per modality and pair, with bootstrap intervals."""
    from core.commands.annotations import measure

    chosen = [_one_of("--passes", part.strip(), HEADS) for part in passes.split(",")]
    raise typer.Exit(measure(folder, chosen, rater or (), report, as_json=json))


@app.command()
def raters(
    folder: Folder,
    unblind: Annotated[str | None, typer.Option(help="Show this rater what others think; logged.")] = None,
    by: Annotated[str | None, typer.Option(help="Who unblinds.")] = None,
    json: Json = False,
) -> None:
    """The raters and how far they are."""
    from core.commands.annotations import raters as show

    raise typer.Exit(show(folder, unblind, by, as_json=json))
