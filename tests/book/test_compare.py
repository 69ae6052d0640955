import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from a2a.book.claims import METADATA
from a2a.book.compare import compare, moved
from a2a.book.sides import read_side, run_claims


def check(what="residual", verdict="supported", notebook="02_small", measured="0.5", **more):
    about = {"assumptions": [], "models": [], "note": "", "effect": None, "interval": None, "margin": None}
    return {
        **about,
        "what": what,
        "verdict": verdict,
        "notebook": notebook,
        "measured": measured,
        "wanted": "< 1",
        **more,
    }


def claims(**by_id):
    """A claims.json: by claim, its verdict and its checks."""
    entries = [
        {"id": id, "says": "", "source": "", "verdict": verdict, "checks": made}
        for id, (verdict, *made) in by_id.items()
    ]
    return {"claims": entries}


@pytest.fixture
def compared(tmp_path):
    """What differs between two contents of claims.json."""

    def differences(old, new):
        files = tmp_path / "old.json", tmp_path / "new.json"
        for file, content in zip(files, (old, new), strict=True):
            file.write_text(json.dumps(content))
        return compare(*files)

    return differences


def run(cells, notebook="02_small", checks=()):
    """An executed notebook, as a run leaves it."""
    kept = [{"id": "A4", **{key: value for key, value in one.items() if key != "notebook"}} for one in checks]
    table = new_output("display_data", data={"text/plain": "table"}, metadata={METADATA: kept})
    metadata = {"papermill": {"input_path": f"/x/{notebook}.ipynb"}, "a2a": {"parameters": {}}}
    return new_notebook(cells=[*cells, new_code_cell("checks.table()", outputs=[table])], metadata=metadata)


def cell(source, *texts, tags=("nbval-check-output",)):
    outputs = [new_output("stream", name="stdout", text=text) for text in texts]
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def glue(name, data):
    kinds = {f"application/papermill.record/{kind}": value for kind, value in data.items()}
    output = new_output("display_data", data=kinds, metadata={"scrapbook": {"name": name}})
    return new_code_cell("glue()", outputs=[output])


@pytest.fixture
def written(tmp_path):
    def write(name, *cells, **more):
        nbformat.write(run(list(cells), **more), tmp_path / name)
        return tmp_path / name

    return write


def test_the_same_is_no_difference(compared):
    one = claims(A4=("supported", check(), check(notebook="03_other")))
    assert compared(one, copy.deepcopy(one)) == ""


def test_a_check_that_moved_to_another_chapter_is_the_same(compared):
    old = claims(A4=("supported", check(), check("rate", notebook="06_other", measured="0.50")))
    new = claims(A4=("supported", check(notebook="03_small"), check("rate", notebook="09_apart", measured="0.55")))
    assert compared(old, new) == "numbers that moved:\n  A4 rate (09_apart), measured: 0.50 → 0.55 (+10 %)"


def test_a_run_of_a_chapter_that_was_renumbered_is_compared_with_it(compared):
    old = claims(A4=("supported", check(), check("rate", notebook="03_other")))
    assert compared(old, claims(A4=("supported", check(notebook="05_small")))) == ""


def test_verdicts_come_first_then_checks_then_numbers(compared):
    old = claims(A4=("supported", check(), check("rate", measured="0.50"), check("gone")), A10=("supported",))
    new = claims(
        A4=("contradicted", check(verdict="contradicted"), check("rate", measured="0.55"), check("new")),
        A10=("not tested",),
        B1=("not tested",),
    )
    assert compared(old, new).splitlines() == [
        "verdicts that changed:",
        "  A4: supported → contradicted",
        "  A4 residual (02_small): supported → contradicted",
        "  A10: supported → not tested",
        "checks that appeared:",
        "  B1: not tested",
        "  A4 new (02_small): supported",
        "checks that vanished:",
        "  A4 gone (02_small): supported",
        "numbers that moved:",
        "  A4 rate (02_small), measured: 0.50 → 0.55 (+10 %)",
    ]


def test_what_a_check_that_is_not_applicable_didnt_measure_is_no_number(compared):
    old, new = (
        claims(A4=("supported", check())),
        claims(A4=("not applicable", check(verdict="not applicable", measured=""))),
    )
    assert "numbers" not in compared(old, new)


def test_checks_of_the_same_name_are_told_apart(compared):
    old = claims(A4=("supported", check(), check(measured="1")))
    new = claims(A4=("supported", check(), check(measured="2")))
    assert compared(old, new) == "numbers that moved:\n  A4 residual (02_small), measured: 1 → 2 (+1e+02 %)"


def test_a_run_is_compared_with_its_chapter_of_an_edition(compared):
    edition = claims(
        A4=("contradicted", check(), check(notebook="03_other", verdict="contradicted")), B1=("not tested",)
    )
    assert compared(edition, claims(A4=("supported", check()))) == ""
    assert compared(claims(A4=("supported", check())), edition) == ""


def test_the_verdict_of_a_claim_of_one_chapter_is_compared(compared):
    edition = claims(A4=("contradicted", check()), B1=("supported", check(notebook="03_other")))
    assert (
        compared(edition, claims(A4=("supported", check()))) == "verdicts that changed:\n  A4: contradicted → supported"
    )


def test_runs_of_different_chapters_are_not_compared(compared):
    with pytest.raises(ValueError, match=r"old\.json and .*new\.json have no chapter in common"):
        compared(claims(A4=("supported", check())), claims(A4=("supported", check(notebook="03_other"))))


