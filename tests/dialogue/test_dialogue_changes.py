import pytest

from a2a.dialogue import Seed, Study, recorded
from a2a.dialogue.changes import KINDS, Change, by_letter, change_of, changes_of
from a2a.dialogue.interventions import INTERVENTIONS
from a2a.models import Sampling
from a2a.models.recorded import RecordedModel
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


def test_every_new_model_has_a_letter_of_its_own():
    more = [ScriptedModel(lambda text, seed: text, str(i)) for i in range(3)]
    letters = by_letter([study(one, A) for one in more], MAIN)
    assert "".join(letters) == "ABCDE" and list(letters.values()) == [A, B, *more]


def test_models_are_known_by_what_they_say_of_themselves():
    """A model read from a record is the one that wrote it."""
    recorded = study(RecordedModel(B.describe()), RecordedModel(A.describe()))
    assert list(by_letter([recorded], MAIN)) == ["A", "B"]
    assert change_of(recorded, MAIN, by_letter([recorded], MAIN)) == Change("models", "B × A")


def test_the_books_studies_change_one_thing_each():
    told = {name: recorded(name).study for name in ("main", "hot", "tokens_25", "history_all", "larger", "novelty")}
    assert [change.what for change in changes_of(told).values()] == [
        "A × B",
        "T 1.0, top-p 0.99",
        "25 tokens",
        "all texts",
        "A × C",
        "novelty",
    ]
