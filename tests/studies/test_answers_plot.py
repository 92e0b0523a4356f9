"""The pictures of the answers, read from what is drawn in them."""

import itertools
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import matplotlib.colors as mcolors
import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.report.style import ANSWERS, SIGNS
from rflo_repro.report.words import short, tau
from rflo_repro.runs.request import RequestError
from rflo_repro.runs.sample import FIRST
from rflo_repro.stats.answers import Answered, clopper_pearson
from rflo_repro.studies import answers_legend, answers_plot, answers_small
from rflo_repro.studies.answers import Answers, claims_of, whole
from rflo_repro.studies.answers_look import COLUMNS, PALE, TINTS, mark, numbers
from rflo_repro.studies.answers_small import at_parts, chosen, in_short, said

RESULTS = Path(__file__).parents[2] / "results"
# Claims on rules of which the paper prints no learning rate
BORROWED = {
    "local-explains-the-gap", "random-feedback-is-free", "dale-costs-little", "recurrent-alone-fails",
    "local-is-behind", "random-feedback-is-free-elsewhere",
}  # fmt: skip
FIGURE_3 = ("intervals-as-good", "intervals-behind")


@pytest.fixture(scope="module")
def committed():
    """Those on the first sample, whose tables stay as they are."""
    return Answers(RESULTS).entries(FIRST)


@pytest.fixture(scope="module")
def entries(committed):
    """The committed ones, and Figure 3's with 5,000 batches on other networks."""
    return committed + [
        replace(entry, rates="batches", sample="confirm")
        for entry in committed
        if entry.claim.key in FIGURE_3 and entry.rates == "printed"
    ]


@pytest.fixture(scope="module")
def big(entries):
    with style.style():
        return answers_plot.picture(entries)


@pytest.fixture(scope="module")
def small(entries):
    with style.style():
        return answers_small.picture(entries)


def panel(picture, gid):
    return next(axes for axes in picture.axes if axes.get_gid() == gid)


def lines(axes):
    found = {}
    for line in axes.lines:
        found.setdefault(line.get_gid(), []).append(line)
    return found


def texts(axes):
    return {text.get_gid(): text for text in axes.texts if text.get_gid()}


def at(entry, answered, **changes):
    return replace(entry, part=replace(entry.part, answered=answered), **changes)


def of(entries, key, rates="printed", part=None):
    return next(e for e in entries if e.claim.key == key and e.rates == rates and part in (None, e.name))


def test_every_claim_has_its_words_and_a_number():
    known = [c for about in registry.figures().values() if about.computed for c in about.experiment.claims if c.key]
    assert all(claim.label and claim.over for claim in known)
    paper = [claim.key for claim in known if not claim.ours]
    assert numbers() == dict(zip(paper, map(str, range(1, 16)), strict=True))
    assert {claim.key for claim in known if claim.borrowed} == BORROWED
    assert set(SIGNS) == set(ANSWERS) - {"better"} == set(TINTS) == set(answers_legend.MEANINGS)
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_only_the_share_of_networks_that_learn_has_no_band(committed):
    assert {entry.claim.key for entry in committed if entry.part.test is None} == {"rflo-learns"}


def test_there_is_a_row_a_part(entries, big):
    rows = answers_plot.rows(entries)
    assert len(rows) == len({(e.claim.key, e.name, e.rates == "batches") for e in entries}) == 41 + 3
    assert sum(len(row.entries) for row in rows) == len(entries)
    assert list(dict.fromkeys(row.key for row in rows)) == [*claims_of(entries)]
    heights = [row.y for block in answers_plot.blocks(rows, 0.0) for row in block.rows]
    assert min(b - a for a, b in itertools.pairwise(heights)) >= answers_plot.ROW
    counts = Counter(gid.split("|")[0] for gid in (t.get_gid() or "" for t in big.axes[0].texts))
    assert counts["answer"] == len(entries)
    assert counts["over"] == len(claims_of(entries)) == 17


