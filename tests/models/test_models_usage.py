import pytest

from a2a.models.errors import BudgetExhausted
from a2a.models.usage import Budget, Prices, Usage, token_counts


def test_replies_and_their_tokens_are_counted():
    usage = Usage()
    for counts in ({"prompt_tokens": 3, "completion_tokens": 4}, {"prompt_tokens": 5}, None, {}):
        usage.add(counts)
    assert (usage.replies, usage.prompt_tokens, usage.completion_tokens, usage.tokens) == (4, 8, 4, 12)


def test_cost():
    usage = Usage(prompt_tokens=2_000_000, completion_tokens=500_000)
    assert usage.cost(Prices(prompt=0.25, completion=2.0)) == pytest.approx(1.5)
    assert usage.cost(None) is None


@pytest.mark.parametrize(
    ("budget", "used", "says"),
    [
        (Budget(calls=3), Usage(calls=3), "3 calls"),
        (Budget(tokens=10), Usage(prompt_tokens=8, completion_tokens=3), "10 tokens is used up .11 used."),
        (Budget(calls=0), Usage(), "0 calls"),
    ],
)
def test_a_budget_that_is_used_up(budget, used, says):
    with pytest.raises(BudgetExhausted, match=says):
        budget.check(used)


PRICES = Prices(prompt=2.0, completion=8.0)


@pytest.mark.parametrize(("before", "read"), [(0.0, 500_000), (0.6, 200_000), (1.0, 0)])
def test_a_budget_in_dollars_counts_what_was_spent_before(before, read):
    budget = Budget(dollars=1.0, prices=PRICES, before=before)
    budget.check(Usage(prompt_tokens=max(read - 1, 0))) if read else None
    with pytest.raises(BudgetExhausted, match=r"1 US dollars is used up \(1\.00 spent\)"):
        budget.check(Usage(prompt_tokens=read))


@pytest.mark.parametrize("prices", [None, Prices(0.0, 0.0), Prices(1.0, 0.0), Prices(0.0, 1.0)])
def test_a_budget_in_dollars_needs_both_prices(prices):
    with pytest.raises(ValueError, match="a budget of 5 US dollars needs both prices"):
        Budget(dollars=5.0, prices=prices)


def test_a_budget_that_is_not():
    Budget().check(Usage(calls=10**9, prompt_tokens=10**9))
    Budget(calls=3, tokens=10).check(Usage(calls=2, prompt_tokens=9))


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        ({}, {}),
        ({"usage": None}, {}),
        ({"usage": "many"}, {}),
        ({"usage": {"prompt_tokens": 3, "completion_tokens": "4", "total_tokens": 7}}, {"prompt_tokens": 3}),
        ({"usage": {"prompt_tokens": True, "completion_tokens_details": []}}, {}),
        ({"usage": {"completion_tokens_details": {"reasoning_tokens": 2}}}, {"reasoning_tokens": 2}),
    ],
)
def test_token_counts_of_an_answer(answer, counts):
    assert token_counts(answer) == counts
