"""The multiverse: a balanced design, each variant a run of its figure, judged as the figure is."""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.text import Text
from prose import words

from rflo_repro.cli import cli
from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.runs.choices import declared
from rflo_repro.runs.request import Selection
from rflo_repro.stats.by_losses import by_losses
from rflo_repro.studies.answers import Answers
from rflo_repro.studies.multiverse import PANELS, closest, counts, counts_plot, design, wording
from rflo_repro.studies.multiverse.experiment import EXPERIMENT, SCHEMAS, conditions_of, variants
from rflo_repro.studies.multiverse.plot import effect_label, values_of
from rflo_repro.studies.sections import of_experiment

PAPER, SMOKE = EXPERIMENT.scales["paper"], EXPERIMENT.scales["smoke"]
FIGURES = [figure for part in PANELS.values() for figure in part]


def unevenness(columns: np.ndarray) -> float:
    """The largest distance of a count of pairs from what it would be if all were alike, in variants."""
    n, k = columns.shape
    worst = 0.0
    for one in range(k):
        for other in range(one):
            counts = np.zeros((columns[:, one].max() + 1, columns[:, other].max() + 1))
            np.add.at(counts, (columns[:, one], columns[:, other]), 1)
            worst = max(worst, abs(counts - n / counts.size).max())
    return worst


def test_the_design_is_balanced_by_value_and_by_pair():
    levels, n = (6, 2, 3, 3, 2, 5, 3), 96
    found = design.balanced(levels, n)
    for column, k in zip(found.T, levels, strict=True):
        counts = np.bincount(column, minlength=k)
        assert len(counts) == k
        assert counts.max() - counts.min() <= 1
    assert unevenness(found) <= 1.5
    # columns that are balanced one by one are far from it
    rng = np.random.default_rng(1)
    alone = np.stack([rng.permutation(np.arange(n) % k) for k in levels], axis=1)
    assert unevenness(alone) > 3.0
    assert (design.balanced(levels, n) == found).all()
    assert (design.balanced(levels, n, seed=2) != found).any()


@pytest.mark.parametrize("figure", FIGURES)
def test_a_variant_is_made_of_declared_alternatives(figure):
    of_figure = declared(registry.figures()[figure].experiment.scales["paper"])
    known = {name: choice for name, choice in of_figure.items() if not choice.printed}
    assert known != of_figure
    together = {(name, other.value) for name, c in known.items() for other in c.alternatives if not other.excluded}
    apart = {(name, other.value) for name, c in known.items() for other in c.alternatives if other.excluded}
    all_of = variants(figure, PAPER)
    assert [variant.number for variant in all_of] == list(range(len(all_of)))
    assert all_of[0].kind == "as chosen"
    assert not all_of[0].sets
    joint = [variant for variant in all_of if variant.kind == "joint"]
    assert len(joint) == PAPER.n_variants(figure)
    assert {pair for variant in joint for pair in variant.sets.items()} == together
    alone = [tuple(variant.sets.items()) for variant in all_of if variant.kind == "alone"]
    assert {pair for (pair,) in (sets for sets in alone if len(sets) == 1)} == apart
    assert all(pair in apart for sets in alone for pair in sets[-1:])
    assert all(pair in together for sets in alone for pair in sets[:-1])
    assert len(set(alone)) == len(alone) == PAPER.n_contexts(figure) * len(apart)


def test_an_alternative_excluded_from_the_design_is_tried_with_one_other_choice_where_both_can_be():
    within = design.contexts("fig2", 6, {"online": True})
    assert within == [{}, *({name: value} for sets in within[1:] for name, value in sets.items())]
    assert len(within) == 6
    assert not any("clip" in sets for sets in within)  # it is refused within the trial
    assert {"clip": 0.3} in design.contexts("fig2", 6, {"n_trials": 3000})
    assert design.contexts("fig2", 1, {"online": True}) == [{}]


@pytest.mark.parametrize("figure", FIGURES)
def test_what_a_variant_chooses_can_be_read_back_from_its_row(figure):
    varied = design.alternatives(figure)
    mine = [variant for variant in variants(figure, PAPER) if variant.kind != "alone"]
    found = values_of(pd.DataFrame({"choices": [variant.written for variant in mine]}), varied)
    assert [{name: v for name, v in of.items() if v != next(iter(varied[name]))} for of in found] == [
        dict(variant.sets) for variant in mine
    ]