def test_marks_stand_where_the_numbers_are(entries, big):
    cosine, ratio, share = (lines(panel(big, gid)) for gid in ("cosine", "ratio", "share"))
    for entry in entries:
        found = entry.part.answered
        axes, (low, high) = (cosine, (-1, 1)) if entry.claim.key in answers_plot.COSINES else (ratio, (-2, 3))
        if math.isnan(found.median):
            assert mark(entry) not in ratio
        else:
            (drawn_mark,) = axes[mark(entry)]
            assert drawn_mark.get_xdata()[0] == min(max(found.median, low), high)
        if found.learned:
            (drawn_mark,) = share[mark(entry)]
            assert drawn_mark.get_xdata()[0] == found.learned[0] / found.n
        if len(found.learned) == 2:
            (bar,) = share[f"second|{mark(entry)}"]
            assert bar.get_xdata()[0] == found.learned[1] / found.n
            assert bar.get_ydata()[0] == drawn_mark.get_ydata()[0]
    shown = sorted(tuple(line.get_xdata()) for line in [*cosine["interval"], *ratio["interval"]])
    wanted = []
    for entry in entries:
        found = entry.part.answered
        low, high = (-1, 1) if entry.claim.key in answers_plot.COSINES else (-2, 3)
        if not math.isnan(found.median):
            wanted.append((min(max(found.low, low), high), min(max(found.high, low), high)))
    assert shown == sorted(wanted)
    learn = [e.part.answered for e in entries if e.claim.key == "rflo-learns"]
    assert sorted(tuple(line.get_xdata()) for line in share["interval"]) == sorted(
        clopper_pearson(found.learned[0], found.n) for found in learn
    )


def test_hollow_is_what_had_no_test_and_pale_what_is_borrowed(entries, big):
    marks = [lines(panel(big, gid)) for gid in ("cosine", "ratio", "share")]
    for entry in entries:
        for line in (line for of in marks for line in of.get(mark(entry), ())):
            hollow = mcolors.same_color(line.get_markerfacecolor(), "white")
            assert hollow == (entry.answer == "no test"), entry.key
            pale = mcolors.same_color(line.get_color(), PALE)
            assert pale == (entry.rates == "printed" and entry.claim.borrowed), entry.key
            assert line.get_marker() in {"printed": "o", "batches": "o", "tuned": "s", "clipped": "D"}[entry.rates]


def test_the_signs_are_the_answers(entries, big):
    said = texts(big.axes[0])
    for entry in entries:
        text = said[f"answer|{mark(entry)}"]
        assert text.get_text() == SIGNS[entry.answer]
        assert text.get_color() == ANSWERS[entry.answer]
        column = COLUMNS.index("printed" if entry.rates == "batches" else entry.rates)
        assert text.get_position()[0] == answers_plot.ANSWER[column]
        # on one height with the mark, whichever axes it is drawn in
        for axes in big.axes[1:]:
            for line in lines(axes).get(mark(entry), ()):
                at = [of.transData.transform((0.0, y))[1] for of, y in ((big.axes[0], text.get_position()[1]),
                                                                        (axes, line.get_ydata()[0]))]  # fmt: skip
                assert abs(at[0] - at[1]) < answers_plot.ROW / 2 * big.dpi / 100


def test_what_is_ours_lies_below_the_line(entries, big):
    said = texts(big.axes[0])
    y = {e.claim.ours: [] for e in entries}
    for entry in entries:
        y[entry.claim.ours].append(said[f"answer|{mark(entry)}"].get_position()[1])
    (line,) = (line for line in big.axes[0].lines if len(line.get_xdata()) == 2)
    assert max(y[False]) < line.get_ydata()[0] < min(y[True])


def test_a_yes_by_the_number_lies_in_the_green(committed):
    """The bands are those by which the answers are found."""
    seen = Counter()
    for entry in committed:
        test, found = entry.part.test, entry.part.answered
        if test is None or entry.answer == "no test":
            continue
        inside = test.low <= found.low and found.high <= test.high
        outside = found.high < test.low or found.low > test.high
        assert not (outside and entry.answer == "yes"), entry.key
        assert not (inside and entry.answer == "no" and found.share[2] >= -0.15), entry.key
        seen[inside, outside] += 1
    assert seen[True, False] > 10
    assert seen[False, True] > 5


@pytest.mark.parametrize("median", [-9.0, 5.0, math.inf])
def test_what_lies_beyond_the_axis_is_an_arrow_at_its_edge(committed, median):
    entry = of(committed, "as-low-as-bptt")
    found = Answered("no", 90, median, median - 1.0, median + 1.0, (80, 90), (-0.1, -0.2, 0.0))
    with style.style():
        drawn = answers_plot.picture([at(entry, found)])
    axes = lines(panel(drawn, "ratio"))
    (drawn_mark,) = axes[mark(entry)]
    edge, arrow = (3.0, ">") if median > 0 else (-2.0, "<")
    assert (drawn_mark.get_xdata()[0], drawn_mark.get_marker()) == (edge, arrow)
    assert {line.get_marker() for line in axes["beyond"]} == {arrow}


