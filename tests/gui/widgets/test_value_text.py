"""Values as typed text: what is written is read back exactly."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gui.widgets.value_text import list_of, list_text, number_text, table_of, table_text

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.one_of(st.integers(), st.floats(allow_nan=False)))
@example(1115240)
def test_a_number_is_the_same_number_again(number: float) -> None:
    assert type(number)(number_text(number)) == number


def test_small_rates_and_whole_numbers_are_short() -> None:
    assert [number_text(n) for n in (1e-4, 5e-5, 3.0, 0.1, 2**31)] == [
        "0.0001",
        "5e-05",
        "3",
        "0.1",
        "2147483648",
    ]


@given(st.lists(words))
def test_a_list_of_any_words_survives(items: list[str]) -> None:
    assert list_of(list_text(items)) == items


@given(st.dictionaries(words, st.lists(words)))
def test_a_table_of_lists_survives(table: dict[str, list[str]]) -> None:
    assert table_of(table_text(table), lists=True) == table


@given(st.dictionaries(words, st.floats(allow_nan=False)))
def test_a_table_of_numbers_survives(table: dict[str, float]) -> None:
    assert {k: float(v) for k, v in table_of(table_text(table), lists=False).items()} == table


def test_spaces_and_a_last_comma_mean_nothing() -> None:
    assert list_of("  1111 ,1112,  ") == ["1111", "1112"]


@pytest.mark.parametrize("text", ["a = b", '"a" b', '"a'])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quote"):
        list_of(text)


@pytest.mark.parametrize("text", ["a", "a: 1", "a ="])
def test_what_is_no_table_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="="):
        table_of(text, lists=False)
