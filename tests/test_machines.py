"""The theory as an older processor computes it, and how settings are tried."""

import machines
import pytest
from chapters import stem_of
from machines import NATIVE, NUMERIC, REFERENCES, SETTINGS, Setting, failures, kernels, outcome

OLDEST = next(setting for setting in SETTINGS if setting.name == "oldest")
UNTRAINED = [stem_of(name) for name in ("equilibrium", "newton_helper")]
"""Two chapters and, below, the tests of the theory that train nothing: `make machines` takes all others, too."""


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """A function that runs the text of a test under a setting and gives the names of what failed."""
    monkeypatch.setattr(machines, "LOGS", tmp_path)

    def trial(text, setting):
        (tmp_path / "test_trial.py").write_text(text)
        return failures(setting, [tmp_path / "test_trial.py"])

    return trial


def test_the_theory_on_the_oldest_processor():
    references = [file for file in REFERENCES if file.stem in UNTRAINED]
    verdict, why = outcome(OLDEST, [*references, *(file for file in NUMERIC if "train" not in file.read_text())])
    if verdict == "skipped":
        pytest.skip(why)
    assert verdict == "passed", f"{why}\n{OLDEST.log.read_text()}"


def test_a_setting_that_the_processor_cannot_run_is_skipped():
    verdict, why = outcome(Setting("other", (("OPENBLAS_CORETYPE", "Other"),), ("NEON", "AVX2")), [])
    assert verdict == "skipped" and "this processor lacks" in why


def test_a_setting_that_changes_nothing_is_skipped():
    verdict, why = outcome(Setting("none", (("ATEN_CPU_CAPABILITY", ""),)), [])
    assert verdict == "skipped" and kernels(NATIVE) in why


def test_the_environment_is_the_users_but_for_what_settings_set(monkeypatch):
    monkeypatch.setenv("A_USERS_OWN", "kept")
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    found = Setting("two", threads=2).environment
    assert found["A_USERS_OWN"] == "kept" and "MKL_CBWR" not in found and found["OMP_NUM_THREADS"] == "2"


def test_what_fails_is_named(trial):
    text = "import os\ndef test_a(): assert os.environ['MKL_CBWR'] == 'AVX'\ndef test_b(): pass\n"
    assert trial(text, Setting("one", (("MKL_CBWR", "COMPATIBLE"),))) == ["test_trial test_a"]
    assert trial(text, Setting("two", (("MKL_CBWR", "AVX"),))) == []


def test_tests_that_cannot_start_have_failed(trial):
    assert trial("import nothing_of_this_name", NATIVE) != []