def test_what_had_no_networks_has_a_row_and_no_mark(committed):
    entry = at(of(committed, "dale-costs-little"), None)
    with style.style():
        drawn = answers_plot.picture([entry])
        answers_small.picture([entry])
    assert mark(entry) not in lines(panel(drawn, "ratio"))
    assert texts(drawn.axes[0])[f"answer|{mark(entry)}"].get_text() == "–"


def test_which_networks(entries):
    batches, *notes = answers_legend.notes(entries)
    said = " ".join(notes)
    assert batches.startswith("5,000 batches of ten trials")
    assert said.startswith("Claims 1–12, 15, ours; 13–14 (the paper's, tuned): networks seen before the rule")
    assert "still test it, n = 90 and 27. Claims" in said
    assert "Claims 13–14 (5,000 batches): other networks" in said
    larger = [
        replace(at(e, replace(e.part.answered, n=270)), sample="confirm") if e.name == "20 tau" else e for e in entries
    ]
    assert "n = 270 and 90" in " ".join(answers_legend.notes(larger))
    with style.style():
        drawn = answers_plot.picture(larger)
    said = texts(drawn.axes[0])
    assert [said[f"n|as-low-as-bptt|{p} tau"].get_text() for p in (20, 40)] == ["270", "90"]


def test_the_small_picture_has_the_whole_answers(entries, small):
    drawn, boxes = texts(small.axes[0]), {p.get_gid(): p for p in small.axes[0].patches}
    paper = {key: own for key, own in claims_of(entries).items() if not own[0].claim.ours}
    assert len(paper) == 15
    for key, own in paper.items():
        assert drawn[f"claim|{key}"].get_text() == tau(own[0].claim.label)
        for kind in COLUMNS:
            rates = "batches" if kind == "clipped" and key in FIGURE_3 else kind
            asked = [entry for entry in own if entry.rates == rates]
            if not asked:
                assert drawn[f"cell|{key}|{kind}"].get_text() == "not asked"
                continue
            # of two halves, which say where, the last drawn is what does not hold
            answer, word = said(asked)[-1]
            assert answer == whole(own, rates)
            assert drawn[f"word|{key}|{kind}"].get_text() == tau(word)
            assert drawn[f"answer|{key}|{kind}"].get_text() == SIGNS[answer]
            assert mcolors.same_color(boxes[f"box|{key}|{kind}"].get_facecolor(), TINTS[answer])
            assert drawn[f"cell|{key}|{kind}"].get_text() == tau(in_short(asked))


def test_an_answer_names_its_parts_where_others_have_another(entries):
    def of_claim(key, rates):
        return [entry for entry in entries if entry.claim.key == key and entry.rates == rates]

    assert [said(of_claim(key, "tuned")) for key in ("bptt-ahead", "dale-costs-little", "alignment-rises")] == [
        [("yes", "yes: 80 tau")], [("no", "no: 20 tau")], [("yes", "yes")],
    ]  # fmt: skip
    learns = of_claim("rflo-learns", "printed")
    assert said(learns) == [("yes", "20, 40 tau"), ("no", "80, 160 tau")]
    assert [at_parts(learns, answer) for answer in ("yes", "open")] == ["20, 40 tau", ""]


def spill(picture, gids, right):
    """The texts of these kinds that go farther right than they may."""
    found = []
    for text in picture.axes[0].texts:
        kind = (text.get_gid() or "").split("|")[0]
        if kind in gids:
            end = text.get_window_extent().x1 / picture.dpi * 100.0
            limit = right(text)
            found += [(text.get_text(), end, limit)] if end > limit else []
    return found