def test_each_variant_of_figure_2_is_another_run_at_the_printed_rates():
    all_of = variants("fig2", SMOKE)
    plain, *others = (conditions_of(variant, SMOKE) for variant in all_of if variant.sets or variant.number == 0)
    assert len(others) > 2
    figure = registry.figures()["fig2"].experiment
    own = figure.conditions(figure.scales["smoke"], Selection(periods_tau=SMOKE.periods_tau))
    assert [c.values for c in plain] == [c.values for c in own]
    for found in others:
        assert [c.jobs for c in found] != [c.jobs for c in plain]


def test_every_claim_has_the_conditions_that_it_reads(tmp_path):
    """Such as the untrained networks that alignment is compared with."""
    for panel, figures in PANELS.items():
        periods = ("--set", "periods_tau=20,40,80,160", "--set", "periods_supplements=20,40,80,160")
        few = [
            f"--set={name}" for name in ("n_rec=20", "n_fig2=0", "n_fig3=0", "n_fig4=0", "n_supplements=0", "n_named=1")
        ]
        where = ("--scale", "smoke", "--panel", panel, "--no-plot", "-q", "--results", str(tmp_path))
        done = CliRunner().invoke(cli, ["multiverse", *where, *periods, *few])
        assert done.exit_code == 0, done.output
        frame = pd.read_csv(tmp_path / "readings.csv")
        for figure in figures:
            chosen = frame[(frame.figure == figure) & (frame.reading == 0)]
            claims = registry.figures()[figure].experiment.claims
            assert set(chosen.claim) == {claim.name for claim in claims if claim.varied}
            # of what cannot be tested only that has a number which neither condition learned
            longer = chosen.part.isin(["to 20 τ", "to 25 τ"])  # not among the variants of Figure 3
            lacking = chosen[chosen.estimate.isna() & chosen.primary & ~longer]
            assert not len(lacking), lacking[["claim", "part"]]


def test_figure_4_has_the_fewest_networks_that_can_decide_its_claim():
    (claim,) = registry.figures()["fig4"].experiment.claims
    losses = {"loop": 0.005, "rflo": 0.1, "bptt": 0.1}

    def said(n):
        rows = [(rule, network, 0.3, loss) for rule, loss in losses.items() for network in range(n)]
        final = pd.DataFrame(rows, columns=["rule", "network", "first_loss", "sequence_loss"]).assign(rates="tuned")
        (finding,) = claim.findings({"final": final})
        return set(by_losses(finding.parts))

    assert said(PAPER.networks_fig4) == {"yes"}
    assert said(PAPER.networks_fig4 - 1) == {"open"}


def test_figure_3_is_read_with_the_shortest_delays():
    found = conditions_of(variants("fig3", SMOKE)[0], SMOKE)
    assert {(c.values["rule"], c.values["longest_tau"]) for c in found} == {("rflo", 15), ("bptt", 15)}


def test_a_part_at_a_time_and_the_rows_of_the_others_stay(saved, tmp_path):
    options = ["--scale", "smoke", "--results", str(tmp_path), "--figures", str(tmp_path)]
    for panel, drawn in (("a", ["--no-plot"]), ("b", [])):
        done = CliRunner().invoke(cli, ["multiverse", "--panel", panel, *options, *drawn])
        assert done.exit_code == 0, done.output
    parts, final = (tables.read(tmp_path, SCHEMAS[part])[0] for part in ("readings", "final"))
    for frame in (parts, final):
        assert set(frame.figure) == {"fig2", "fig3"}
        for figure in ("fig2", "fig3"):
            mine = frame[frame.figure == figure]
            assert set(mine.reading) == {variant.number for variant in variants(figure, SMOKE)}
    for figure in ("fig2", "fig3"):
        claims = {claim.name for claim in registry.figures()[figure].experiment.claims if claim.varied}
        assert set(parts[parts.figure == figure].claim) == claims
    assert [name for name in saved if name.startswith("multiverse-b_fig3")]
    done = CliRunner().invoke(cli, ["plot", "multiverse", *options])
    assert "panel c left out" in done.output
    for claim, rows in parts[parts.figure == "fig2"].groupby("claim"):
        picture = saved[f"multiverse_fig2_{wording.slug(claim)}"]
        shown = [axes.get_title("left").split("\n")[0] for axes in picture.axes if axes.get_title("left")]
        assert shown == [wording.part(part) for part in rows.part.unique()]


