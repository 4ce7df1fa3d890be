"""Every setting of a run, declared once: type, range, unit, default and the help shown under it.

The settings form, the TOML presets, the command line's `--set` and the run folder are views of `Settings`.
Light on purpose (no torch): the window imports this module too.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ValidationError
from tomlkit.exceptions import ParseError

from core.errors import SettingsError
from core.paths import resources
from core.training.data_settings import DataSettings
from core.training.data_settings import Source as Source
from core.training.declared import Section
from core.training.declared import setting as _setting
from core.types import AUDIO_WIDTH, VISUAL_WIDTH, Modality


class HeadWidths(Section):
    """Width of the representation h_s of each head (what label generation looks at)."""

    multimodal: int = _setting(128, "Fusion", "Width of the fusion head.", "units", ge=1, le=4096)
    text: int = _setting(32, "Text", "Width of the text head.", "units", ge=1, le=4096)
    audio: int = _setting(16, "Voice", "Width of the audio head.", "units", ge=1, le=4096)
    visual: int = _setting(32, "Face", "Width of the visual head.", "units", ge=1, le=4096)


class HeadDropout(Section):
    """Share of each head's input that is hidden at random while training."""

    multimodal: float = _setting(0.0, "Fusion", "Dropout before the fusion head.", ge=0, lt=1)
    text: float = _setting(0.1, "Text", "Dropout before the text head.", ge=0, lt=1)
    audio: float = _setting(0.1, "Voice", "Dropout before the audio head.", ge=0, lt=1)
    visual: float = _setting(0.0, "Face", "Dropout before the visual head.", ge=0, lt=1)


Pair = Literal["audio-visual", "text-audio", "text-visual"]


class NetworkSettings(Section):
    """The network: encoders, heads, fusion and the maps that are aligned."""

    text_encoder: str = _setting(
        "text-encoder",
        "Text encoder",
        "Name of an asset, or a folder with a BERT-like model; empty: the data's text vectors.",
        basic=True,
    )
    text_readout: Literal["mean", "first"] = _setting(
        "mean", "Text readout", "Mean over the tokens (sentence encoders) or the first token (BERT)."
    )
    text_freeze: Literal["none", "embeddings", "all"] = _setting(
        "none", "Frozen part of the text encoder", "Training leaves it as it was published.", basic=True
    )
    text_vector_width: int = _setting(
        0,
        "Width of the text vectors",
        "Used only without a text encoder. 0: as the data has.",
        "units",
        ge=0,
        le=16384,
    )
    text_width: int = _setting(
        128,
        "Text representation",
        "Width the text vectors are mapped to, without a text encoder.",
        "units",
        ge=1,
        le=4096,
    )
    audio_input_width: int = _setting(
        AUDIO_WIDTH, "Audio features", "Features a frame. 0: as the data has.", "units", ge=0, le=16384
    )
    visual_input_width: int = _setting(
        VISUAL_WIDTH, "Visual features", "Features a frame. 0: as the data has.", "units", ge=0, le=16384
    )
    standardise: bool = _setting(
        True,
        "Standardise features",
        "Voice and face enter with mean 0 and deviation 1 over the training part; off: as they are (public "
        "code).",
    )
    audio_lstm_width: int = _setting(16, "Audio LSTM", "Width of its hidden state.", "units", ge=1, le=4096)
    visual_lstm_width: int = _setting(32, "Visual LSTM", "Width of its hidden state.", "units", ge=1, le=4096)
    readout: Literal["last", "mean", "features"] = _setting(
        "last",
        "Readout",
        "The LSTM's last hidden state (the paper), its mean over time, or, without an LSTM, the mean and the "
        "deviation of the features over time.",
    )
    lstm_dropout: float = _setting(
        0.0, "LSTM dropout", "Dropout on what is read out of the LSTMs.", ge=0, lt=1
    )
    audio_width: int = _setting(16, "Audio representation", "Width of F_a.", "units", ge=1, le=4096)
    visual_width: int = _setting(32, "Visual representation", "Width of F_v.", "units", ge=1, le=4096)
    head_widths: HeadWidths = _setting(HeadWidths, "Head widths", "Widths of the representations h_s.")
    head_dropout: HeadDropout = _setting(HeadDropout, "Head dropout", "Dropout on the heads' input.")
    head_layers: Literal[2, 3] = _setting(
        3, "Layers of a head", "3 as in the public code of Self-MM, 2 as in its paper."
    )
    class_heads: tuple[Modality, ...] = _setting(
        (),
        "Heads of classes",
        "Modalities whose labels are classes: the head judges negative, neutral and positive, and its "
        "estimate is their expected value.",
    )
    fusion: Literal["concatenation", "attention", "graph"] = _setting(
        "concatenation",
        "Fusion",
        "How modalities are joined: side by side (the paper), by attention over them, or as a small graph.",
        basic=True,
    )
    aligned_width: int = _setting(
        32,
        "Common width",
        "Width d that voice and face are mapped to before their covariances are compared.",
        "units",
        ge=1,
        le=1024,
    )
    aligned_from: Literal["encoded", "hidden"] = _setting(
        "encoded", "What is aligned", "The encoders' outputs F_s, or the heads' representations h_s."
    )
    aligned_pairs: tuple[Pair, ...] = _setting(
        ("audio-visual",), "Aligned pairs", "Pairs of modalities whose covariances are compared."
    )


