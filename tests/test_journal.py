import gzip
import json
import multiprocessing
import os
import random
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.journal import Journal, JournalError

OPENING = b'{"n": '


def lines_of(*numbers):
    return b"".join(json.dumps({"n": n, "text": "t" * n}).encode() + b"\n" for n in numbers)


def blocks(*numbers):
    return [{"n": n, "text": "t" * n} for n in numbers]


def journal(file):
    return Journal(file, OPENING)


def numbers(kept):
    read = []
    kept.read(lambda record: read.append(record["n"]))
    return read


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "j.jsonl"


def test_a_file_that_is_not_there_holds_nothing(file):
    assert numbers(journal(file)) == []
    assert not file.parent.exists()


def test_what_is_appended_is_read_once(file):
    kept = journal(file)
    kept.append(blocks(1, 2))
    assert file.read_bytes() == lines_of(1, 2)
    assert numbers(kept) == [1, 2] and numbers(kept) == []
    kept.append(blocks(3))
    assert numbers(kept) == [3] and numbers(journal(file)) == [1, 2, 3]


def test_one_reads_what_another_appends(file):
    writer, reader = journal(file), journal(file)
    for n in range(4):
        writer.append(blocks(n))
        assert numbers(reader) == [n]


def test_hostile_text_is_one_line(file):
    said = "a\u2028b\x00c\r\nd\ud800\u0085"
    journal(file).append([{"n": 1, "text": said}])
    read = []
    journal(file).read(read.append)
    assert read[0]["text"] == said and file.read_bytes().count(b"\n") == 1


@given(cut=st.integers(0, 200), reader_first=st.booleans())
def test_cut_anywhere_it_keeps_its_whole_records_and_goes_on(tmp_path_factory, cut, reader_first):
    file, content = tmp_path_factory.mktemp("cut") / "j.jsonl", lines_of(*range(7))
    cut = min(cut, len(content))
    file.write_bytes(content[:cut])
    left = [n for n in range(7) if len(lines_of(*range(n + 1))) - 1 <= cut]
    kept = journal(file)
    if reader_first:
        assert numbers(kept) == left
    kept.append(blocks(9))
    assert numbers(kept) == ([9] if reader_first else [*left, 9])
    assert file.read_bytes() == lines_of(*left, 9)


def test_a_record_that_another_s_line_feed_completes_is_read_once(file):
    reader, writer = journal(file), journal(file)
    writer.append(blocks(1))
    file.write_bytes(lines_of(1, 2)[:-1])
    assert numbers(reader) == [1, 2]
    writer.append(blocks(3))
    assert numbers(reader) == [3]


@pytest.mark.parametrize("foreign", [b"a letter to my aunt", b'{"a": "diary', b"[1, 2", b"{'n': 1}", b"3"])
def test_nothing_that_is_not_its_own_is_removed(file, foreign):
    file.parent.mkdir()
    for content in (foreign, lines_of(1) + foreign):
        file.write_bytes(content)
        with pytest.raises(JournalError, match=r"j\.jsonl, line"):
            numbers(journal(file))
        with pytest.raises(JournalError, match=r"isn't a record; nothing was changed"):
            journal(file).append(blocks(2))
        assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"<<<<<<< HEAD", "line 2: this isn't JSON"),
        (b"", "line 2: this isn't JSON"),
        (b"null", "line 2: a record is a JSON object, not NoneType"),
        (b"[1]", "line 2: a record is a JSON object, not list"),
        (b'{"m": 1}', "line 2: 'n' is missing"),
        (b"\xff", "line 2: this isn't JSON"),
        (b"[" * 100_000, "line 2: .*recursion"),
    ],
)
def test_a_line_that_is_no_record_is_named_every_time(file, line, says):
    kept = journal(file)
    kept.append(blocks(1))
    with file.open("ab") as out:
        out.write(line + b"\n" + lines_of(2))
    for _ in range(2):
        with pytest.raises(JournalError, match=says):
            numbers(kept)


def test_errors_are_of_the_kind_that_was_asked_for(file):
    class Spoilt(JournalError):
        pass

    file.parent.mkdir()
    file.write_bytes(b"no\n")
    with pytest.raises(Spoilt):
        Journal(file, OPENING, Spoilt).read(print)


