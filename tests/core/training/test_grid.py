"""Queues of many runs: what is varied, times seeds."""

from __future__ import annotations

import pytest

from core.errors import SettingsError
from core.training.comparison import group_key
from core.training.grid import LABEL_BYTES, MOST_RUNS, expand
from core.training.settings import load

QUICK = load("quick")


def test_every_value_meets_every_seed_and_the_name_tells_both() -> None:
    runs = expand(QUICK, ["alignment.weight = 0, 0.1"], (1111, 1112))
    assert [run.label for run in runs] == [
        "alignment.weight=0-seed=1111",
        "alignment.weight=0-seed=1112",
        "alignment.weight=0.1-seed=1111",
        "alignment.weight=0.1-seed=1112",
    ]
    made = [(run.settings.alignment.weight, run.settings.training.seed) for run in runs]
    assert made == [(0, 1111), (0, 1112), (0.1, 1111), (0.1, 1112)]


def test_several_settings_give_every_combination() -> None:
    runs = expand(QUICK, ["alignment.weight=0,1", "network.fusion=concatenation,attention,graph"])
    assert len({(run.settings.alignment.weight, run.settings.network.fusion) for run in runs}) == 6
    assert runs[1].label == "alignment.weight=0-network.fusion=attention"
    assert {run.settings.training.seed for run in runs} == {QUICK.training.seed}


def test_nothing_varied_and_one_seed_are_the_settings_themselves() -> None:
    (run,) = expand(QUICK)
    assert (run.label, run.settings) == ("", QUICK)
    assert [run.label for run in expand(QUICK, seeds=(1, 2, 1))] == ["seed=1", "seed=2"]


def test_runs_of_one_value_are_one_group_of_a_comparison() -> None:
    runs = expand(QUICK, ["alignment.weight=0,0.1,1"], (1, 2, 3, 4, 5))
    groups = {group_key(_dotted(run.settings.model_dump(mode="json")), "data") for run in runs}
    assert (len(runs), len(groups)) == (15, 3)


def _dotted(tree: dict[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in tree.items():
        found |= _dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


@pytest.mark.parametrize(
    ("vary", "told"),
    [
        (["alignment.wieght=0,1"], "alignment.wieght: no such setting; did you mean alignment.weight?"),
        (["weight=0,1"], "weight: no such setting"),
        (["alignment=0,1"], "alignment: no such setting"),
        (["alignment.weight=0:1"], "only a search takes ranges"),
        (["alignment.weight=0.1:1:log"], "only a search takes ranges"),
        (["alignment.weight=1"], "one value is no choice"),
        (["alignment.weight"], "expected key = a, b, c"),
        (["=0,1"], "expected key = a, b, c"),
        (["alignment.weight=0,-1"], "alignment.weight = -1: Input should be greater than or equal to 0"),
        (["network.fusion=graph,tree"], "network.fusion = tree: Input should be 'concatenation'"),
        (["alignment.weight=0.1,0.10,1"], "alignment.weight: 0.10 is 0.1"),
        (["alignment.weight=0,1", "alignment.weight=2,3"], "alignment.weight is varied twice"),
        (["training.seed=1,2"], "seeds are not named here"),
    ],
)
def test_what_cannot_be_varied_is_explained(vary: list[str], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        expand(QUICK, vary)
    assert told in refused.value.message


def test_all_problems_are_told_together() -> None:
    with pytest.raises(SettingsError, match=r"expected key.*did you mean training\.epochs"):
        expand(QUICK, ["nothing", "training.epoch=1,2"])


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"training\.seed"):
        expand(QUICK, seeds=(-1,))


def test_more_runs_than_anybody_wants_are_refused() -> None:
    values = ",".join(str(number) for number in range(1, MOST_RUNS // 5 + 2))
    with pytest.raises(SettingsError, match="505 runs are too many: at most 500"):
        expand(QUICK, [f"training.epochs={values}"], range(5))


def test_values_that_are_no_part_of_a_folders_name_are_written_differently() -> None:
    first, second = expand(QUICK, ['network.text_encoder="", models/bert: a *'])
    assert first.label == "network.text_encoder=empty"
    assert second.label == "network.text_encoder=models_bert_a"
    devices = expand(QUICK, ["training.device=cuda:0,cuda:1"])
    assert [run.label for run in devices] == ["training.device=cuda_0", "training.device=cuda_1"]


def test_names_that_would_be_one_folder_or_too_long_get_a_number() -> None:
    alike = expand(QUICK, ["network.text_encoder=a/B, a_b"])
    assert [run.label[:2] for run in alike] == ["1-", "2-"]
    long = expand(QUICK, [f"network.text_encoder={'ä' * 90}, b"])
    assert max(len(run.label.encode()) for run in long) <= LABEL_BYTES + 4