def judged(variant, inside, choices="", kind="joint", primary=True):
    """The rows of one variant in the table, a part of a claim each."""
    return pd.DataFrame(
        {"reading": variant, "kind": kind, "choices": choices, "primary": primary, "inside": inside},
        index=range(len(inside)),
    )


def test_closest_is_where_most_statements_have_their_estimate_and_of_a_tie_where_they_lie_farthest_inside():
    frame = pd.concat(
        [
            judged(0, [0.1, -2.0, np.nan], kind="as chosen"),
            judged(1, [0.1, 0.1, -0.1], "h0=0.5"),
            judged(2, [0.2, 0.1, -0.2], "clip=0.3"),
            judged(3, [np.inf, np.nan, -0.1], "clip=0.1"),
            # neither alternatives that are tried alone nor parts that decide nothing
            judged(4, [1.0, 1.0, 1.0], "online=true", kind="alone"),
            judged(3, [5.0, 5.0, 5.0], "clip=0.1", primary=False),
        ],
        ignore_index=True,
    )
    found = closest.ranking(frame)
    assert list(found.reading) == [2, 1, 3, 0] or list(found.reading) == [1, 2, 3, 0]
    assert list(found.n_inside) == [2, 2, 1, 1]
    assert set(found.n) == {3}
    sums = dict(zip(found.reading, found.inside, strict=True))
    assert sums == pytest.approx({1: 0.1, 2: 0.1, 3: 3.0 - 3.0 - 0.1, 0: 0.1 - 2.0 - 3.0})
    frame.loc[frame.choices == "clip=0.3", "inside"] += 0.05
    assert closest.ranking(frame).iloc[0].choices == "clip=0.3"


def test_the_closest_variant_is_drawn_on_networks_that_did_not_find_it(saved, tmp_path):
    options = ["--scale", "smoke", "--results", str(tmp_path), "--figures", str(tmp_path)]
    none = CliRunner().invoke(cli, ["multiverse", "--closest", "fig2", *options], env={"COLUMNS": "200"})
    assert none.exit_code == 2
    assert "run `rflo-repro multiverse" in none.output
    assert not list(tmp_path.iterdir())
    assert CliRunner().invoke(cli, ["multiverse", "--panel", "a", "--no-plot", *options]).exit_code == 0
    done = CliRunner().invoke(cli, ["multiverse", "--closest", "fig2", *options])
    assert done.exit_code == 0, done.output
    (said,) = [line for line in done.output.splitlines() if line.startswith("variant  ")]
    frame = tables.read(tmp_path, SCHEMAS["readings"])[0]
    first = closest.ranking(frame[frame.figure == "fig2"]).iloc[0]
    assert f" {first.reading}: {first.choices or 'the baseline'} " in said
    page = json.loads((tmp_path / "fig2_closest_final.json").read_text())
    assert page["settings"]["choices"]["seed"] == 90212
    drawn = (tmp_path / "fig2_closest.png").read_bytes()
    assert [axes.get_title("left") for axes in saved["fig2_closest"].get_axes()][-3:] == ["b", "c", "d"]
    (tmp_path / "fig2_closest.png").unlink()
    # the baseline has no tables here: what there is is drawn
    assert CliRunner().invoke(cli, ["plot", "fig2", *options]).exit_code == 0
    assert (tmp_path / "fig2_closest.png").read_bytes() == drawn
    section = of_experiment(registry.figures()["fig2"], Answers(tmp_path), tmp_path)
    picture = next(p for p in section.pictures if p.path.name == "fig2_closest.png")
    under = f": {first.choices.replace('; ', ', ') or 'the baseline'}, on 2 networks that were not used to find it"
    assert under in picture.caption


def test_the_closest_variant_is_a_run_of_its_figure():
    figure = registry.figures()["fig2"]
    found = closest.experiment(figure, "clip=0.3; h0=uniform").scales["paper"]
    assert (found.clip, found.h0, found.seed, found.n_networks) == (0.3, "uniform", 90212, 27)
    assert found.n_trials == figure.experiment.scales["paper"].n_trials


