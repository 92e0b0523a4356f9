"""Pictures: every panel is drawn from the tables, what is left out is said, and a redrawing is the same file."""

import dataclasses
import functools
import io
import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from cases import further
from matplotlib.collections import LineCollection
from rich.console import Console

from rflo_repro.paper import registry
from rflo_repro.paper.choices import PeriodicChoices
from rflo_repro.report import palette, style
from rflo_repro.runs import draw, tables
from rflo_repro.runs.job import describe
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.sample import CONFIRMATION, PART

COMPUTED = [figure for figure in registry.figures().values() if figure.computed]
PERIODIC = [figure for figure in COMPUTED if isinstance(figure.experiment.scales["smoke"], PeriodicChoices)]


def frames(figure, results):
    return {part: tables.read(results, schema)[0] for part, schema in figure.experiment.schemas.items()}


def drawn(picture):
    """All lines with data that a picture shows, in subfigures too."""
    return [line for axes in picture.get_axes() for line in axes.lines if len(line.get_xdata()) > 1]


@pytest.fixture(scope="session")
def short(tmp_path_factory, ask):
    """All figures of the periodic task, at a few trials, in one folder."""
    folder = tmp_path_factory.mktemp("short")
    for figure in PERIODIC:
        ask(figure, Selection(rates=figure.rates[:1]), results=folder, plot=False, trials=8)
    return folder


def test_what_lies_far_off_the_axes_is_drawn_at_a_million():
    values = [-np.inf, -1e300, -1e6, 0.5, 1e6, 1e7, np.inf]
    assert style.drawable(values).tolist() == [-1e6, -1e6, -1e6, 0.5, 1e6, 1e6, 1e6]
    assert np.isnan(style.drawable([np.nan])).all()


def test_a_band_is_near_and_where_its_trials_are():
    frame = pd.DataFrame({"trial": [1, 1, 10**8, 10**8], "loss": [1.0, 2.0, np.inf, 1e200]})
    axes = style.new_picture(3, 3).subplots()
    style.band(axes, frame, "trial", "loss", "black")
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[1.0, 1.5], [1e8, 1e6]]


@pytest.mark.parametrize("figure", PERIODIC, ids=lambda figure: figure.command)
def test_every_panel_is_drawn(figure, short):
    tidy = frames(figure, short)
    sizes = []
    for panels in (*((panel,) for panel in figure.panels), tuple(figure.panels)):
        picture, notes = figure.experiment.draw(tidy, panels)
        assert notes == []
        lines = drawn(picture)
        assert lines
        assert all(len(line.get_xdata()) == len(line.get_ydata()) for line in lines)
        letters = {axes.get_title(loc="left") for axes in picture.get_axes()} - {""}
        assert letters == set(panels)
        assert all(axes.get_xlabel() for axes in picture.get_axes())
        sizes.append(len(lines))
    assert sizes[-1] == sum(sizes[:-1])  # together they show what each shows alone


def test_figure_2_leaves_out_what_its_tables_cannot_fill(fig2, smoke):
    tidy = frames(fig2, smoke / "results")

    def notes(keep):
        part = {name: frame[keep(frame)] for name, frame in tidy.items()}
        picture, said = fig2.experiment.draw(part, tuple(fig2.panels))
        letters = {axes.get_title(loc="left") for axes in picture.get_axes()} - {""}
        left_out = {note.split()[1] for note in said}
        assert letters == set(fig2.panels) - left_out
        assert all("left out: needs" in note for note in said)
        return left_out

    assert notes(lambda f: f.rule == f.rule) == set()
    assert notes(lambda f: f.period_tau == 20.0) == {"d"}
    assert notes(lambda f: f.period_tau != 80.0) == {"d"}
    assert notes(lambda f: f.rule == "bptt") == {"c"}
    assert notes(lambda f: f.rule.isin(["local", "random-feedback"])) == {"a", "b", "c"}
    assert notes(lambda f: f.rule == "untrained") == {"a", "c", "d"}


def test_a_picture_of_a_part_has_a_name_of_its_own(fig2, ask, own_smoke, saved):
    figures = own_smoke / "figures"
    before = {path.name: path.read_bytes() for path in figures.iterdir()}
    assert set(before) == {"fig2.png", "fig2.pdf"}
    for selection, name in (
        (Selection(panels=("b", "d")), "fig2-b-d"),
        (Selection(panels=("c",), periods_tau=(20.0,), rules=("rflo",)), "fig2-c-period20-rflo"),
    ):
        ran = ask(fig2, selection, results=own_smoke / "results", figures=figures)
        assert {figures / f"{name}.png", figures / f"{name}.pdf"} <= set(ran.outcome.files)
        letters = [axes.get_title(loc="left") for axes in saved[name].get_axes()]
        assert [letter for letter in letters if letter] == list(selection.panels)
    assert {name: (figures / name).read_bytes() for name in before} == before


def test_the_names_of_pictures_of_parts():
    assert Selection().suffix == ""
    assert Selection(periods_tau=(80.0, 2.5)).suffix == "-period80-period2.5"
    assert Selection(periods_tau=(20.0,), panels=("a", "b"), rules=("rflo",)).suffix == "-a-b-period20-rflo"


