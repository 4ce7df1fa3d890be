"""What a run's model is worth on the run's own data: judged as the run read and cut it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.training import loop
from core.training.evaluate import evaluate
from core.training.finish import UNCALIBRATED
from core.training.settings import changed

from ...small_training import small_data, small_settings


def trained(folder: Path, data: Path, *overrides: str) -> dict:
    return loop.train(changed(small_settings(folder, epochs=2), overrides), data, folder / "run")


def test_the_test_part_of_the_runs_own_data_gives_the_reports_figures(tmp_path: Path) -> None:
    data = small_data(tmp_path)
    told = trained(tmp_path, data)["test"]["sources"]["test"]["metrics"]["multimodal"]["mae"]
    found = evaluate(tmp_path / "run", data)
    assert (found["split"], found["metrics"]["multimodal"]["mae"]) == ("test", told)


@pytest.mark.parametrize(
    ("split", "said"),
    [("train", "was trained on"), ("valid", "was chosen by"), ("calibration", "were made from")],
)
def test_rows_that_the_model_has_met_are_said_to_be_so(tmp_path: Path, split: str, said: str) -> None:
    data = small_data(tmp_path)
    trained(tmp_path, data)
    assert said in evaluate(tmp_path / "run", data, split)["notes"][0]


def test_data_without_parts_is_judged_by_the_part_that_the_run_kept_for_it(
    tiny_text_encoder: Path, tmp_path: Path
) -> None:
    lines = [f"it was a {word} film,{y}" for word, y in (("good", 2), ("bad", -2)) for _ in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["text,y", *lines]))
    report = trained(tmp_path, tmp_path / "t.csv", f"network.text_encoder={tiny_text_encoder}")
    found = evaluate(tmp_path / "run", tmp_path / "t.csv")
    assert (found["split"], found["rows"]) == ("test", report["rows"]["data"]["test"])
    (tmp_path / "other.csv").write_text("\n".join(["text,y", *lines[::-1]]))
    assert evaluate(tmp_path / "run", tmp_path / "other.csv")["rows"] == 120


def test_a_modality_that_the_run_left_out_is_left_out(tmp_path: Path) -> None:
    data = small_data(tmp_path)
    report = trained(tmp_path, data, 'data.modalities=["text", "visual"]')
    found = evaluate(tmp_path / "run", data)
    told = report["test"]["sources"]["test"]
    assert found["metrics"]["multimodal"]["mae"] == told["metrics"]["multimodal"]["mae"]
    assert found["coverage"] == told["coverage"]


def test_the_scheme_is_that_of_the_run(tmp_path: Path) -> None:
    data = small_data(tmp_path)
    trained(tmp_path, data, "data.scheme=sims")
    found = evaluate(tmp_path / "run", data)
    assert found["scheme"] == "sims"
    assert "acc3" in found["metrics"]["multimodal"]


def test_few_rows_with_one_label_each_calibrate_the_fusion_all_the_same(tmp_path: Path) -> None:
    report = trained(tmp_path, small_data(tmp_path))
    assert report["rows"]["data"]["calibration"] < 100
    assert "text+audio+visual" in report["calibration"]["multimodal"]
    assert UNCALIBRATED not in report["notes"]
