import matplotlib.pyplot as plt
import numpy as np
import pytest
from hostile import HOSTILE

from a2a import GradientAgent, alternate
from a2a.book import figures, plots


@pytest.fixture(autouse=True)
def clean():
    figures.style()
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return figures.panels()[1]


def test_one_panel_is_an_axes_and_more_are_an_array(ax):
    assert ax.get_figure().axes == [ax] and figures.panels(3)[1].shape == (3,)


def test_errors_have_a_mean_a_band_and_a_plateau(ax):
    errors = np.array([[1.0, 3.0], [0.5, 1.5]])
    figures.errors_by_turn(ax, errors, label="A", color=figures.FIRST, plateau=[0.2, 0.4])
    mean, plateau = ax.lines
    assert mean.get_xdata().tolist() == [1, 2] and mean.get_ydata().tolist() == [2.0, 1.0]
    assert plateau.get_ydata()[0] == pytest.approx(0.3) and len(ax.collections) == 1


def test_errors_of_one_seed_have_no_band(ax):
    figures.errors_by_turn(ax, [1.0, 0.5], label="A", color=figures.FIRST)
    assert len(ax.collections) == 0 and ax.get_yscale() == "log"


@pytest.mark.parametrize("turns", [1, 4])
def test_a_path_starts_at_w0_and_has_every_step(ax, lib, turns):
    one, two = (GradientAgent(lib(np.eye(2)), lib([t, 1.0]), 0.5) for t in (0.0, 1.0))
    run = alternate(one, two, lib([3.0, 3.0]), turns)
    plots.path_in_plane(ax, run, one.theta, two.theta, lib([3.0, 3.0]))
    (path,) = ax.lines
    assert path.get_xydata()[0].tolist() == [3.0, 3.0] and len(path.get_xydata()) == 1 + 2 * turns


def test_the_diagonal_spans_both_axes(ax):
    plots.on_the_diagonal(ax, [1.0, 10.0], [0.5, 20.0])
    assert list(ax.lines[0].get_xdata()) == [0.5, 20.0] and ax.get_xscale() == ax.get_yscale() == "log"


def test_a_power_law_has_its_slope_through_the_last_point(ax):
    figures.power_law(ax, [1.0, 10.0], [5.0, 1.0], label="", color=figures.FIRST, slope=-0.5)
    assert np.allclose(ax.lines[1].get_ydata(), [np.sqrt(10), 1.0])


def test_blocks_are_named_at_their_middle_and_ruled_off_between(ax):
    plots.blocks(ax, np.eye(4), {"x": slice(0, 3), "y": slice(3, None)}, {"all": slice(None)})
    assert ax.get_yticks().tolist() == [1.0, 3.0] and [t.get_text() for t in ax.get_xticklabels()] == ["all"]
    assert [line.get_ydata()[0] for line in ax.lines] == [2.5]


def test_masked_entries_of_a_heat_map_have_no_say_in_its_colours(ax):
    plots.blocks(ax, np.ma.array([[9.0, -2.0]], mask=[[True, False]]), {"x": slice(None)})
    assert ax.images[0].get_clim() == (-2.0, 2.0)


def test_a_mean_leaves_out_what_is_missing(ax):
    nan = float("nan")
    samples = [[nan, 1.0, 2.0, 5.0], [nan, 3.0, nan, 5.0], [nan, nan, nan, 5.0]]
    figures.mean_band(ax, [1, 2, 3, 4], samples, color=figures.FIRST, label="")
    assert ax.lines[0].get_xydata().tolist() == [[2, 2], [4, 5]]
    band = ax.collections[0].get_paths()[0].vertices
    assert np.isclose(band[:, 1].min(), 2 - 1.96) and np.isclose(band[:, 1].max(), 5)  # standard errors 1 and 0


def test_a_shown_figure_is_displayed_under_its_name_and_closed(monkeypatch):
    shown = {}
    monkeypatch.setattr(figures, "glue", lambda name, fig: shown.update({name: fig}))
    fig = figures.panels()[0]
    figures.show("main", fig)
    assert shown == {"main": fig} and not plt.fignum_exists(fig.number)


def test_a_headline_is_kept_under_its_name(monkeypatch):
    kept = {}
    monkeypatch.setattr(figures, "glue", lambda name, fig, display: kept.update({name: (fig, display)}))
    fig = figures.panels()[0]
    figures.headline("main", fig)
    assert kept == {"main": (fig, False)} and not plt.fignum_exists(fig.number)


def test_colours_differ():
    assert len({figures.FIRST, figures.SECOND, figures.HELPED, figures.THEORY}) == 4


def test_many_panels_wrap_into_rows():
    fig, axes = figures.panels(6, height=3.0)
    assert axes.shape == (6,) and len(fig.axes) == 6
    assert fig.get_size_inches().tolist() == [9.6, 6]
    assert figures.panels(4)[0].get_size_inches().tolist() == [9.6, 3.6]


def test_a_diagonal_lies_behind_what_is_measured(ax):
    figures.diagonal(ax, 1.0, 3.0)
    (line,) = ax.lines
    assert line.get_xydata().tolist() == [[1, 1], [3, 3]] and line.get_zorder() < 1


def test_a_band_lies_between_two_curves(ax):
    figures.band(ax, [0, 1], [1.0, 2.0], [3.0, 5.0], color=figures.FIRST)
    corners = ax.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == (1, 5)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_drawn_as_it_is_spelt(text, ax, monkeypatch):
    monkeypatch.setattr(figures, "glue", lambda name, fig, **_: fig.canvas.draw())
    ax.plot([0, 1], [0, 1], label=figures.literal(text))
    ax.set(title=figures.literal(text), xlabel=figures.literal(text))
    ax.legend()
    figures.show("a", ax.get_figure())  # a sign that is missing would warn, and a formula raise
    assert all(not letter.isascii() or letter.isprintable() for letter in ax.get_title())


def test_a_dollar_is_a_dollar_and_what_the_chapters_write_is_a_formula(ax):
    ax.set(title=figures.literal("$x$ for $5"), xlabel="$w_1$")
    title, label = ax.title, ax.xaxis.label
    assert title._preprocess_math(title.get_text()) == ("$x$ for $5", False)
    assert label._preprocess_math(label.get_text()) == ("$w_1$", True)


def test_a_sign_that_no_font_has_is_spelt_out(ax):
    ax.set_title("a 日 × 👩")
    figures._spell_out_missing_signs(ax.get_figure())
    assert ax.get_title() == "a \\u{65e5} × \\u{1f469}"