ALIKE = [figure for figure in PERIODIC if figure.command in ("fig2-locality", "fig2-dale", "fig2-readout")]


@pytest.mark.parametrize(
    "figure", [*(f for f in COMPUTED if f not in ALIKE), *further(*ALIKE)], ids=lambda figure: figure.command
)
def test_whatever_part_is_computed_is_drawn(figure):
    """Every combination of --panel, --period and --rule is refused, or shows each panel that was asked for."""
    experiment = figure.experiment
    few = dataclasses.replace(experiment.scales["smoke"], n_networks=1)
    known = {"panel": tuple(figure.panels), "period": (20.0, 80.0), "rule": figure.rules}
    options = ([(), *((value,) for value in known[name])] if name in figure.selectors else [()] for name in known)
    run = functools.cache(lambda job: job.run(lambda done: None))
    n_drawn = 0
    for panels, periods, rules in itertools.product(*options):
        try:
            found = experiment.conditions(few, Selection(periods, panels, rules, figure.rates[:1]))
        except RequestError:
            continue
        frames = experiment.tabulate(few, found, [[run(r) for r in c.jobs] for c in found])
        picture, notes = experiment.draw(frames, panels or tuple(figure.panels))
        assert picture.get_axes(), (panels, periods, rules)
        assert not (panels and notes), (panels, periods, rules)
        n_drawn += 1
    assert n_drawn > len(figure.panels)


def redraw(figure, results, figures, selection=None):
    console = Console(file=io.StringIO(), width=200)
    found = draw.read(figure.experiment, results)
    pictures, notes = draw.draw(figure.experiment, *found, figures, selection or Selection())
    draw.say_drawn(pictures, notes, console)
    return pictures


def test_a_redrawing_is_the_same_file_whatever_the_users_settings(fig2, smoke, tmp_path):
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 9, "axes.facecolor": "red", "savefig.dpi": 10}):
        before = dict(mpl.rcParams)
        drawn_again = redraw(fig2, smoke / "results", tmp_path)
        assert dict(mpl.rcParams) == before
    assert [path.name for path in drawn_again] == ["fig2.png", "fig2.pdf"]
    for path in drawn_again:
        assert path.read_bytes() == (smoke / "figures" / path.name).read_bytes()


FIG2 = registry.figures()["fig2"].experiment
OF_PAPER, OF_SMOKE = (describe(FIG2.scales[scale]) for scale in ("paper", "smoke"))


@pytest.mark.parametrize(
    ("scale", "choices", "eta", "kinds", "said"),
    [
        ("paper", OF_PAPER, None, ["printed"], ""),
        ("paper", OF_PAPER, None, ["tuned"], ""),
        ("smoke", OF_SMOKE, None, ["tuned"], "fig2 at smoke scale · 2 networks · 40 trials · tuned learning rates"),
        (
            "custom",
            {**OF_SMOKE, "g": 1.2, "n_networks": 1},
            None,
            ["printed"],
            "fig2 at smoke scale · g=1.2 · 1 network · 40 trials · the paper's learning rates",
        ),
        ("custom", {**OF_PAPER, "seed": 5}, 0.3, ["other"], "fig2 · seed=5 · eta=0.3 · 9 networks · 10,000 trials"),
        ("custom", {**OF_PAPER, "h0": "$x^$"}, None, [], "fig2 · h0=$x^$ · 9 networks · 10,000 trials"),
    ],
)
def test_a_picture_that_is_not_the_papers_says_what_deviates(scale, choices, eta, kinds, said):
    settings = {"scale": scale, "choices": choices, "eta": eta}
    assert draw.footer(FIG2, settings, {"final": pd.DataFrame({"rates": kinds})}) == said


def test_the_footer_is_below_all_else(fig2, ask, own_smoke, saved):
    ask(fig2, results=own_smoke / "results", figures=own_smoke / "figures")
    picture = saved["fig2"]
    (footer,) = picture.texts
    assert footer.get_text().startswith("fig2 at smoke scale · 2 networks")
    picture.draw_without_rendering()
    top = footer.get_window_extent().y1
    assert 0 < footer.get_window_extent().x1 < picture.bbox.x1
    assert all(axes.get_tightbbox().y0 > top for axes in picture.get_axes())


