import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.sealed import digest, sealed, unsealed

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.text().filter(lambda name: name != "digest")
records = st.dictionaries(names, values, min_size=1, max_size=4)


@given(records)
def test_a_record_comes_back_as_it_was(record):
    line = sealed(record)
    assert b"\n" not in line and line.isascii() and unsealed(line) == record


@given(records, st.data())
def test_any_changed_byte_is_noticed(record, data):
    line = sealed(record)
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    with pytest.raises((ValueError, TypeError)):
        unsealed(line[:at] + bytes([other]) + line[at + 1 :])


@given(records, st.data())
def test_any_part_of_a_line_is_none(record, data):
    line = sealed(record)
    with pytest.raises((ValueError, TypeError)):
        unsealed(line[: data.draw(st.integers(0, len(line) - 1))])


def test_a_text_that_looks_like_a_digest_is_a_text():
    record = {"text": '", "digest": "' + "0" * 32, "digests": "x"}
    assert unsealed(sealed(record)) == record


@pytest.mark.parametrize("line", [b"{}", b'{"n": 1}', b'{"digest": "0"}', b'{"n": {"a": 1, "digest": "0"}}'])
def test_a_record_without_a_digest_is_told_from_an_edited_one(line):
    with pytest.raises(ValueError, match="has no digest"):
        unsealed(line)


def test_the_digest_is_the_same_everywhere_and_takes_any_order_of_names():
    assert digest({"a": [1, "\ud800"], "b": None}) == digest({"b": None, "a": [1, "\ud800"]})
    assert digest(["m", "text", {}, 0]) == "31e8410aa7c090038c774f395e519729"