def test_a_packed_journal_is_read_and_not_written(file, tmp_path):
    packed = tmp_path / "j.jsonl.gz"
    packed.write_bytes(gzip.compress(lines_of(1, 2)))
    kept = journal(packed)
    assert numbers(kept) == [1, 2] and numbers(kept) == []
    with pytest.raises(JournalError, match="compressed, for replay only"):
        kept.append(blocks(3))


@pytest.mark.parametrize("spoil", [lambda packed: packed[:20], lambda packed: b"no gzip"])
def test_a_spoilt_packed_journal_is_named(tmp_path, spoil):
    (tmp_path / "j.jsonl.gz").write_bytes(spoil(gzip.compress(lines_of(*range(20)))))
    with pytest.raises(JournalError, match=r"j\.jsonl\.gz can't be decompressed"):
        numbers(journal(tmp_path / "j.jsonl.gz"))


def test_who_holds_it_alone_keeps_others_out(file):
    kept = journal(file)
    with kept.alone():
        kept.append(blocks(1))
        with pytest.raises(JournalError, match=r"another process writes to j\.jsonl"), journal(file).alone():
            pass
        waiting = threading.Thread(target=journal(file).append, args=(blocks(2),))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive() and file.read_bytes() == lines_of(1)
    waiting.join()
    kept.append(blocks(3))
    assert numbers(kept) == [1, 2, 3]


def test_a_block_that_is_no_json_changes_nothing(file):
    journal(file).append(blocks(1))
    for wrong in (float("nan"), {1, 2}):
        with pytest.raises((ValueError, TypeError)):
            journal(file).append([{"n": 2}, {"n": wrong}])
    assert file.read_bytes() == lines_of(1)


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_can_be_written_to_is_not_touched(file, tmp_path):
    journal(file).require_writable()
    assert everything(tmp_path) == []
    journal(file).append(blocks(1))
    journal(file).require_writable()
    assert everything(tmp_path) == ["folder", "folder/j.jsonl"] and file.read_bytes() == lines_of(1)


def test_what_cannot_be_written_to_is_known_before(file, tmp_path):
    (tmp_path / "folder").write_text("no folder")
    with pytest.raises(OSError, match=r"can't be written to: .*folder/j\.jsonl"):
        journal(file).require_writable()
    with pytest.raises(OSError, match=r"can't be written to: .*j\.jsonl"):
        journal("/proc/j.jsonl").require_writable()
    with pytest.raises(JournalError, match="compressed"):
        journal(tmp_path / "j.jsonl.gz").require_writable()
    for make in (os.mkdir, os.mkfifo):
        make(tmp_path / make.__name__)
        with pytest.raises(JournalError, match="isn't a file"):
            journal(tmp_path / make.__name__).require_writable()


@pytest.mark.parametrize("written", [0, 10])
def test_a_full_disk_leaves_the_file_as_it_was(file, monkeypatch, written):
    kept, write = journal(file), os.write
    kept.append(blocks(1))
    monkeypatch.setattr(os, "write", lambda descriptor, block: write(descriptor, block[:written]))
    with pytest.raises(OSError, match="only a part of"):
        kept.append(blocks(2, 3))
    monkeypatch.undo()
    assert file.read_bytes() == lines_of(1)
    kept.append(blocks(4))
    assert numbers(kept) == [1, 4]


def test_what_was_not_synchronised_is_not_kept(file, monkeypatch):
    kept = journal(file)
    kept.append(blocks(1))

    def broken(descriptor):
        raise OSError(5, "input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="input/output"):
        kept.append(blocks(2))
    assert file.read_bytes() == lines_of(1)


def append_for_ever(file, start):
    kept = journal(file)
    for n in range(start, start + 10**6):
        kept.append([{"n": n, "text": "t" * 3000}] * 3)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_two_writers_that_are_killed_leave_whole_records(file):
    moments, fork = random.Random(3), multiprocessing.get_context("fork")
    for kill in range(10):
        writers = [fork.Process(target=append_for_ever, args=(file, 10**7 * (2 * kill + i))) for i in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(moments.uniform(0.01, 0.04))
        for writer in writers:
            writer.kill()
            writer.join()
    kept = journal(file)
    kept.append(blocks(5))
    *read, last = numbers(kept)
    assert last == 5 and len(read) > 10
    for writer in {n // 10**7 for n in read}:
        of_one = [n for n in read if n // 10**7 == writer]
        assert of_one == sorted(of_one) and set(of_one) == set(range(of_one[0], of_one[-1] + 1))
