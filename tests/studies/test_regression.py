"""`rflo-repro check`: references to the byte, and the first thing that differs."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from rflo_repro.runs import generation
from rflo_repro.runs.request import JobError
from rflo_repro.studies import records, reference_runs, regression
from rflo_repro.studies.records import digest, record
from rflo_repro.studies.registry import studies
from rflo_repro.studies.regression import compare


def session(n_trials=60, **arrays):
    loss = 1.0 / np.arange(1, n_trials + 1)
    return {"loss": loss, "y": np.linspace(0.0, 1.0, 7), "diverged": np.array(False), **arrays}


def named(arrays, network=0):
    return {f"full: fig2, rflo 20 tau, network {network}": record(arrays)}


def test_this_source_and_this_machine_have_the_references_of_every_rule():
    """The first trials of the stored networks."""
    assert dict(reference_runs.short_runs()) == {n: r for n, r in regression.read().items() if n.startswith("short")}


@pytest.mark.long
def test_this_source_and_this_machine_have_all_references():
    """The command itself, at full length."""
    out = io.StringIO()
    assert regression.check(Console(file=out), None), out.getvalue()
    said = [line for line in out.getvalue().splitlines() if line.endswith("identical")]
    assert [line.split(":")[0] for line in said] == list(regression.KINDS)


def test_the_references_are_of_every_session_and_three_periods_are_held_at_full_length():
    references = regression.read()
    names = list(reference_runs.jobs())
    assert [name for name in references if not name.startswith(("short", "small"))] == names
    for period in (20, 40, 80):
        for rule in ("bptt", "rflo"):
            full = [n for n in names if n.startswith("full") and f"{rule} {period} tau" in n]
            assert len(full) == 9
            assert {list(references[name].loss)[-1] for name in full} == {"10000"}


def test_every_study_is_held_by_the_first_network_of_its_conditions():
    held = [name.removeprefix("study: ").split(",")[0] for name in regression.read() if name.startswith("study")]
    assert set(held) == {name for name, about in studies().items() if about.computed and not about.timed}
    jobs = reference_runs.jobs()
    assert len(set(jobs.values())) == len(
        [name for name in jobs if not name.startswith(("smoke", "full", "confirm"))]
    ) + len({job for name, job in jobs.items() if name.startswith(("smoke", "full", "confirm"))})


def test_some_of_those_that_claims_are_judged_on_are_held_at_full_length():
    references = regression.read()
    held = [name for name in references if name.startswith("confirm")]
    assert len(held) == 2 * reference_runs.N_SAMPLED
    assert {list(references[name].loss)[-1] for name in held} == {"10000"}
    (seed,) = {r.seed for c in reference_runs.conditions() if c.label.startswith("confirm") for r in c.jobs}
    assert seed == 90213


def test_one_bit_of_one_loss_is_named_by_session_trial_and_both_values():
    before, after = session(), session()
    after["loss"][4] = np.nextafter(after["loss"][4], 1.0)
    found, references = named(after) | named(session(), 1), named(before) | named(session(), 1)
    lines = compare(found, references)
    assert lines[0].line == "short: 0 sessions identical"
    assert not lines[2].good
    assert lines[2].line == (
        "full: fig2, rflo 20 tau, network 0: loss of trial 5: 0.20000000000000004, reference 0.2 "
        "(1 of 2 full sessions differ)"
    )
    assert compare(references, references)[2] == ("full: 2 sessions identical", True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a["loss"].__setitem__(32, 0.5), "loss between the trials above: digest "),
        (lambda a: a["y"].__setitem__(3, np.nextafter(a["y"][3], 1.0)), "y: digest "),
        (lambda a: a.update(y=a["y"].reshape(7, 1)), "y: digest "),
        (lambda a: a.update(more=np.zeros(2)), "more: digest "),
        (lambda a: a.pop("y"), "y: digest None, reference "),
        (lambda a: a.update(diverged=np.array(True)), "diverged: digest "),
        (lambda a: a["loss"].__setitem__(slice(50, None), np.nan), "loss of trial 60: None, reference "),
        (lambda a: a.update(loss=a["loss"][:50]), "50 trials, reference 60"),
    ],
)
def test_whatever_differs_is_seen(change, said):
    changed = session()
    change(changed)
    assert f"network 0: {said}" in compare(named(changed), named(session()))[2].line


def test_sessions_that_only_one_side_has():
    one, both = named(session()), named(session()) | named(session(), 1)
    new, gone = compare(both, one)[2], compare(one, both)[2]
    assert new == ("full: 1 sessions identical; 1 new, no reference yet, the first fig2, rflo 20 tau, network 1", True)
    assert gone.line.endswith("network 1: there is only a reference (1 of 2 full sessions differ)")
    assert not gone.good


def test_digests_are_of_values_and_not_of_their_storage():
    values = np.array([[0.1, np.nan], [2.0, -3.0]])
    other_nan = values.copy()
    other_nan.view(np.uint64)[0, 1] |= np.uint64(1 << 63)
    same = [values.astype(">f8"), np.asfortranarray(values), values[:, ::-1].copy()[:, ::-1], other_nan]
    assert {digest(array) for array in same} == {digest(values)}
    assert digest(values.ravel()) != digest(values)
    assert digest(np.array([1, 2], dtype=np.int32)) == digest(np.array([1, 2]))
    assert digest(np.array(0.0)) != digest(np.array(-0.0))
    assert digest(np.array(["w", "w_out"])) != digest(np.array(["w", "w_in"]))


def test_a_record_survives_its_file():
    """Decimal numbers are read back as the doubles that they were."""
    arrays = session()
    arrays["loss"] = np.random.default_rng(0).lognormal(size=60)
    arrays["loss"][-1] = np.inf
    before = record(arrays)
    page = json.loads(json.dumps({"loss": before.loss, "digests": before.digests}))
    assert records.Record(**page) == before
    assert before.loss["60"] is None
    assert replace(before, loss={}) != before


def test_json_says_what_the_lines_say(monkeypatch, capsys):
    after = session()
    after["loss"][4] = np.nextafter(after["loss"][4], 1.0)
    monkeypatch.setattr(regression, "read", lambda: named(session()))
    for arrays, identical in ((session(), True), (after, False)):
        monkeypatch.setattr(regression, "computed", lambda *_, found=arrays: named(found))
        assert regression.check(Console(file=io.StringIO()), None, as_json=True) == identical
        said = json.loads(capsys.readouterr().out)
        assert said["identical"] == identical
        assert [kind["good"] for kind in said["kinds"]] == [True, True, identical, True, True, True]
        assert ("trial 5" in said["kinds"][2]["line"]) != identical


@pytest.fixture
def written(monkeypatch):
    """What is written into the package: names of files and their new contents, in order; and a run that is all there
    is."""
    files = []

    def written_generation(new):
        files.append(("generation", new))

    monkeypatch.setattr(regression, "read", lambda: named(session()))
    monkeypatch.setattr(regression, "computed", lambda *_: named(session()))
    monkeypatch.setattr(regression, "_write_generation", written_generation)
    monkeypatch.setattr(regression, "write", lambda kept: files.append(("references", dict(kept))))
    return files


def checked(**options):
    out = io.StringIO()
    good = regression.check(Console(file=out, width=200), None, **options)
    return good, out.getvalue().splitlines()


def test_a_source_that_was_proven_already_is_not_added_again(written):
    good, said = checked(accept=True)
    assert (good, said[-1]) == (True, "generation 1 has this source already")
    assert [name for name, _ in written] == ["references"]


def test_what_is_new_becomes_a_reference(written, monkeypatch):
    both = named(session()) | named(session(), 1)
    monkeypatch.setattr(regression, "computed", lambda *_: both)
    assert checked(accept=True)[0]
    assert written == [("references", both)]


def test_a_source_that_is_unproven_is_said_to_be(written, monkeypatch):
    known = replace(generation.read(), sources=(), tables=())
    monkeypatch.setattr(generation, "read", lambda: known)
    good, said = checked()
    assert good
    assert said[-1] == "the present source is unproven: `rflo-repro check --accept` adds it to the generation"
    good, said = checked(accept=True)
    assert good
    assert said[-1].startswith("accepted: generation 1 has this source, ")
    assert [name for name, _ in written] == ["references", "generation"]
    assert written[1][1].sources == (regression.present_source(),)


def test_nothing_is_written_if_anything_differs_or_the_source_changed_meanwhile(written, monkeypatch):
    after = session()
    after["y"][0] = 0.5
    monkeypatch.setattr(regression, "computed", lambda *_: named(after))
    good, said = checked(accept=True)
    assert (good, said[-1]) == (False, "refused: the present source is not of generation 1")
    monkeypatch.setattr(regression, "computed", lambda *_: {})
    assert not checked(accept=True)[0]
    monkeypatch.setattr(regression, "computed", lambda *_: named(session()))
    sources = iter([generation.Source("before", ()), generation.Source("after", ())])
    monkeypatch.setattr(regression, "present_source", lambda: next(sources))
    with pytest.raises(JobError, match="the source was changed while it was checked"):
        checked(accept=True)
    assert written == []


def test_a_new_generation_is_written_before_its_references(written, monkeypatch):
    """Whoever is killed between the two has no old generation with other references."""
    after = session()
    after["y"][0] = 0.5
    monkeypatch.setattr(regression, "computed", lambda *_: named(after))
    good, said = checked(new_generation=True)
    assert good
    assert said[-1].startswith("generation 2 begins with this source, ")
    (_, begun), (_, references) = written
    assert [name for name, _ in written] == ["generation", "references"]
    assert references == named(after)
    assert (begun.number, begun.sources, begun.tables) == (2, (regression.present_source(),), ())
    assert begun.name != generation.read().name
