"""A book of two chapters that is built in a quarter of a minute, by the project's own Makefile and Snakefile."""

import os
import shutil
import subprocess
import sys

from chapters import ROOT

COPIED = ("Makefile", "Snakefile", "pyproject.toml", "constraints.txt", "_config.yml", "CONTRIBUTING.md")
CHAPTER = """\
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
import os
import time

import matplotlib.pyplot as plt
from myst_nb import glue

from a2a.book.claims import Checks
from a2a.book.evidence import close

time.sleep(float(os.environ.get("NAP", 0)))
glue("toy-headline", plt.subplots(figsize=(1, 1))[0], display=False)
checks = Checks("a toy")
checks.add("T1", "three is three", close(d, 3, tolerance=0.5))

# %% tags=["nbval-check-output"]
checks.table()
"""
WRITTEN = {
    "notebooks/01_one.py": CHAPTER,
    "notebooks/02_two.py": CHAPTER,
    "chapters.yml": "01_one: {headline: toy-headline, small: {d: 2}}\n02_two: {small: {d: 2}}\n",
    "_toc.yml": "format: jb-book\nroot: book/index\nchapters: [file: notebooks/01_one, file: notebooks/02_two]\n",
    "book/claims.yml": "T1: {source: ours, says: A toy is counted right.}\n",
    "book/index.md": "# A small book\n\n```{include} ../_build/generated/status.md\n```\n",
    "book/references.bib": "",
}
PYTHON = f"""\
#!/bin/sh
# A Python whose environments are links to the one that runs the tests
[ "$2" = venv ] || exec {sys.executable} "$@"
rm -rf .venv && mkdir .venv && ln -s {sys.prefix}/bin {sys.prefix}/lib {sys.prefix}/share {sys.prefix}/pyvenv.cfg .venv
"""


def write_small_book(folder):
    """Write the sources of the small book into a folder."""
    for name in ("a2a", "book/_static", "book/images"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in COPIED:
        shutil.copy(ROOT / name, folder / name)
    for name, text in WRITTEN.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "python").write_text(PYTHON)
    (folder / "python").chmod(0o755)


def make_command(*arguments):
    """The command for `start` and `make` that takes the package from its folder, and installs nothing."""
    return ["make", "PYTHON=./python", "PIP=true", *arguments]


def surroundings(folder, **variables):
    """The environment variables of such a command in a folder."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return inherited | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"} | variables


def make(folder, *arguments, **variables):
    """Run make in a folder until it ends; its exit code and what it printed."""
    done = subprocess.run(
        make_command(*arguments),
        cwd=folder,
        env=surroundings(folder, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout
