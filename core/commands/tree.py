"""The subcommands of `consonance` and their options; each imports its work when it is called.

Nothing heavy at the top: `consonance --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from core.commands.annotation_tree import app as annotations_app
from core.types import MODALITIES, Modality

app = typer.Typer(
    name="consonance",
    help="Sentiment of a speaker on video, from words, voice and face, together and apart.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
assets_app = typer.Typer(help="The pretrained files: what is here, bring them here, check every byte.")
app.add_typer(assets_app, name="assets", no_args_is_help=True)

data_app = typer.Typer(help="Data to learn from: is it fit for that?")
app.add_typer(data_app, name="data", no_args_is_help=True)

app.add_typer(annotations_app, name="annotations", no_args_is_help=True)


class _ListByDefault(TyperGroup):
    """`runs`, `runs FOLDER`: what is no command is an argument of `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if known else ["list", *args])


runs_app = typer.Typer(help="The runs there are: how they stand; stop, resume, use.", cls=_ListByDefault)
app.add_typer(runs_app, name="runs")

ALL = ",".join(MODALITIES)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, one object a line.")]
Model = Annotated[str, typer.Option(help="starter, or the folder of a checkpoint or run.")]
Speech = Annotated[str, typer.Option(help="Recogniser: base, tiny.en, or a CTranslate2 folder.")]


def _modalities(text: str) -> tuple[Modality, ...]:
    asked = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in asked if name not in MODALITIES]
    if unknown or not asked:
        raise typer.BadParameter(f"{text!r}: name some of {ALL}, with commas between")
    return tuple(name for name in MODALITIES if name in asked)


Modalities = Annotated[str, typer.Option(metavar="LIST", help="Judge these only: any of text,audio,visual.")]


@app.command()
def analyse(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Videos, sound files, pictures, or folders of them.")
    ],
    json: Json = False,
    transcript: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What is said; nothing is recognised then.")
    ] = None,
    modalities: Modalities = ALL,
    model: Model = "starter",
    speech: Speech = "base",
) -> None:
    """Estimate the sentiment of clips. A clip that fails is told, the others go on (exit code 1)."""
    asked = _modalities(modalities)
    from core.commands.analyse import analyse as run

    raise typer.Exit(
        run(files, as_json=json, transcript=transcript, modalities=asked, model=model, speech=speech)
    )


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="starter, or the folder of a checkpoint or run.")],
    data: Annotated[Path, typer.Option(help="A .pkl, a label folder, or a CSV with columns text, y.")],
    split: Annotated[str | None, typer.Option(help="train, valid or test.")] = None,
    json: Json = False,
) -> None:
    """Score a model on labelled data: the field's metrics, with counts and intervals."""
    from core.commands.evaluate import evaluate as run

    raise typer.Exit(run(model, data, split, as_json=json))


@app.command()
def train(
    run: Annotated[Path, typer.Option(help="Folder of the run; made if it is not there.")],
    settings: Annotated[
        str | None, typer.Argument(help="A settings file, or the name of a preset.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data: a .pkl, a label folder, a CSV, or their folder.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Lay a setting over the file: training.seed=3."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running without this terminal.")] = False,
    seed: Annotated[
        list[int] | None,
        typer.Option(
            metavar="SEED", help="A run with this seed in that folder; several go one by one, detached."
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=A,B,C", help="A run for each value in that folder, one by one, and for each seed."
        ),
    ] = None,
) -> None:
    """Train a model. Everything about it is written into the run's folder."""
    from core.commands.train import train as start

    queue = {"seeds": seed or (), "vary": vary or ()}
    raise typer.Exit(start(settings, data, run, set_ or [], resume=resume, detach=detach, **queue))


@runs_app.command("list")
def list_runs(
    folder: Annotated[Path | None, typer.Argument(help="A folder of runs; all that are known.")] = None,
    json: Json = False,
) -> None:
    """The runs there are, and how they stand: what `runs` alone does."""
    from core.commands.runs import show

    raise typer.Exit(show(folder, as_json=json))


RunFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a run.")]


@runs_app.command("stop")
def stop_run(
    folder: RunFolder,
    grace: Annotated[float, typer.Option(min=0, help="Seconds to wait before it is ended by force.")] = 20.0,
) -> None:
    """End a run and keep its best."""
    from core.commands.runs import stop

    raise typer.Exit(stop(folder, grace))


@runs_app.command("resume")
def resume_run(folder: RunFolder) -> None:
    """Go on with a run that was interrupted or stopped, without this terminal."""
    from core.commands.runs import resume

    raise typer.Exit(resume(folder))


@runs_app.command("use")
def use_run(
    folder: RunFolder,
    drop: Annotated[str, typer.Option(metavar="LIST", help="Modalities that are left out of it.")] = "",
) -> None:
    """Let a run's model judge clips, without modalities that it learned from a data set's own features."""
    left_out = _modalities(drop) if drop else ()
    from core.commands.runs import use

    raise typer.Exit(use(folder, left_out))


@app.command()
def preflight(
    settings: Annotated[str, typer.Argument(help="A settings file, or the name of a preset.")],
    data: Annotated[Path, typer.Option(help="The data: a .pkl, a label folder, a CSV, or their folder.")],
    run: Annotated[Path | None, typer.Option(help="Folder that the run would be put in.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Lay a setting over the file: training.seed=3."),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="How many runs, one after the other.")] = 1,
    json: Json = False,
) -> None:
    """Before a run: what is wrong with data, settings and machine, how long it takes, what it needs."""
    from core.commands.preflight import preflight as look
    from core.paths import runs as usual

    raise typer.Exit(look(settings, data, run or usual(), set_ or [], runs, as_json=json))


@app.command()
def search(
    settings: Annotated[str, typer.Argument(help="A settings file, or the name of a preset.")],
    data: Annotated[Path, typer.Option(help="The data: a .pkl, a label folder, a CSV, or their folder.")],
    study: Annotated[Path, typer.Option(help="Folder of the search; one that was interrupted goes on.")],
    vary: Annotated[
        list[str],
        typer.Option(metavar="KEY=…", help="low:high, low:high:log, or values with commas between."),
    ],
    trials: Annotated[int, typer.Option(min=1, help="How many settings to try.")] = 20,
    jobs: Annotated[int, typer.Option(min=1, help="How many to train at once.")] = 1,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Lay a setting over the file: training.epochs=9."),
    ] = None,
    json: Json = False,
) -> None:
    """Search over settings by their figure on validation; the best is scored once on the test part."""
    from core.commands.search import search as find

    raise typer.Exit(
        find(settings, data, study, vary, trials=trials, jobs=jobs, overrides=set_ or [], as_json=json)
    )


@app.command()
def extract(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Clips, or folders of clips.")],
    out: Annotated[Path, typer.Option(help="Folder for one .npz a clip.")],
    modalities: Modalities = ALL,
    speech: Speech = "base",
) -> None:
    """Write the features of clips, as training and every estimate see them."""
    asked = _modalities(modalities)
    from core.commands.extract import extract as run

    raise typer.Exit(run(files, out, modalities=asked, speech=speech))


@app.command()
def record(
    out: Annotated[Path | None, typer.Argument(help="The .mp4 file to write.")] = None,
    camera: Annotated[
        str, typer.Option(metavar="WHICH", help="Number, name, http or rtsp address, a file, or none.")
    ] = "0",
    microphone: Annotated[
        str, typer.Option(metavar="WHICH", help="Name or a part of it, a file, or none.")
    ] = "default",
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so long.")] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show the cameras and microphones there are.")
    ] = False,
    json: Json = False,
) -> None:
    """Record camera and microphone into a file, until Ctrl+C."""
    from core.commands.record import record as run
    from core.commands.record import show_devices

    if list_:
        raise typer.Exit(show_devices(as_json=json))
    if out is None:
        raise typer.BadParameter("OUT: a file to write is needed")
    raise typer.Exit(run(out, camera, microphone, seconds, as_json=json))


@app.command()
def live(
    file: Annotated[Path | None, typer.Argument(help="A clip, played as if it were live.")] = None,
    camera: Annotated[
        str, typer.Option(metavar="WHICH", help="Number, name, http or rtsp address, a file, or none.")
    ] = "0",
    microphone: Annotated[
        str, typer.Option(metavar="WHICH", help="Name or a part of it, a file, or none.")
    ] = "default",
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so long.")] = None,
    json: Json = False,
    model: Model = "starter",
    speech: Speech = "tiny.en",
) -> None:
    """Estimate the sentiment of whoever is in front of the camera, until Ctrl+C."""
    from core.commands.live import live as run

    raise typer.Exit(run(file, camera, microphone, seconds, model, speech, as_json=json))


Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="All of them by default.")]


@assets_app.command()
def status(names: Names = None, json: Json = False) -> None:
    """What is here, what is not. Exit code 1 if anything is missing or altered."""
    from core.commands.assets import show

    raise typer.Exit(show(names or [], thorough=False, as_json=json))


@assets_app.command()
def verify(names: Names = None, json: Json = False) -> None:
    """As status, with every byte hashed again."""
    from core.commands.assets import show

    raise typer.Exit(show(names or [], thorough=True, as_json=json))


@assets_app.command()
def fetch(names: Names = None) -> None:
    """Bring the pretrained files here and verify them; what is here already stays."""
    from core.commands.assets import fetch as run

    raise typer.Exit(run(names or []))


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="What; a wrong name tells them all.")],
    json: Json = False,
    clip: Annotated[Path | None, typer.Option(help="Measure with this clip instead of the sample.")] = None,
    seconds: Annotated[float | None, typer.Option(min=5, help="How long, of live.")] = None,
) -> None:
    """Measure this program on this machine."""
    from core.benchmarks import run

    raise typer.Exit(run(name, as_json=json, clip=clip, seconds=seconds))


@app.command("app")
def open_window(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE…]", help="Clips to open.")] = None,
) -> None:
    """Open the window."""
    from core.cli import open_window as show

    show(files or [])


@app.command(hidden=True)
def engine(model: Model = "starter", speech: Speech = "base") -> None:
    """Answer the window's requests over standard input and output."""
    from core.workers.engine import serve

    serve(model, speech)


@app.command(hidden=True)
def capture() -> None:
    """Hold camera and microphone for the window, over standard input and output."""
    from core.workers.capture import serve

    serve()


@data_app.command("check")
def data_check(
    path: Annotated[Path, typer.Argument(help="A .pkl, a label folder, a CSV, or their folder.")],
    settings: Annotated[
        str | None, typer.Option(help="Settings file or preset that says how it is read, and its scale.")
    ] = None,
    json: Json = False,
) -> None:
    """Look for copies, leaks between parts, labels off the scale, what is missing. Exit code 1 on errors."""
    from core.commands.data import check as run

    raise typer.Exit(run(path, settings, as_json=json))


@app.command("extractor", hidden=True)
def extractor() -> None:
    """Extract the clips that standard input names into the cache."""
    from core.commands.extractor import serve

    serve()


@app.command("run-reader", hidden=True)
def run_reader() -> None:
    """Read run folders for the window over standard input and output."""
    from core.workers.run_reader import serve

    serve()


@app.command("run-queue", hidden=True)
def run_queue(root: Path) -> None:
    """Start the runs that wait in a folder of runs, one after another."""
    from core.workers.run_queue import serve

    serve(root)


@app.command("run-eraser", hidden=True)
def run_eraser(folders: list[Path]) -> None:
    """End and remove the runs that the window discarded, after it has closed."""
    from core.workers.training import erase

    for folder in folders:
        erase(folder)


@app.command("train-worker", hidden=True)
def train_worker(folder: Path) -> None:
    """Train what a run folder asks for."""
    from core.workers.training_child import serve

    raise typer.Exit(serve(folder))


@app.command("preflight-worker", hidden=True)
def preflight_worker() -> None:
    """Answer the dialog of a new run over standard input and output."""
    from core.workers.preflight import serve

    serve()