class GroupValues(Section):
    """One value for each group of parameters."""

    text: float = _setting(5e-5, "Text encoder", "Parameters of the text encoder.", ge=0, le=1)
    audio: float = _setting(5e-3, "Audio encoder", "Parameters of the audio LSTM.", ge=0, le=1)
    visual: float = _setting(5e-3, "Visual encoder", "Parameters of the visual LSTM.", ge=0, le=1)
    other: float = _setting(1e-3, "Everything else", "Heads and alignment maps.", ge=0, le=1)


def _decay() -> GroupValues:
    return GroupValues(text=1e-3, audio=1e-3, visual=1e-3, other=1e-3)


class TrainingSettings(Section):
    """How the network is trained."""

    seed: int = _setting(1111, "Seed", "Start of every random choice of this run.", ge=0, le=2**31 - 1)
    seeds: tuple[int, ...] = _setting(
        (1111, 1112, 1113, 1114, 1115), "Seeds of a comparison", "One run each, where runs are compared."
    )
    epochs: int = _setting(
        50, "Most epochs", "Training ends here at the latest.", "epochs", ge=1, le=10000, basic=True
    )
    minutes: float = _setting(0.0, "Time limit", "0: none.", "min", ge=0, le=100000, basic=True)
    batch_size: int = _setting(16, "Batch", "Samples a batch.", "samples", ge=1, le=4096, basic=True)
    accumulate: int = _setting(
        4, "Accumulated batches", "Batches whose gradients make one step.", "batches", ge=1, le=1024
    )
    drop_left_over: bool = _setting(
        False,
        "Drop left-over batches",
        "No step on the last batches of an epoch that do not fill one (as the public code).",
    )
    patience: int = _setting(
        8,
        "Patience",
        "Epochs without improvement before training stops.",
        "epochs",
        ge=1,
        le=10000,
        basic=True,
    )
    monitor: Literal["mae", "loss"] = _setting(
        "mae", "Watched figure", "Of the validation split; decides what is the best epoch."
    )
    optimiser: Literal["adamw", "adam"] = _setting(
        "adamw",
        "Optimiser",
        "adamw: weights decay by themselves. adam: by the gradient (public code); heads without one shrink.",
    )
    learning_rate: GroupValues = _setting(GroupValues, "Learning rates", "Step sizes by group.", basic=True)
    weight_decay: GroupValues = _setting(_decay, "Weight decay", "Decay by group.")
    decay_biases: bool = _setting(
        False, "Biases decay", "All but the text encoder's decay like the weights (public code)."
    )
    by_length: bool = _setting(
        True,
        "Batches by length",
        "Samples of like length come together, which is several times quicker; off: at random (public code).",
    )
    schedule: Literal["constant", "linear"] = _setting(
        "constant", "Schedule", "Learning rates stay, or fall linearly to 0 over all epochs."
    )
    warm_up: float = _setting(
        0.0, "Warm-up", "Share of all steps over which the rates rise from 0.", ge=0, le=1
    )
    gradient_limit: float = _setting(
        0.0, "Gradient limit", "Largest norm of a step's gradient; 0: none.", ge=0, le=1e6
    )
    batch_beside: int = _setting(
        16,
        "Rows beside a batch",
        "Where samples come in kinds (text only, sound only, …), each batch of the commonest kind takes so "
        "many of every other kind with it.",
        "samples",
        ge=1,
        le=4096,
    )
    words_first: bool = _setting(
        False,
        "Words first",
        "Of samples in kinds, those of words alone are learned first; then everything else, beside what the "
        "finished text encoder makes of the words. As the branches share no weights, that is only quicker.",
    )
    epochs_beside: int = _setting(
        40,
        "Epochs after the words",
        "Of the commonest other kind, where words come first.",
        "epochs",
        ge=1,
        le=10000,
    )
    average: float = _setting(
        0.0,
        "Weight averaging",
        "The model is a moving average of the weights that keeps this share at each step; 0: the weights.",
        ge=0,
        lt=1,
    )
    vary: bool = _setting(
        False,
        "Vary sequences",
        "Voices change speed and level and lose stretches, stills become short films, anew in each epoch.",
    )
    composites: bool = _setting(
        False,
        "Composites for the fusion",
        "The fusion head learns from texts, voices and faces of different recordings with alike labels.",
    )
    modality_dropout: float = _setting(
        0.0, "Modality dropout", "Chance that a modality of a sample with several is hidden.", ge=0, lt=1
    )
    device: str = _setting("auto", "Device", "auto, cpu, cuda, or cuda:1.", basic=True)
    precision: Literal["float32", "bfloat16"] = _setting(
        "float32", "Precision", "Of the network's arithmetic.", basic=True
    )
    threads: int = _setting(0, "Threads", "0: one fewer than there are cores.", ge=0, le=1024)
    checkpoint_minutes: float = _setting(
        10.0, "Checkpoint every", "So much is lost at most when the machine stops.", "min", gt=0, le=1440
    )


