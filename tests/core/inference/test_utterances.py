"""Speech into utterances: nothing twice, nothing lost, nothing endless."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.features.extract import LEAST_VOICE
from core.inference.utterances import LONGEST, PAUSE, Utterances

lengths = st.lists(st.tuples(st.floats(0.05, 2.0), st.floats(0.3, 12.0)), max_size=12)


def test_an_utterance_ends_with_a_pause_and_is_given_out_once() -> None:
    cutter = Utterances()
    speech = [(1.0, 2.0), (2.2, 3.0)]
    assert cutter.ended(speech, 3.0 + PAUSE - 0.1) == []
    (utterance,) = cutter.ended(speech, 3.0 + PAUSE + 0.01)
    assert (utterance.number, utterance.start, utterance.end) == (1, 1.0, 3.0)
    assert cutter.ended(speech, 9.0) == []
    assert cutter.going_on(speech) is None


def test_one_that_goes_on_is_known_before_it_ends() -> None:
    cutter = Utterances()
    going = cutter.going_on([(1.0, 2.0)])
    assert going is not None
    assert (going.number, going.end) == (1, 2.0)


def test_a_click_is_no_utterance() -> None:
    assert Utterances().ended([(1.0, 1.0 + LEAST_VOICE / 2)], 5.0) == []


def test_what_is_left_when_a_stream_ends_is_an_utterance() -> None:
    (utterance,) = Utterances().ended([(1.0, 2.0)], 2.0, last=True)
    assert utterance.end == 2.0


def test_one_without_end_is_cut_at_its_widest_gap() -> None:
    speech = [(0.0, 8.0), (8.4, 15.0), (15.2, LONGEST + 1)]
    (utterance,) = Utterances().ended(speech, LONGEST + 1)
    assert utterance.speech == ((0.0, 8.0),)


@given(lengths)
def test_all_speech_is_in_exactly_one_utterance(parts: list[tuple[float, float]]) -> None:
    speech, time = [], 0.0
    for gap, length in parts:
        speech.append((time + gap, time + gap + length))
        time += gap + length
    cutter, found = Utterances(), []
    for now in [0.5 * n for n in range(int(2 * time) + 4)]:
        heard = [(start, min(end, now)) for start, end in speech if start < now]
        found += cutter.ended(heard, now)
    found += cutter.ended(speech, time + 2, last=True)
    assert [u.number for u in found] == list(range(1, len(found) + 1))
    told = sum(end - start for u in found for start, end in u.speech)
    whole = sum(end - start for start, end in speech)
    assert abs(told - whole) <= LEAST_VOICE * (len(speech) + 1)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))