def test_the_assumptions_say_what_ten_times_the_trials_do_at_160_tau():
    root = Path(__file__).parents[2]
    frame, _ = tables.read(root / "results", SCHEMAS["readings"])
    final, _ = tables.read(root / "results", SCHEMAS["final"])
    final = final[(final.figure == "fig2") & final.condition.str.contains("period_tau=160")]
    longest = frame[(frame.figure == "fig2") & (frame.claim == "BPTT ahead at long periods") & (frame.part == "160 τ")]
    longest = longest.set_index("choices")
    more, bound = longest.loc["n_trials=100000"], longest.loc["clip=0.3; n_trials=100000"]
    medians = (
        final.groupby(["reading", "condition"]).final_loss.median().unstack().rename(columns=lambda name: name[5:9])
    )
    of_more, of_bound = medians.loc[more.reading], medians.loc[bound.reading]
    said = words("docs/assumptions/figure-2.md")
    assert f"{-more.estimate:.2f} ({-more.high:.2g}, {-more.low:.2f}) decades below" in said
    assert f"BPTT stays at {of_more.bptt:.3f}" in said
    assert f"comes to {of_more.rflo:.3f}" in said
    assert f"BPTT comes to {of_bound.bptt:.2g} and RFLO to {of_bound.rflo:.2f}" in said


def committed():
    return tables.read(Path(__file__).parents[2] / "results", SCHEMAS["readings"])[0]


@functools.cache
def committed_pictures(panel):
    found, notes = EXPERIMENT.draw({"readings": committed()}, [panel])
    assert not notes
    return found


def titles(picture):
    return [axes.get_title("left").split("\n") for axes in picture.axes if axes.get_title("left")]


def test_the_curve_counts_the_variants_that_combine_choices_and_names_those_excluded():
    picture = committed_pictures("b")["fig3"]
    rows = committed()[(committed().figure == "fig3") & (committed().part == "to 15 τ")]
    joint = rows[rows.kind != "alone"]
    inside, tested = (joint.inside > 0.0).sum(), joint.inside.notna().sum()
    said = f"holds in {inside} of {tested}, no test in {len(joint) - tested}"
    assert titles(picture) == [["delays up to 15 τ", said]]
    assert tested < len(joint) < len(rows)
    curve, matrix, moved = picture.axes
    assert curve.get_ylabel() == "RFLO over BPTT,\nerror of the peak"
    assert [tick.get_text() for tick in curve.get_yticklabels()] == ["1", "×3", "×10", "×30"]
    together, apart, baseline = (len(marks.get_offsets()) for marks in curve.collections[1:])
    assert (together, apart, baseline) == (len(joint), len(rows) - len(joint), 1)
    labels = [tick.get_text() for tick in matrix.get_yticklabels()]
    assert labels[:2] == ["initial state: baseline", "h(0) = 0.1"]
    inside, outside, untested = (np.array(line.get_ydata()) for line in matrix.get_lines()[:3])
    for name, value in (("optimizer: RMSprop", "optimizer=rmsprop"), ("updates: RFLO within the trial", "online=true")):
        at, of = labels.index(name), rows[rows.choices.str.contains(value)]
        marks = [int((y == at).sum()) for y in (inside, outside, untested)]
        assert marks == [(of.inside > 0.0).sum(), (of.inside <= 0.0).sum(), of.inside.isna().sum()]
        assert sum(marks) > 0
    assert moved.get_xlabel() == "moves it by"


def test_a_part_that_only_an_excluded_variant_has_is_not_drawn():
    assert "160 τ" in set(committed()[committed().figure == "fig2-dale"].part)
    picture = committed_pictures("d")["fig2_dale"]
    assert [part for part, _ in titles(picture)] == ["20 τ", "40 τ"]
    labels = [tick.get_text() for axes in picture.axes for tick in axes.get_yticklabels()]
    assert "trials: 3,000" in labels
    assert "100,000" not in labels