class LabelSettings(Section):
    """Labels of the single modalities."""

    kind: Literal["generated", "human", "none", "teacher", "adversarial"] = _setting(
        "generated",
        "Unimodal labels",
        "Generated while training (the paper), read from the data, not used, half from a slow copy of the "
        "network (teacher), or the given one for all, with representations that a discriminator cannot tell "
        "apart (adversarial).",
        basic=True,
    )
    limit: float = _setting(3.0, "Limit H", "Generated labels stay within ±H.", gt=0, le=100)
    zero_is_positive: bool = _setting(
        False,
        "Zero is positive",
        "Count a label of 0 among the positive ones (the paper; the public code: neither).",
    )
    distance: Literal["euclidean", "scaled"] = _setting(
        "euclidean",
        "Distance to a centre",
        "Euclidean (public code), or its square divided by √width (the paper).",
    )
    teacher_decay: float = _setting(
        0.99, "Teacher's memory", "Share of itself that the teacher keeps at each step.", ge=0, lt=1
    )
    adversary_weight: float = _setting(
        0.1, "Weight of the discriminator", "Of its loss beside the others.", ge=0, le=1e6
    )


class AlignmentSettings(Section):
    """The covariance alignment of voice and face."""

    weight: float = _setting(0.1, "Weight λ", "0: modalities stay private.", ge=0, le=1e6, basic=True)
    warm_up_epochs: int = _setting(
        0, "Warm-up", "Epochs over which the weight rises from 0.", "epochs", ge=0, le=10000
    )
    form: Literal["covariance", "correlation"] = _setting(
        "covariance", "Form", "correlation cannot be lowered by shrinking both representations."
    )


class Settings(Section):
    """All settings of a run."""

    network: NetworkSettings = _setting(NetworkSettings, "Network", "Encoders, heads, fusion.")
    training: TrainingSettings = _setting(TrainingSettings, "Training", "Optimiser, batches, stopping.")
    labels: LabelSettings = _setting(LabelSettings, "Unimodal labels", "How single modalities get labels.")
    alignment: AlignmentSettings = _setting(AlignmentSettings, "Alignment", "Covariance alignment.")
    data: DataSettings = _setting(DataSettings, "Data", "What is learned from.")

    @property
    def read(self) -> DataSettings:
        """How the data is read: without a text encoder only vectors can be its text."""
        return self.data if self.network.text_encoder else self.data.model_copy(update={"text": "vectors"})


