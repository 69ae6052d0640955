"""The report on a book with newer libraries, where another book is made by a Makefile that only copies runs."""

import nbformat
import newer
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from a2a.book.claims import METADATA

MAKEFILE = (
    ".PHONY: book\nbook:\n\t@echo 'pins: $(PINS), options: $(ARGS)' > made_with\n\tcp -r ../../others/. .\n\t$(END)\n"
)


def run(name, verdict="supported", printed="1.0", numpy="2.4", failed=False):
    """What a run of a chapter leaves; a failed one ends with an error."""
    check = {"id": "T1", "what": "a size", "verdict": verdict, "measured": "1", "wanted": "1", "models": []}
    outputs = [new_output("display_data", data={"text/plain": "table"}, metadata={METADATA: [check]})]
    if failed:
        outputs = [new_output("error", ename="ValueError", evalue="no such\noption", traceback=[])]
    shown = new_code_cell("print(size)", outputs=[new_output("stream", name="stdout", text=printed)])
    shown.metadata["tags"] = ["nbval-check-output"]
    about = {
        "papermill": {"input_path": f"/x/{name}.ipynb"},
        "a2a": {"parameters": {}, "libraries": {"numpy": numpy}},
    }
    return new_notebook(cells=[shown, new_code_cell("checks.table()", outputs=outputs)], metadata=about)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A built book of four chapters, and in others/ what newer libraries would make of it."""
    for name in ("01_same", "02_number", "03_verdict", "04_failed"):
        write(tmp_path / f"notebooks/{name}.py", "")
        write(tmp_path / f"notebooks/{name}.ipynb", nbformat.writes(run(name)))
    write(tmp_path / "_build/variants/01_same--wide.ipynb", nbformat.writes(run("01_same")))
    write(tmp_path / "Makefile", MAKEFILE)
    write(tmp_path / "_toc.yml", "")
    write(tmp_path / "book/claims.yml", "T1: {source: ours, says: A size is right.}")
    others = tmp_path / "others"
    write(others / "notebooks/01_same.ipynb", nbformat.writes(run("01_same", numpy="2.5")))
    write(others / "notebooks/02_number.ipynb", nbformat.writes(run("02_number", printed="1.5", numpy="2.5")))
    write(others / "notebooks/03_verdict.ipynb", nbformat.writes(run("03_verdict", "contradicted", numpy="2.5")))
    write(others / "_build/running/04_failed.ipynb", nbformat.writes(run("04_failed", failed=True)))
    write(others / "_build/variants/01_same--wide.ipynb", nbformat.writes(run("01_same", printed="2.0", numpy="2.5")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_it_is_built_without_pins_and_beside_the_book(root):
    newer.main(root)
    assert (root / "_build/newer/made_with").read_text() == "pins: , options: --keep-going\n"
    assert not (root / "_build/newer/notebooks/04_failed.ipynb").exists()


def test_pages_are_reported_by_what_changes_most(root):
    assert newer.main(root) == 1
    parts = (root / "_build/newer/report.md").read_text().split("## ")
    assert parts[0].startswith("# 4 of 5 pages change") and "numpy 2.4 → 2.5" in parts[0]
    assert [part.split("\n")[0] for part in parts[1:]] == ["04_failed", "03_verdict", "01_same--wide", "02_number"]
    assert "failed: ValueError: no such option" in parts[1]
    assert "supported → contradicted" in parts[2]
    assert "1.0 → 1.5 (+50 %)" in parts[4]


def test_a_page_that_was_never_run_is_reported(root):
    (root / "others/_build/running/04_failed.ipynb").unlink()
    newer.main(root)
    assert "failed: it wasn't run to its end" in (root / "_build/newer/report.md").read_text()


def test_a_book_that_stays_as_it_is(root):
    for file in (root / "others/notebooks").glob("*"):
        file.unlink()
    for file in root.glob("notebooks/*.ipynb"):
        write(root / "others/notebooks" / file.name, file.read_text())
    write(root / "others/_build/variants/01_same--wide.ipynb", nbformat.writes(run("01_same")))
    assert newer.main(root) == 0
    assert (root / "_build/newer/report.md").read_text().startswith("# 0 of 5 pages change")


def test_a_site_that_is_not_rendered_is_said(root, monkeypatch):
    monkeypatch.setenv("END", "false")
    assert newer.main(root) == 1
    assert "The book couldn't be built whole." in (root / "_build/newer/report.md").read_text()
