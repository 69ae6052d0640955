"""Shapes are checked at run time in every test: the hook must be in place before a2a is imported."""

import os
import signal

import jaxtyping

jaxtyping.install_import_hook("a2a", "beartype.beartype")

import matplotlib  # noqa: E402

matplotlib.use("agg")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402
from instances import RECIPE  # noqa: E402
from language_models import folder, folders, texts  # noqa: E402, F401

# in a background job of a shell, or behind nohup, they are ignored, in children, too
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
torch.set_num_threads(1)  # many small products: threads that wait for each other cost twenty times the time

settings.register_profile(
    "a2a", max_examples=int(os.environ.get("A2A_EXAMPLES", "12")), deadline=None, derandomize=True, database=None
)
settings.load_profile("a2a")


def _tensor(values):
    return torch.tensor(np.asarray(values))


@pytest.fixture(scope="session", params=[np.asarray, _tensor], ids=["numpy", "torch"])
def lib(request):
    """The array library under test, as the function that converts to it."""
    return request.param


@pytest.fixture
def untyped():
    """Without the run-time types, as the package is used: a wrong type must be refused by the package itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A layer trained once for all tests, and the cache folder that it was kept in."""
    from a2a.lsa import train_lsa

    cache = tmp_path_factory.mktemp("cache")
    return train_lsa(**RECIPE, cache=cache), cache


LONG = ("test_chapters", "test_stale", "test_walks", "test_machines", "test_pipeline")
"""Files of tests that take minutes: started first, so that no process is left with one of them at the end."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
