"""What a run will take: calls, tokens, dollars and minutes, from recorded counts."""

import numpy as np
import pytest

from a2a.book.forecast import Expected, expected, forecast_table, forecast_words
from a2a.chat import ChatAgent, ChatClient, Prices, Transcripts
from a2a.chat.forecast import Stage, forecast, tokens_of_a_call
from a2a.chat.lineup import LineUp, line_up

STAGES = [Stage("one", 1), Stage("many", 3, 12), Stage("turns", 20, 4)]
ONE = Expected(700.0, 1000.0, 6.0, "as assumed")


def test_calls_tokens_and_minutes():
    found = forecast(STAGES, 8, read=700, written=1000, seconds=6)
    assert (found.calls, found.read, found.written) == (117, 117 * 700, 117 * 1000)
    assert found.minutes == pytest.approx((1 + 3 * 2 + 20) * 6 / 60), "twelve at once are two rounds of eight"


def test_more_calls_at_once_are_fewer_minutes_and_no_fewer_calls():
    slow, fast = (forecast(STAGES, at_once, read=1, written=1, seconds=60) for at_once in (1, 64))
    assert slow.minutes == slow.calls == fast.calls == 117 and fast.minutes == 24


@pytest.mark.parametrize("prices", [Prices(0.0, 0.0), Prices(1.0, 0.0), Prices(0.0, 1.0)])
def test_without_both_prices_the_cost_is_unknown_and_never_nothing(prices):
    assert forecast(STAGES, 8, read=700, written=1000, seconds=6).dollars(prices) is None
    assert "unknown" in forecast_words(STAGES, 8, ONE, prices)
    assert {row[4] for row in forecast_table(STAGES, 8, ONE, prices).rows} == {"unknown"}


def test_with_prices_it_is_their_sum():
    found = forecast(STAGES, 8, read=700, written=1000, seconds=6)
    assert found.dollars(Prices(2.0, 8.0)) == pytest.approx(117 * (700 * 2 + 1000 * 8) / 1e6)
    assert "1.10 US dollars" in forecast_words(STAGES, 8, ONE, Prices(2.0, 8.0))


def test_the_table_has_a_row_a_stage_and_their_sum():
    rows = forecast_table(STAGES, 8, ONE, Prices(2.0, 8.0)).rows
    assert [row[0] for row in rows] == ["one", "many", "turns", "all"] and [row[1] for row in rows][-1] == "117"


def recorded(where, url, prompt, name):
    kept = Transcripts(where / "kept.jsonl")
    ChatAgent(ChatClient(url, transcripts=kept, mode="record"), prompt, 0.5, model=name)(np.zeros((3, 3)) + 0.1)
    return kept


def test_tokens_are_the_means_of_a_recording(tmp_path, base_url, prompt):
    kept = recorded(tmp_path, base_url, prompt, "gradient")
    read, written = tokens_of_a_call(kept)
    assert kept.used.replies == 3 and (3 * read, 3 * written) == (kept.used.prompt_tokens, kept.used.completion_tokens)
    again = tokens_of_a_call(Transcripts(kept.path))
    assert again == (read, written)


def test_an_empty_recording_tells_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"empty\.jsonl holds no reply"):
        tokens_of_a_call(Transcripts(tmp_path / "empty.jsonl"))


def test_until_another_model_is_recorded_our_language_model_says_what_is_read():
    cast = line_up(3, mode="replay")
    one = expected(cast, 1234, 5.0)
    assert one.read == tokens_of_a_call(cast.recorded["smollm2"])[0] and one.written == 1234
    assert "smollm2" in one.source and "assumed" in one.source


def test_a_recorded_model_says_what_it_writes(tmp_path, base_url, prompt, hosts):
    from a2a.chat.offline import gradient

    hosts(gradient)
    kept = recorded(tmp_path, base_url, prompt, "toy")
    cast = LineUp(["gpt-5-mini"], [], {"gpt-5-mini": kept}, "replay", "", tmp_path)
    one = expected(cast, 1234, 5.0)
    assert (one.read, one.written) == tokens_of_a_call(kept) and one.source == "as recorded of gpt-5-mini"