def test_each_claim_has_a_picture_that_can_be_read_at_830_pixels():
    for panel, figures in PANELS.items():
        found = committed_pictures(panel)
        mine = counts.statements(committed()[committed().figure.isin(figures)])
        shown = mine.drop_duplicates(["figure", "claim"])
        assert len(found) == len(shown) + 1
        for name, picture in found.items():
            width, height = picture.get_size_inches()
            assert (width, height <= 11.0) == (8.3, True), name
            texts = [text for text in picture.findobj(Text) if text.get_text() and text.get_visible()]
            assert min(text.get_fontsize() for text in texts) >= 7
        claims = {picture.get_suptitle().partition(": ")[2] for name, picture in found.items() if name}
        assert claims == {wording.claim(claim) for claim in shown.claim}
    assert not any(claim.startswith(counts.ADDITIVE) for claim in counts.statements(committed()).claim)


def test_every_part_of_a_claim_is_named_in_plain_words():
    for row in counts.statements(committed()).drop_duplicates(["claim", "part"]).itertuples():
        assert row.claim in wording.CLAIMS
        assert wording.effect(row.claim, row.part) != "effect"
    for figure in FIGURES:
        assert figure in wording.FIGURES
    assert wording.part("80 τ, as RFLO") == "80 τ: as good as RFLO"
    assert wording.claim("of one's own") == "of one's own"
    assert wording.slug("Dale's law costs little") == "dales-law-costs-little"


def test_variants_are_counted_by_where_their_median_lies():
    rows = pd.concat(
        [
            judged(0, [0.1, np.nan], kind="as chosen"),
            judged(1, [0.2, -0.1]),
            judged(2, [-0.2, np.nan]),
            judged(3, [0.0, 3.0]),
            judged(4, [9.0, 9.0], kind="alone"),
        ]
    ).assign(figure="fig2", claim="a claim", estimate=0.0, n_networks=9)
    rows["part"] = np.where(rows.index == 0, "20 τ", "40 τ")
    others = rows.assign(claim=f"{counts.ADDITIVE} at every period"), rows.assign(claim="unmeasured", estimate=np.nan)
    beside = rows.assign(claim="beside", primary=False)
    found = counts.counts(pd.concat([rows, *others, beside], ignore_index=True))
    assert list(found.claim) == ["a claim", "a claim"]
    assert found[["part", "n_inside", "n_tested", "n"]].to_numpy().tolist() == [["20 τ", 2, 4, 4], ["40 τ", 1, 2, 4]]
    assert found.baseline.tolist() == [True, pd.NA]
    assert not len(counts.counts(rows.iloc[:0]))
    assert counts_plot.draw(rows.iloc[:0]) is None


def test_the_bars_are_the_counts():
    picture = counts_plot.draw(committed())
    (axes,) = picture.axes
    found = counts.counts(committed())
    bars = np.array([bar.get_width() for bar in axes.patches if bar.get_height() > 0.7]).reshape(len(found), 3)
    np.testing.assert_allclose(bars.sum(axis=1), 1.0)
    np.testing.assert_allclose(bars[:, 0] * found.n, found.n_inside)
    np.testing.assert_allclose(bars[:, 2] * found.n, found.n - found.n_tested)
    texts = [text.get_text() for text in axes.texts]
    assert [text for text in texts if " of " in text and text[0].isdigit()] == [
        f"{row.n_inside} of {row.n_tested}" for row in found.itertuples()
    ]
    assert sum(text.endswith("no test") for text in texts) == (found.n_tested < found.n).sum()
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert len(labels) == len(found)
    assert labels[:2] == ["RFLO ends about as low as BPTT,  20 τ", "40 τ"]
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
    filled = [line.get_fillstyle() == "full" if line.get_marker() == "o" else pd.NA for line in marks]
    assert [str(mark) for mark in filled] == [str(baseline) for baseline in found.baseline]
    said = picture.legends[0].get_title().get_text()
    assert "With 7 or 9 networks a variant nothing is sure for any one of them: medians are counted." in said


def test_an_effects_axis_has_the_unit_that_the_claim_is_judged_in():
    frame, _ = tables.read(Path(__file__).parents[2] / "results", SCHEMAS["readings"])
    said = {claim: effect_label(rows) for claim, rows in frame.groupby("claim")}
    assert said["comparable at short periods"] == said["as good on intervals to 15 tau"] == "effect, decades"
    assert said["alignment rises"] == "effect"
    assert said["more alignment at shorter periods"] == "effect, per decade of the period"
