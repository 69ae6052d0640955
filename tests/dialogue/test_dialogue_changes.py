import pytest

from a2a.dialogue import Seed, Study
from a2a.dialogue.changes import KINDS, Change, by_letter, change_of, changes_of
from a2a.dialogue.interventions import INTERVENTIONS
from a2a.models import Sampling
from a2a.models.scripted import ScriptedModel

A, B, C = (ScriptedModel(lambda text, seed: text, name) for name in ("one", "two", "three"))


def study(first=A, second=B, **settings):
    return Study("s", first, second, [Seed("s-01", "s", "One.")], **settings)


MAIN = study()


def test_letters_follow_the_main_study():
    letters = by_letter([study(C, A), study(B, A)], MAIN)
    assert letters == {"A": A, "B": B, "C": C}


@pytest.mark.parametrize(
    ("other", "change"),
    [
        (study(), Change("", "A × B")),
        (study(B, A), Change("models", "B × A")),
        (study(A, C, history="all"), Change("models", "A × C")),
        (study(history="all"), Change("history", "all texts")),
        (study(history=3), Change("history", "last 3 texts")),
        (study(intervention=INTERVENTIONS["top-k"]), Change("intervention", "top-k")),
        (study(sampling=Sampling(max_new_tokens=25)), Change("token limit", "25 tokens")),
        (study(sampling=Sampling(temperature=1.0, top_p=0.99)), Change("sampling", "T 1.0, top-p 0.99")),
    ],
)
def test_a_change_in_words(other, change):
    assert change_of(other, MAIN, {"A": A, "B": B, "C": C}) == change


def test_changes_are_ordered_by_kind():
    found = changes_of({"self": study(A, A), "main": MAIN, "long": study(history=3)})
    assert list(found) == ["main", "long", "self"]
    assert [KINDS.index(change.kind) for change in found.values()] == sorted(
        KINDS.index(change.kind) for change in found.values()
    )
