"""Settings: declared once, frozen, read from presets, wrong ones told all together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from core.errors import SettingsError
from core.training.settings import Settings, Source, dump, fitted, load, names, presets
from core.types import AUDIO_WIDTH, VISUAL_WIDTH

NAMES = set(
    """
network.text_encoder network.text_readout network.text_freeze network.text_vector_width network.text_width
network.audio_input_width network.visual_input_width network.standardise
network.audio_lstm_width network.visual_lstm_width
network.readout network.lstm_dropout network.audio_width network.visual_width
network.head_widths.multimodal network.head_widths.text network.head_widths.audio network.head_widths.visual
network.head_dropout.multimodal network.head_dropout.text network.head_dropout.audio
network.head_dropout.visual network.head_layers network.class_heads network.fusion network.aligned_width
network.aligned_from network.aligned_pairs
training.words_first training.epochs_beside
training.seed training.seeds training.epochs training.minutes training.batch_size training.accumulate
training.drop_left_over training.patience training.monitor training.optimiser
training.learning_rate.text training.learning_rate.audio training.learning_rate.visual
training.learning_rate.other training.weight_decay.text training.weight_decay.audio
training.weight_decay.visual training.weight_decay.other training.schedule training.warm_up
training.decay_biases training.by_length
training.gradient_limit training.batch_beside training.average training.vary training.composites
training.modality_dropout training.device training.precision training.threads
training.checkpoint_minutes
labels.kind labels.limit labels.zero_is_positive labels.distance labels.teacher_decay
labels.adversary_weight
alignment.weight alignment.warm_up_epochs alignment.form
data.name data.scheme data.scale data.languages data.text data.max_tokens data.modalities
data.calibration_share data.sources
""".split()  # noqa: SIM905, lines of names diff better
)


def test_the_set_of_settings_grows_only_on_purpose() -> None:
    assert set(names()) == NAMES


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}", field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation)


def test_every_setting_has_a_title_and_a_help_that_a_form_can_show() -> None:
    for name, field in [*_fields(Settings), *_fields(Source)]:
        assert field.title, name
        assert (field.description or "").endswith("."), name


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().training.batch_size = 3


def test_the_presets_are_those_of_the_public_code() -> None:
    table = {
        "mosi": (16, (5e-5, 5e-3, 5e-3, 1e-3), (1e-3,) * 4, (16, 32), (128, 32, 16, 32), (0, 0.1, 0.1, 0), 3),
        "mosei": (
            32,
            (5e-5, 5e-3, 1e-4, 1e-3),
            (1e-3, 0, 0, 1e-2),
            (16, 32),
            (128, 32, 16, 32),
            (0.1, 0, 0, 0),
            3,
        ),
        "sims": (
            32,
            (5e-5, 5e-3, 5e-3, 1e-3),
            (1e-3, 1e-2, 1e-2, 1e-3),
            (16, 64),
            (128, 64, 16, 32),
            (0, 0.1, 0.1, 0),
            1,
        ),
    }
    for name, (batch, rates, decays, lstm, widths, dropout, limit) in table.items():
        s = load(name)
        groups, heads = ("text", "audio", "visual", "other"), ("multimodal", "text", "audio", "visual")
        assert (s.training.batch_size, s.training.accumulate, s.training.patience) == (batch, 4, 8)
        assert tuple(getattr(s.training.learning_rate, g) for g in groups) == rates
        assert tuple(getattr(s.training.weight_decay, g) for g in groups) == decays
        assert (s.network.audio_lstm_width, s.network.visual_lstm_width) == lstm
        assert tuple(getattr(s.network.head_widths, h) for h in heads) == widths
        assert tuple(getattr(s.network.head_dropout, h) for h in heads) == dropout
        assert s.labels.limit == limit
        assert s.data.scale == (-limit, limit)
        assert s.training.seeds == (1111, 1112, 1113, 1114, 1115)


def test_the_preset_for_comparison_does_as_the_public_code_does() -> None:
    plain, compared = load("mosi"), load("mosi-self-mm")
    assert (compared.training.optimiser, compared.training.drop_left_over) == ("adam", True)
    assert compared.alignment.weight == 0
    assert compared.training.learning_rate == plain.training.learning_rate
    assert (compared.training.decay_biases, compared.training.by_length) == (True, False)
    assert compared.network == plain.network.model_copy(update={"standardise": False})


def test_widths_of_zero_become_the_datas() -> None:
    fit = fitted(load("mosi", ["network.text_encoder="]), {"text": 300, "audio": 5})
    assert fit.network.audio_input_width == 5
    assert fit.network.visual_input_width == VISUAL_WIDTH
    assert fitted(load("mosi"), {}).network.audio_input_width == AUDIO_WIDTH


def test_widths_that_are_not_the_datas_are_told_together() -> None:
    with pytest.raises(SettingsError) as error:
        fitted(Settings(), {"text": 300, "audio": 5, "visual": 20})
    told = error.value.message
    assert "network.text_encoder: the data holds text vectors (width 300)" in told
    assert "network.audio_input_width: 33, but the data has 5" in told
    assert "network.visual_input_width: 128, but the data has 20" in told


def test_without_a_text_encoder_only_vectors_are_read() -> None:
    assert load("mosi").read.text == "auto"
    assert load("mosi", ["network.text_encoder="]).read.text == "vectors"


def test_every_shipped_preset_loads() -> None:
    assert {"mosi", "mosei", "sims"} <= presets().keys()
    for name in presets():
        load(name)


def test_settings_survive_the_way_through_a_file(tmp_path: Path) -> None:
    settings = load(
        "sims", ["data.sources=[{path='a.csv', columns={text='t', label='y'}, class_values={bad=-2}}]"]
    )
    (tmp_path / "settings.toml").write_text(dump(settings), encoding="utf-8")
    assert load(tmp_path / "settings.toml") == settings


def test_what_is_set_on_the_command_line_lies_over_the_file() -> None:
    changes = [
        "training.batch_size=8",
        "training.device=cpu",
        "network.head_widths.text=7",
        "training.seeds=[1, 2]",
    ]
    settings = load("mosi", changes)
    assert settings.training.batch_size == 8
    assert settings.training.device == "cpu"
    assert settings.network.head_widths.text == 7
    assert settings.network.head_widths.audio == 16
    assert settings.training.seeds == (1, 2)


def test_all_problems_are_told_at_once_with_the_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        "[training]\nbatchsize = 8\nepochs = -1\n[trainning]\nseed = 1\n[alignment]\nweight = -0.1\n"
    )
    with pytest.raises(SettingsError) as error:
        load(file, ["learning_rate.text=1", "nonsense", "training.seed.of=1", "data.scale=[1, -1]"])
    told = error.value.message
    for part in (
        str(file),
        "training.batchsize: no such setting; did you mean training.batch_size?",
        "training.epochs: Input should be greater than or equal to 1",
        "alignment.weight: Input should be greater than or equal to 0",
        "trainning: no such setting",
        "learning_rate: no such setting",
        "nonsense: expected section.key=value",
        "data.scale: the lowest label 1.0 is not below the highest -1.0",
    ):
        assert part in told


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(SettingsError, match=r"zzzzqqq: no such setting$"):
        load("mosi", ["zzzzqqq=1"])


def test_a_file_that_is_absent_or_not_toml_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file") as error:
        load(tmp_path / "none.toml")
    assert "mosi" in error.value.remedy
    (tmp_path / "bad.toml").write_text("[training\n")
    with pytest.raises(SettingsError, match="not TOML"):
        load(tmp_path / "bad.toml")


def test_the_window_can_read_settings_without_torch() -> None:
    code = "import sys, core.training.settings; assert not {'torch', 'transformers'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
