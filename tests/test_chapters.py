"""The chapters as a whole: what a wrong formula, a broken assumption and other parameters do to their verdicts."""

import os
import shutil

import numpy as np
import pytest
import yaml
from chapter_runner import run_apart
from chapters import CHAPTERS, ROOT, stem_of

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # of the processes that run chapters
MUTATIONS = {
    stem_of(file.stem): yaml.safe_load(file.read_text())
    for file in sorted((ROOT / "tests" / "mutations").glob("*.yml"))
}
DRAWS = int(os.environ.get("A2A_DRAWS", "1"))
"""Random sets of parameters for each chapter of the theory; the weekly run takes more."""


def cases(kind):
    return [
        pytest.param(name, claim, case, id=f"{name}-{claim}")
        for name, of in MUTATIONS.items()
        for claim, case in of.get(kind, {}).items()
    ]


def verdicts(checks, claim):
    return [check["verdict"] for check in checks if check["id"] == claim]


@pytest.fixture
def copy(tmp_path):
    """The project, with a package and chapters that may be changed."""
    for folder in ("a2a", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.ipynb", "__pycache__"))
    for name in ("_toc.yml", "book", "conversations", "transcripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    (ROOT / "_build" / "lsa").mkdir(parents=True, exist_ok=True)
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build" / "lsa").symlink_to(ROOT / "_build" / "lsa")  # layers are kept by recipe and code
    return tmp_path


@pytest.mark.parametrize(("name", "claim", "flip"), cases("flips"))
def test_a_flipped_sign_contradicts_the_claim(name, claim, flip, copy):
    file = next(copy.glob(flip["file"]))
    text = file.read_text()
    assert text.count(flip["text"]) == 1, f"{flip['file']} should hold {flip['text']!r} once"
    file.write_text(text.replace(flip["text"], flip["becomes"]))
    checks = run_apart(name, MUTATIONS[name]["small"] | flip.get("parameters", {}), copy)
    assert "contradicted" in verdicts(checks, claim)


@pytest.mark.parametrize(("name", "claim", "broken"), cases("broken"))
def test_a_broken_assumption_makes_the_claim_not_applicable(name, claim, broken):
    checks = run_apart(name, MUTATIONS[name]["small"] | broken["parameters"])
    found = verdicts(checks, claim)
    assert "not applicable" in found and "contradicted" not in found
    assert all(
        not all(one["holds"] for one in check["assumptions"])
        for check in checks
        if check["verdict"] == "not applicable"
    )


@pytest.mark.parametrize("name", MUTATIONS)
def test_small_parameters_support_the_theory(name):
    if "random" not in MUTATIONS[name]:
        pytest.skip("a study of models: its verdicts are what they are")
    found = {check["verdict"] for check in run_apart(name, MUTATIONS[name]["small"])}
    assert found <= {"supported", "descriptive"}


def drawn(name, draw):
    """Admissible parameters, small ones: whole numbers evenly, others evenly on a log scale, or one of a list."""
    rng = np.random.default_rng(draw)
    chosen = {}
    for parameter, values in MUTATIONS[name]["random"].items():
        low, high = values[0], values[-1]
        if len(values) != 2:
            chosen[parameter] = values[rng.integers(len(values))]
        elif isinstance(low, int):
            chosen[parameter] = int(rng.integers(low, high + 1))
        else:
            chosen[parameter] = float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.3g}")
    return MUTATIONS[name]["small"] | chosen


@pytest.mark.parametrize("draw", range(DRAWS))
@pytest.mark.parametrize("name", [name for name, of in MUTATIONS.items() if "random" in of])
def test_random_parameters_contradict_nothing_where_the_theory_applies(name, draw):
    from a2a.book.parameters import checked, read_parameters

    parameters = drawn(name, draw)
    known = read_parameters(parameters_cell(name))
    for parameter in ("n", "turns"):  # where another parameter's value bounds this one
        if parameter in parameters and known[parameter].range:
            parameters = within(known, parameters, parameter)
    checked(known, parameters, name)
    wrong = [check for check in run_apart(name, parameters) if check["verdict"] == "contradicted"]
    assert not wrong, f"with {parameters}"


def parameters_cell(name):
    import jupytext

    cells = jupytext.read(ROOT / "notebooks" / f"{name}.py").cells
    return next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))


def within(known, parameters, name):
    """The parameters, with the named one raised until it is as the others want it."""
    values = {key: one.default for key, one in known.items()} | parameters
    while not known[name].range.allows(values[name], values) and values[name] < 10_000:
        values[name] += 1
    return parameters | {name: values[name]}


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_default_is_in_its_range(name):
    from a2a.book.parameters import checked, read_parameters

    assert checked(read_parameters(parameters_cell(name)), {}, name) == {}


def test_every_chapter_is_listed_and_nothing_else_is():
    assert list(CHAPTERS) == sorted(file.stem for file in (ROOT / "notebooks").glob("[0-9]*.py"))