def test_the_papers_own_pictures_have_no_footer(fig2, ask, short_paper, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ask(fig2, Selection(rates=("printed",)), scale="paper")
    assert not saved["fig2"].texts


def test_no_picture_says_when_it_was_drawn(smoke):
    pdf, png = ((smoke / "figures" / f"fig2.{kind}").read_bytes() for kind in ("pdf", "png"))
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert b"ModDate" not in pdf
    assert png.startswith(b"\x89PNG")
    for chunk in (b"tIME", b"tEXt", b"iTXt"):
        assert chunk not in png


@pytest.mark.parametrize("spoil", ["none", "edited", "torn"])
def test_nothing_is_drawn_from_tables_that_are_not_there_or_not_believed(fig2, own_smoke, spoil):
    results = own_smoke / "results"
    path = results / "fig2_final.csv"
    if spoil == "none":
        path.unlink()
    elif spoil == "edited":
        path.write_text(path.read_text().replace("rflo", "bptt", 1))
    else:
        path.with_suffix(".json").unlink()
    with pytest.raises(RequestError, match="rflo-repro fig2") as refusal:
        redraw(fig2, results, Path("new"))
    assert refusal.value.option == "results"
    assert not Path("new").exists()


def test_bands_are_quartiles_with_divergences_above_all():
    """Five networks of which one diverged at the second trial and another at the third."""
    losses = {1: [1, 2, 3, 4, 5], 2: [1, 2, 3, 4, np.nan], 3: [1, 2, 3, np.nan, np.nan]}
    frame = pd.DataFrame([(trial, loss) for trial, row in losses.items() for loss in row], columns=["trial", "loss"])
    with style.style():
        picture = style.new_picture(3, 3)
        axes = picture.subplots()
        style.band(axes, frame, "trial", "loss", "red", "a name")
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), [[1, 3], [2, 3], [3, 3]])
    corners = axes.collections[0].get_paths()[0].vertices
    highest = {x: corners[corners[:, 0] == x][:, 1].max() for x in (1, 2, 3)}
    assert highest[1] == highest[2] == 4
    assert highest[3] > 1e5  # cut off at the top of the axes
    assert min(corners[:, 1]) == 2


def dots(axes):
    return sorted(
        point for line in axes.lines if line.get_marker() in "o^" and line.get_markersize() < 3
        for point in map(tuple, line.get_xydata().tolist())
    )  # fmt: skip


def test_every_network_is_a_dot_and_a_larger_sample_a_line_beside_them():
    own = pd.DataFrame({"x": [1, 1, 1, 2, 2], "loss": [0.1, 0.2, np.nan, 0.3, 1e9]})
    axes = style.new_picture(3, 3).subplots()
    style.networks(axes, own, "x", "loss", "red", top=1.0)
    # what ran away or diverged is at the top
    assert dots(axes) == [(1, 0.1), (1, 0.2), (1, 1.0), (2, 0.3), (2, 1.0)]
    sample = {1: np.arange(1, 10) / 10, 2: np.array([*np.arange(1, 9) / 10, np.inf])}
    style.medians(axes, sample, "red", 3.0)
    lines = [segment.tolist() for segment in axes.collections[0].get_segments()]
    assert lines == [[[1, 0.2], [1, 0.8]], [[2, 0.2], [2, 0.8]]]
    assert axes.lines[-1].get_xydata().tolist() == [[1, 0.5], [2, 0.5]]


@pytest.mark.parametrize("figure", PERIODIC, ids=lambda figure: figure.command)
def test_a_median_of_networks_is_drawn_with_each_of_them(figure, short):
    """In every panel of final losses; and the larger sample changes nothing but what stands beside them."""
    tidy = frames(figure, short)
    n = len(tidy["final"])
    picture, _ = figure.experiment.draw(tidy, tuple(figure.panels))
    assert sum(len(dots(axes)) for axes in picture.get_axes()) >= (n if figure.command != "fig2" else n - 4)
    larger, _ = figure.experiment.draw({**tidy, PART: tidy["final"]}, tuple(figure.panels))
    assert [dots(axes) for axes in larger.get_axes()] == [dots(axes) for axes in picture.get_axes()]

    def segments(picture):
        return sum(len(c.get_segments()) for axes in picture.get_axes() for c in axes.collections
                   if isinstance(c, LineCollection))  # fmt: skip

    assert segments(larger) > segments(picture)


def test_the_command_draws_the_sample_where_there_is_one(fig2, own_smoke, saved):
    results = own_smoke / "results"
    before = redraw(fig2, results, Path("before"))
    on_sample = CONFIRMATION.of(fig2.experiment)
    frame, page = tables.read(results, fig2.experiment.schemas["final"])
    tables.write(
        CONFIRMATION.folder_in(results), on_sample.schemas["final"], frame, {**page, "settings": {"scale": "smoke"}}
    )
    after = redraw(fig2, results, Path("after"))
    assert before[0].read_bytes() != after[0].read_bytes()
    # one that cannot be believed is not drawn
    (CONFIRMATION.folder_in(results) / "fig2_final.json").unlink()
    assert redraw(fig2, results, Path("again"))[0].read_bytes() == before[0].read_bytes()


def test_every_rule_has_a_colour_and_a_name():
    rules = {rule for figure in PERIODIC for rule in figure.rules}
    assert all(palette.colour(a) != palette.colour(b) for a, b in itertools.combinations(sorted(rules), 2))
    assert all(palette.name(a) != palette.name(b) for a, b in itertools.combinations(sorted(rules), 2))
    # one that nobody has chosen a colour or a name for has both, always the same
    assert palette.name("a new rule") == "a new rule"
    assert palette.colour("a new rule") in palette.OTHERS
    assert {palette.colour(f"rule {i}") for i in range(30)} == set(palette.OTHERS)
