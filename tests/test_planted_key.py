"""A key is in no file that a real run writes, and not on the terminal, whatever a server or a cell does with it."""

import json
import os
import subprocess
import sys

import pytest
from parrot import KEY, KINDS, SPELLINGS, _holds, files_with_key, listener, parrot

from a2a import __main__ as command
from a2a.secrets import scrubber

MODELS = sorted(
    {f"{kind}/{spelling}" for kind in KINDS for spelling in ("plain", "base64")}
    | {f"{kind}/{spelling}" for kind in ("text", "401") for spelling in SPELLINGS}
)
HEAD = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Planted

# %% tags=["parameters"]
url = "http://127.0.0.1:1/v1"  # the server
models = ["401/plain"]  # what is asked of it
end = "prints"  # how the run ends

"""
CELLS = """\
# %%
import logging, os, sys, traceback

logging.basicConfig(level=logging.DEBUG, filename="debug.log")
import numpy as np
from IPython.display import HTML, display
from myst_nb import glue

from a2a import sample_prompt
from a2a.book.claims import Checks
from a2a.book.evidence import every
from a2a.chat import ChatAgent, ChatClient, Transcripts
from a2a.models.errors import CallError
from a2a.models.loading import load_model
from a2a.models.protocol import Sampling

rng = np.random.default_rng(0)
prompt = sample_prompt(rng, 12, 3, rng.standard_normal(3))
checks = Checks("agents")

# %%
def told():
    for line in traceback.TracebackException(*sys.exc_info(), capture_locals=True).format():
        print(line)

# %%
client = ChatClient(url, transcripts=Transcripts("calls.jsonl"), mode="record", retries=0)
for name in models:
    try:
        print(ChatAgent(client, prompt, 0.5, model=name, attempts=1)(np.zeros(3)))
    except Exception:
        print("chat failed:", name)
        told()
print(vars(client), vars(client.endpoint), vars(client.endpoint.connection.server))

# %%
for name in models:
    model = load_model(f"{url}#{name}", context=100)
    model.connection.retries = 0
    try:
        print(model(["text"], Sampling(), [0]))
    except Exception:
        print("completion failed:", name)
        told()

# %%
key = os.environ["OPENAI_API_KEY"]
for part in (key[:9], key[9:]):
    print(part, end="", flush=True)
print(key, key, file=sys.stderr)
os.system("echo $OPENAI_API_KEY")
glue("said", key)
display(HTML(f"<b title='{key}'>{key}</b>"), metadata={key: key})
checks.add("A1", f"what {key} is", every([True]))
checks.table()

# %%
{key: [key]}

# %%
if end == "raises":
    raise RuntimeError(f"no such key: {key}")
if end == "dies":
    os.write(2, key.encode())
    os._exit(1)
"""


@pytest.fixture
def folder(tmp_path):
    """A book of one page, and where everything that a run writes is looked for."""
    (tmp_path / "planted.py").write_text(HEAD + CELLS)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: planted\n")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "claims.yml").write_text("A1: {says: it holds, source: ours}\n")
    for name in ("home", "tmp", "build"):
        (tmp_path / name).mkdir()
    return tmp_path


def run(folder, *arguments):
    places = {"HOME": folder / "home", "TMPDIR": folder / "tmp", "A2A_BUILD": folder / "build"}
    environment = os.environ | {name: str(place) for name, place in places.items()}
    environment |= {"OPENAI_API_KEY": KEY, "OPENAI_LOG": "debug"}
    del environment["PYTEST_CURRENT_TEST"]  # where it is set, kernels leave what subprocesses print to the terminal
    command = [sys.executable, "-m", "a2a", "run", "planted.py", "-o", "out/run.ipynb", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    (folder / "terminal.txt").write_text(done.stdout + done.stderr)
    return done


def test_the_key_is_in_nothing_that_a_run_writes(folder):
    with listener() as (elsewhere, asked), parrot(elsewhere) as (url, heard):
        done = run(folder, "-p", "url", url, "-p", "models", str(MODELS))
    assert done.returncode == 0, done.stderr
    assert sorted(heard) == sorted(2 * MODELS) and not asked  # a redirect isn't followed
    written = {file.name for file in folder.rglob("*") if file.is_file()}
    assert {"run.ipynb", "run.claims.json", "run.html", "calls.jsonl", "debug.log"} <= written
    assert (folder / "out" / "run.ipynb").read_text().count("failed: ") >= len(MODELS)
    assert all("[removed]" in (folder / name).read_text() for name in ("out/run.ipynb", "out/run.html", "calls.jsonl"))
    assert "what [removed] is" in (folder / "out" / "run.claims.json").read_text()
    assert not files_with_key(folder)


@pytest.mark.parametrize("end", ["raises", "dies"])
def test_nor_where_a_cell_fails_with_it(folder, end):
    (folder / "planted.py").write_text(
        HEAD
        + "# %%\nimport os"
        + CELLS[CELLS.index("\n\n# %%\nkey =") :].partition("for")[0]
        + CELLS[CELLS.rindex("\n# %%") :]
    )
    done = run(folder, "-p", "end", end)
    assert done.returncode == 1 and done.stderr.startswith("a2a: error: ") and done.stderr.count("\n") == 1
    assert end == "dies" or "no such key: [removed]" in done.stderr
    assert (folder / "out" / "run.ipynb").exists() and not files_with_key(folder)


@pytest.mark.parametrize(
    "value", [KEY, f"http://127.0.0.1/v1#{KEY}", "http://me:pa55word@127.0.0.1/v1", "http://h/v1?x=pa55word"]
)
@pytest.mark.parametrize("name", ["url", "models", "unknown"])
def test_a_parameter_with_a_secret_is_refused_and_not_repeated(folder, monkeypatch, capsys, name, value):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(folder)
    assert command.main(["run", "planted.py", "-p", name, value]) == 2
    err = capsys.readouterr().err
    assert "pa55word" not in err and not _holds(err.encode())
    assert name == "unknown" or "keys come from OPENAI_API_KEY only" in err
    assert not files_with_key(folder) and not (folder / "runs").exists()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_search_finds_what_it_looks_for(spelling):
    spelled = SPELLINGS[spelling](KEY)
    assert _holds(spelled.encode()) and _holds(json.dumps(spelled).encode())
    assert not _holds(scrubber(KEY)(spelled).encode())
