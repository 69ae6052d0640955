"""Run a chapter's cells without a kernel or a page, and give the checks that it made.

python tests/chapter_runner.py 02_equilibrium --parameters '{"d": 3}' prints them as JSON.
"""

import argparse
import ast
import json
import multiprocessing
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ["IPython", "jupytext", "matplotlib.pyplot", "myst_nb", "numpy", "scipy.stats", "seaborn", "sympy", "torch"]
"""What chapters import and no test changes: loaded once, and there in every run."""


def run_chapter(name, parameters=None, root=ROOT):
    """The checks of the chapter `name`, as dictionaries, with `parameters` in place of its defaults."""
    import jupytext
    import matplotlib

    matplotlib.use("agg")
    root = Path(root)
    sys.path.insert(0, str(root))
    os.chdir(root / "notebooks")
    import a2a.book.figures

    a2a.book.figures.glue = _not_drawn
    cells = [cell for cell in jupytext.read(root / "notebooks" / f"{name}.py").cells if cell.cell_type == "code"]
    namespace = {"__name__": "__main__"}
    with patch("IPython.display.display", _shown), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for cell in cells:
            exec(compile(_with_last_value_shown(cell.source), f"<{name}>", "exec"), namespace)
            if "parameters" in cell.metadata.get("tags", []):
                namespace.update(parameters or {})
    return [asdict(check) for check in namespace["checks"].made]


def run_apart(name, parameters=None, root=ROOT):
    """The same in a new process, which has nothing of the package loaded yet."""
    apart = multiprocessing.get_context("forkserver")
    apart.set_forkserver_preload(HEAVY)
    with ProcessPoolExecutor(1, mp_context=apart) as pool:
        return pool.submit(_quietly, name, parameters, root).result()


def _quietly(name, parameters, root):
    import torch

    torch.set_num_threads(1)
    with open(os.devnull, "w") as nowhere:
        sys.stdout = nowhere
        return run_chapter(name, parameters, root)


def _not_drawn(name, figure, **_):
    """In place of what renders a figure, which takes as long as computing it: the references and the book do that."""
    assert figure.axes, f"{name} is empty"


def _shown(*objects, **_):
    """What `display` does for a reader: make the text and the HTML of an object, so that errors there are seen."""
    for value in objects:
        if hasattr(value, "_repr_mimebundle_"):
            value._repr_mimebundle_()


def _with_last_value_shown(source):
    """The cell, with its last expression evaluated as Jupyter does."""
    tree = ast.parse(source)
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        tree.body[-1] = ast.Assign([ast.Name("_", ast.Store())], tree.body[-1].value)
    return ast.fix_missing_locations(tree)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--parameters", type=json.loads, default={})
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args()
    print(json.dumps(run_chapter(options.name, options.parameters, options.root), indent=1))