def test_two_runs_differ_in_what_is_compared_printed_and_glued(written):
    old = written(
        "old.ipynb",
        cell("# a comment\nprint(x)", "x = 1.50, y = 2\n"),
        cell("time()", "3 s\n", tags=()),
        glue("share", {"text/plain": "'80 %'"}),
        glue("figure", {"text/plain": "<Figure 1>", "image/png": "abc"}),
        checks=[check()],
    )
    new = written(
        "new.ipynb",
        cell("# a comment\nprint(x)", "x = 1.53, y = 2\n"),
        cell("time()", "4 s\n", tags=()),
        glue("share", {"text/plain": "'84 %'"}),
        glue("figure", {"text/plain": "<Figure 2>", "image/png": "xyz"}),
        checks=[check(verdict="undecided")],
    )
    assert compare(old, new).splitlines() == [
        "verdicts that changed:",
        "  A4: supported → undecided",
        "  A4 residual (02_small): supported → undecided",
        "numbers that moved:",
        "  glued share: 80 → 84 (+5 %)",
        "  # a comment: 1.50 → 1.53 (+2 %)",
    ]


def test_equal_cells_are_matched_in_order_and_one_that_is_gone_is_told(written):
    old = written("old.ipynb", cell("print(x)", "1\n"), cell("print(x)", "2\n"), cell("print(y)", "3\n"))
    new = written("new.ipynb", cell("print(x)", "1\n"), cell("print(x)", "4\n"))
    assert compare(old, new).splitlines()[1:] == ["  print(x): 2 → 4 (+1e+02 %)", "  print(y): 3 → nothing"]


def test_a_check_that_is_shown_is_not_a_printed_text_as_well(written):
    def shown(text):
        data = {"text/plain": text, "text/html": f'<p class="a2a-check">{text}</p>'}
        return new_code_cell(
            "add()", outputs=[new_output("display_data", data=data)], metadata={"tags": ["nbval-check-output"]}
        )

    assert compare(written("old.ipynb", shown("A4 1")), written("new.ipynb", shown("A4 2"))) == ""


def test_a_cell_that_failed_differs(written):
    error = new_output("error", ename="ValueError", evalue="no", traceback=[])
    failed = new_code_cell("print(x)", outputs=[error], metadata={"tags": ["nbval-check-output"]})
    told = compare(written("old.ipynb", cell("print(x)", "1\n")), written("new.ipynb", failed))
    assert told == "numbers that moved:\n  print(x): 1 → ValueError: no"


def test_a_run_is_compared_with_the_folder_of_an_edition(written, tmp_path):
    edition = tmp_path / "edition" / "_build" / "html"
    edition.mkdir(parents=True)
    content = claims(A4=("supported", check(verdict="undecided"), check(notebook="03_other")))
    (edition / "claims.json").write_text(json.dumps(content))
    told = "verdicts that changed:\n  A4 residual (02_small): undecided → supported"
    for folder in (edition, tmp_path / "edition"):
        assert compare(folder, written("run.ipynb", checks=[check()])) == told


def test_the_claims_of_a_run_name_its_notebook(written):
    (claim,) = run_claims(written("whatever.ipynb", checks=[check()]))["claims"]
    assert (claim["id"], claim["verdict"], claim["checks"][0]["notebook"]) == ("A4", "supported", "02_small")


def test_what_was_written_beside_a_run_is_the_same_as_the_run(written, tmp_path):
    run = written("run.ipynb", checks=[check()])
    (tmp_path / "run.claims.json").write_text(json.dumps(run_claims(run)))
    assert compare(run, tmp_path / "run.claims.json") == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"bad\.json is no claims\.json: JSONDecodeError"),
        ("[]", r"bad\.json is no claims\.json: TypeError"),
        ("{}", r"bad\.json is no claims\.json: KeyError: 'claims'"),
        ('{"claims": [{"id": "A1"}]}', r"bad\.json is no claims\.json: KeyError: 'checks'"),
        ('{"claims": [{"id": "A1", "verdict": "", "checks": [3]}]}', r"bad\.json is no claims\.json: TypeError"),
    ],
)
def test_what_is_no_claims_file(tmp_path, content, message):
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        read_side(tmp_path / "bad.json")


def test_what_is_no_run_and_no_edition(tmp_path):
    nbformat.write(new_notebook(), tmp_path / "plain.ipynb")
    with pytest.raises(ValueError, match=r"plain\.ipynb isn't an executed notebook of this book"):
        read_side(tmp_path / "plain.ipynb")
    with pytest.raises(
        ValueError, match=r"is no folder of an edition: it has neither claims\.json nor _build/html/claims"
    ):
        read_side(tmp_path)
    with pytest.raises(ValueError, match=r"there is no .*none\.json"):
        read_side(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        ("same 1.5", "same 1.5", []),
        ("", "", []),
        ("2,000 pairs", "2,500 pairs", ["2,000 → 2,500 (+25 %)"]),
        ("< 1e-13", "< 1e-11", ["1e-13 → 1e-11 (+9.9e+03 %)"]),
        ("0 of 5", "1 of 4", ["0 → 1", "5 → 4 (-20 %)"]),
        ("-2.0", "-1.0", ["-2.0 → -1.0 (+50 %)"]),
        ("A4 holds", "A5 holds", ["A4 holds → A5 holds"]),
        ("one\ntwo", "one", ["two → nothing"]),
        ("nan", "1", ["nan → 1"]),
    ],
)
def test_what_moved(old, new, differences):
    assert list(moved(old, new)) == differences