def test_words_stay_in_their_places(big, small):
    cells = answers_small.CELLS
    assert spill(small, {"claim", "over"}, lambda text: cells) == []

    def cell(text):
        i = int((text.get_position()[0] - cells) // answers_small.CELL)
        label = texts(small.axes[0]).get((text.get_gid() or "").replace("cell|", "at|"))
        return label.get_window_extent().x0 / small.dpi * 100 if label else cells + (i + 1) * answers_small.CELL - 3

    assert spill(small, {"cell"}, cell) == []
    left = {}
    for text in big.axes[0].texts:
        gid = (text.get_gid() or "").split("|")
        if gid[0] == "part":
            left[gid[1]] = min(left.get(gid[1], 999.0), text.get_window_extent().x0 / big.dpi * 100)
    assert spill(big, {"claim", "over"}, lambda text: left.get(text.get_gid().split("|")[1], answers_plot.PART)) == []
    for picture in (big, small):
        width = picture.get_figwidth() * 100
        assert [
            t.get_text() for t in picture.axes[0].texts if t.get_window_extent().x1 / picture.dpi * 100 > width
        ] == []
    assert (small.get_figwidth(), big.get_figwidth()) == (8.3, 8.3)
    assert small.get_figheight() * 100 <= 520


def test_the_effect_is_the_number_that_decides(committed):
    def said(entry, answered):
        return short(entry.claim, replace(entry.part, answered=answered))

    entry = of(committed, "bptt-ahead", part="80 tau")
    by_loss = Answered("yes", 90, 1.0, 0.5, 1.5, (20, 47), (-0.3, -0.46, -0.11))
    assert said(entry, by_loss) == "10 times the loss"
    assert said(entry, replace(by_loss, median=0.2, low=-0.1)) == "learned 20 and 47 of 90"
    same = of(committed, "as-low-as-bptt")
    assert said(same, replace(by_loss, answer="no", low=0.4)) == "learned 20 and 47 of 90"


def test_errors_of_intervals_are_in_tau(committed):
    entry = of(committed, "intervals-as-good")
    assert entry.part.medians == pytest.approx((1.55, 0.2))
    assert short(entry.claim, entry.part) == "off by 1.55 τ against 0.20"


def test_which_part_stands_for_a_claim(committed):
    own = [e for e in committed if e.claim.key == "dale-costs-little" and e.rates == "printed"]

    def answered(*answers):
        return [at(e, replace(e.part.answered, answer=a)) for e, a in zip(own, answers, strict=True)]

    for answers, first in (
        (("yes", "worse", "no", "no test"), 2),
        (("yes", "no test", "worse", "open"), 3),
        (("yes", "no test", "worse", "no test"), 2),
        (("no test", "yes", "yes", "yes"), 1),
        (("no test",) * 4, 0),
    ):
        found = answered(*answers)
        assert chosen(found) is found[first]
    learn = [e for e in committed if e.claim.key == "rflo-learns" and e.rates == "printed"]
    assert in_short(learn) == "learned 89, 61, 9, 0 of 90"
    fewer = [at(e, replace(e.part.answered, n=180)) if e.name == "160 tau" else e for e in learn]
    assert in_short(fewer) == "learned 99, 68, 10, 0 of 100"


def test_without_tables_it_is_refused():
    with pytest.raises(RequestError, match="has no tables that answer a claim"):
        answers_plot.draw(Answers(Path("nothing")), Path("figures"))
    run = CliRunner().invoke(cli, ["plot", "answers", "--results", "nothing"], env={"COLUMNS": "200"})
    assert run.exit_code == 2
    assert run.output.splitlines()[-1].startswith("Error: Invalid value for '--results': nothing has no tables")
    run = CliRunner().invoke(cli, ["plot", "answers", "--panel", "a"], env={"COLUMNS": "200"})
    assert run.exit_code == 2
    assert "'--panel': `answers` has no panels" in run.output
    assert list(Path().iterdir()) == []


def test_the_command_draws_both_and_always_the_same_bytes(monkeypatch, entries):
    monkeypatch.setattr(Answers, "entries", lambda known, only=None: entries[::12])
    run = CliRunner().invoke(cli, ["plot", "answers", "--figures", "drawn"])
    assert run.exit_code == 0, run.output
    names = [f"answers{small}.{kind}" for small in ("", "_small") for kind in ("png", "pdf")]
    assert {path.name for path in Path("drawn").iterdir()} == {*names, "learned.png", "learned.pdf"}
    assert all(f"drawn/{name}" in run.output for name in names)
    again = answers_plot.draw(Answers(Path("results")), Path("again"))
    assert [path.name for path in again] == names
    assert all(path.read_bytes() == Path("drawn", path.name).read_bytes() for path in again)