def presets() -> dict[str, Path]:
    """Settings files shipped with the program, by name."""
    return {path.stem: path for path in sorted((resources() / "presets").glob("*.toml"))}


def load(path: str | Path, overrides: Sequence[str] = ()) -> Settings:
    """Read a settings file (or a preset by name), with `section.key=value` laid over it.

    Raises SettingsError that lists every problem at once, each with its name and the nearest known name.
    """
    path = presets().get(str(path), Path(path))
    return _laid_over(_read(path), overrides, f"{path}: ")


def changed(settings: Settings, overrides: Sequence[str]) -> Settings:
    """The settings with `section.key=value` laid over them. SettingsError as from `load`."""
    return _laid_over(settings.model_dump(mode="json"), overrides)


def fitted(settings: Settings, widths: Mapping[Modality, int]) -> Settings:
    """The settings with input widths of 0 replaced by the data's: `core.data.batches.feature_widths`.

    Raises SettingsError where a stated width is not the data's, and where the data's text vectors meet a text
    encoder that reads words.
    """
    network, problems, found = settings.network, [], {}
    if widths.get("text") and network.text_encoder:
        problems.append(
            f"network.text_encoder: the data holds text vectors (width {widths['text']}): leave it empty"
        )
    for name, stated, usual in (
        ("text_vector_width", widths.get("text"), 768),
        ("audio_input_width", widths.get("audio"), AUDIO_WIDTH),
        ("visual_input_width", widths.get("visual"), VISUAL_WIDTH),
    ):
        own = getattr(network, name)
        if own and stated and own != stated:
            problems.append(f"network.{name}: {own}, but the data has {stated}; 0 takes the data's")
        found[name] = own or stated or usual
    if problems:
        raise SettingsError("; ".join(problems), "Correct these settings and start again.")
    return settings.model_copy(update={"network": network.model_copy(update=found)})


def dump(settings: Settings) -> str:
    """The settings as TOML, complete, so that a run folder says what was used even after defaults change."""
    return tomlkit.dumps(settings.model_dump(mode="json"))


def names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Dotted names of all settings."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except OSError as error:
        known = ", ".join(presets())
        raise SettingsError(f"{path}: {error.strerror}", f"Presets to choose from: {known}.") from error
    except (ParseError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error


def _laid_over(tree: dict[str, Any], overrides: Sequence[str], where: str = "") -> Settings:
    problems: list[str] = []
    for override in overrides:
        _lay_over(tree, override, problems)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        problems += [_told(problem) for problem in error.errors()]
    if problems:
        raise SettingsError(where + "; ".join(problems), "Correct these settings and start again.")
    return settings


def _lay_over(tree: dict[str, Any], override: str, problems: list[str]) -> None:
    name, equals, text = override.partition("=")
    if not equals:
        problems.append(f"{override}: expected section.key=value")
        return
    *sections, key = name.strip().split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            problems.append(f"{name}: {section} is a setting, not a section")
            return
    tree[key] = _value(text.strip())


def _value(text: str) -> Any:
    """A TOML value; what is none is a string, so that `--set training.device=cpu` needs no quotes."""
    try:
        return tomlkit.parse(f"value = {text}").unwrap()["value"]
    except ParseError:
        return text


def _told(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
    return unknown(name)


def unknown(name: str) -> str:
    """What is told of a setting that does not exist, with the nearest one that does."""
    near = _nearest(name, names())
    return f"{name}: no such setting" + (f"; did you mean {near}?" if near else "")


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known dotted name most like `name`, compared whole and by its last part; "" where none is alike."""

    def likeness(candidate: str) -> float:
        whole = difflib.SequenceMatcher(None, name, candidate).ratio()
        last = difflib.SequenceMatcher(None, name.split(".")[-1], candidate.split(".")[-1]).ratio()
        return max(whole, last) + 0.1 * whole

    best = max(known, key=likeness)
    return best if likeness(best) > 0.7 else ""
