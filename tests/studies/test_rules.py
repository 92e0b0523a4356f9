"""What a step of credit assignment buys: what is run, counted, claimed and drawn; and the search for its rates."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.learning.algorithms import multiply_adds
from rflo_repro.learning.rules import RULES
from rflo_repro.runs import tables
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.studies.rules import task_specs
from rflo_repro.studies.rules.claims import CLAIMS, rank_correlations
from rflo_repro.studies.rules.experiment import EXPERIMENT, SCHEMAS, horizon_tau
from rflo_repro.studies.rules.family import FAMILY
from rflo_repro.studies.rules.trial import GRID, Movements, RuleSession, Search, rate, score
from rflo_repro.tasks import Reaching


def session(rule="rflo", **fields):
    given = {
        "task": rr.PeriodicTask(40),
        "eta": 0.01,
        "n_trials": 30,
        "init": Initialisation(8),
        "seed": 1,
        "network": 0,
    }
    return Session(rule=rule, **{**given, **fields})


def silent(done):
    pass


def same(one, other):
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"optimizer": "rmsprop"},
        {"task": Movements(Reaching(10)), "reset_state": False},
        {"task": rr.IntervalMatchingTask(20, 5), "batch": 10},
    ],
)
def test_a_session_is_trained_as_one_however_often_it_is_looked_at(how):
    often = RuleSession(session(**how), (0, 10, 20, 30)).run(silent)
    seldom = RuleSession(session(**how), (0, 30)).run(silent)
    np.testing.assert_array_equal(often["loss"], seldom["loss"])
    assert len(often["loss"]) == 30
    assert np.isfinite(often["cosine"]).all()
    if "task" not in how:
        np.testing.assert_array_equal(often["loss"], session(**how).train(silent).loss)
        np.testing.assert_array_equal(often["cosine"][[0, 3]], seldom["cosine"])


def test_movements_begin_anew_in_every_session():
    """The control is the task itself, which remembers where its cursor is."""
    value, task = (
        RuleSession(session(task=of(Reaching(10)), reset_state=False), (0, 30)) for of in (Movements, rr.MovementTask)
    )
    same(value.run(silent), value.run(silent))
    assert (task.run(silent)["loss"] != task.run(silent)["loss"]).any()


def test_the_cosine_of_the_exact_rule_is_one_and_of_an_untrained_w_nothing():
    np.testing.assert_allclose(RuleSession(session("bptt"), (0, 30)).run(silent)["cosine"], 1.0, atol=1e-12)
    assert np.isnan(RuleSession(session("readout-only"), (0, 30)).run(silent)["cosine"]).all()
    assert (np.abs(RuleSession(session("rflo"), (0, 30)).run(silent)["cosine"]) < 0.999).all()


def test_a_divergence_is_a_row():
    arrays = RuleSession(session(eta=1e30), (0, 10, 30)).run(silent)
    assert arrays["diverged"]
    assert len(arrays["loss"]) == 30
    assert np.isnan(arrays["loss"][-1])
    assert np.isnan(arrays["cosine"][-1])


def test_rates_go_by_their_place():
    assert [rate(place) for place in (-8, -7, -3, -1, 0, 1)] == [1e-4, 3e-4, 0.03, 0.3, 1.0, 3.0]
    assert [rate(place) for place in GRID] == [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1]


def test_the_criterion_is_the_mean_of_logarithms_and_a_runaway_counts_as_ten_times_its_first_loss():
    first = np.full(3, 0.5)
    assert score(np.array([0.1, 0.01, 0.001]), first) == pytest.approx(-2.0)
    for lost in (math.nan, 1e9, 5.0):
        assert score(np.array([0.1, 0.01, lost]), first) == pytest.approx((-3.0 + np.log10(5.0)) / 3)
    # by the median the first would win, by this the second
    assert score(np.array([0.01, 0.01, math.nan]), first) > score(np.array([0.02, 0.02, 0.02]), first)


def search(monkeypatch, loss, stages=("w", "w_out"), start=-4):
    """What is found where the final loss of every network is this function of the places of both rates."""
    places_of = {rate(place): place for place in range(-20, 10)}
    asked = []

    def losses(self, w, w_out, n_before, progress):
        asked.append((places_of[w], places_of[w_out]))
        return np.full(2, loss(places_of[w], places_of[w_out])), np.ones(2)

    monkeypatch.setattr(Search, "_losses", losses)
    found = Search(session(), 2, stages, start).run(silent)
    assert len(asked) == len(set(asked)), "a rate was tried twice"
    last = found["stage"] == found["stage"][-1]
    best = np.argmin(score(found["final"][last], found["first"][last]))
    return float(found["w"][last][best]), float(found["w_out"][last][best]), found


def test_the_rate_of_w_is_searched_for_first_and_then_that_of_w_out(monkeypatch):
    w, w_out, found = search(monkeypatch, lambda w, w_out: 1e-3 + abs(w + 5) + abs(w_out + 3))
    assert (w, w_out) == (rate(-5), rate(-3))
    assert [*found["stage"]].count("w") == len(GRID)
    assert set(found["w_out"][found["stage"] == "w"]) == {rate(-4)}
    assert set(found["w"][found["stage"] == "w_out"]) == {rate(-5)}


@pytest.mark.parametrize(("best", "n_tried"), [(2, 12), (-11, 12), (-2, 8)])
def test_a_grid_is_widened_as_long_as_an_edge_is_best(monkeypatch, best, n_tried):
    w, _, found = search(monkeypatch, lambda w, w_out: 1e-3 + abs(w - best) + abs(w_out + 4))
    assert w == rate(best)
    assert [*found["stage"]].count("w") == n_tried


def test_the_smallest_of_equal_rates_is_chosen_and_widening_ends(monkeypatch):
    w, w_out, _ = search(monkeypatch, lambda w, w_out: 0.5)
    assert (w, w_out) == (1e-6, 1e-6)


def test_a_rule_without_w_has_one_stage(monkeypatch):
    w, w_out, found = search(monkeypatch, lambda w, w_out: 1e-3 + abs(w_out + 6), stages=("w_out",))
    assert (w, w_out) == (0.0, rate(-6))
    assert set(found["stage"]) == {"w_out"}


class Memory:
    """A checkpoint in memory."""

    def __init__(self):
        self.kept, self.times = None, 0

    def read(self):
        return self.kept

    def keep(self, done, now):
        self.kept, self.times = now(), self.times + 1


def test_a_search_goes_on_where_it_was():
    small = Search(session(n_trials=3), 2, ("w", "w_out"), -3)
    whole = small.run(silent)
    memory = Memory()

    def stop(trials):
        if memory.times == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small.run(stop, memory)
    done = memory.times
    assert done == 5
    same(whole, small.run(silent, memory))
    assert memory.times == len({*zip(whole["w"], whole["w_out"], strict=True)})


@pytest.mark.parametrize(
    ("rule", "cost"),
    [("readout-only", 1.1), ("snap-0", 2.1), ("snap-1", 2.1), ("local", 2.1), ("rflo", 2.1), ("bptt", 3.0),
     ("rtrl", 11.1), ("force", 2.9)],
)  # fmt: skip
def test_costs_are_counted_over_the_forward_pass(rule, cost):
    """N = 10, one output, no input: 110 multiply-adds forward."""
    counted = {"readout-only": 10, "force": 10 + 200, "rtrl": 10 + 10 + 100 + 10_000, "bptt": 10 + 10 + 100 + 100}
    expected = 1.0 + counted.get(rule, 10 + 10 + 100) / 110
    assert multiply_adds(RULES[rule], 10, 0, 1) == pytest.approx(expected)


def test_every_rule_of_the_family_has_a_cost_and_a_horizon():
    for member in FAMILY:
        rule = member.rule(10.0)
        assert rule.name == member.name
        assert multiply_adds(rule, 30, 0, 1) > 1.0
        horizon = horizon_tau(rule, 10.0)
        wanted = member.theta_tau if member.k_tau is None else member.k_tau
        assert math.isnan(horizon) or horizon == (wanted or {"none": 0.0, "leak": 1.0, "full": math.inf}[rule.carry])
    assert len({member.name for member in FAMILY}) == len(FAMILY)


def test_rates_are_the_tuned_ones_or_say_whose_they_are(monkeypatch):
    at = {("periodic", "rflo"): {20.0: (0.1, 0.2), 80.0: (0.3, 0.4)}, ("periodic", "bptt"): {20.0: (0.5, 0.6)}}
    monkeypatch.setattr(task_specs, "tuned", lambda: at)
    choices = dataclasses.replace(EXPERIMENT.scales["paper"], periods_tau=(20.0, 30.0, 70.0))
    twenty, thirty, seventy, *_ = task_specs.selected(choices, Selection())
    of = {member.name: member for member in FAMILY}

    def rates(place, name):
        return dataclasses.astuple(task_specs.rates_of(place, of[name], of[name].rule(10.0)))

    assert rates(twenty, "rflo") == ("tuned", 0.1, 0.2)
    assert rates(thirty, "rflo") == ("nearest", 0.1, 0.2)
    assert rates(seventy, "rflo") == ("nearest", 0.3, 0.4)
    assert rates(twenty, "snap-0") == ("borrowed", 0.1, 0.2)
    assert rates(twenty, "random-feedback") == ("borrowed", 0.5, 0.6)
    assert rates(twenty, "force") == ("none", 0.0, 0.0)
    monkeypatch.setattr(task_specs, "tuned", dict)
    with pytest.raises(task_specs.RequestError, match="run `rflo-repro tune fig-rules`"):
        rates(twenty, "rflo")


def table(losses, tau=20.0, n=45, **columns):
    """A final table: rules with their final losses by network (one number: with a spread of a few percent)."""
    rows = []
    for rule, loss in losses.items():
        member = {m.name: m for m in FAMILY}[rule]
        made = member.rule(10.0)
        for network in range(n):
            at = loss[network] if np.ndim(loss) else loss * (1.0 + 0.01 * network)
            rows.append(
                {
                    "task": "periodic", "period_tau": tau, "rule": rule, "base": member.base or rule,
                    "optimizer": member.optimizer, "draws": made.draws, "cost": multiply_adds(made, 30, 0, 1),
                    "network": network, "first_loss": 0.4, "final_loss": at,
                    "outcome": "learned" if at < 0.04 else "plateau",
                    "cosine": columns.get("cosine", {}).get(rule, 0.5),
                }
            )  # fmt: skip
    return {"final": pd.DataFrame(rows)}


def found(name, tables):
    (claim,) = (claim for claim in CLAIMS if claim.name == name)
    return [part.answer for part in claim.judge(tables)]


RULES_SHOWN = ("bptt", "rflo", "local", "snap-0", "snap-1", "random-feedback")


def test_alignment_is_said_to_explain_or_not():
    name = "alignment does not explain performance"
    cosines = dict(zip(RULES_SHOWN, (1.0, 0.8, 0.6, 0.4, 0.2, 0.0), strict=True))
    ordered = {rule: 10.0 ** -(1 + 2 * cosine) for rule, cosine in cosines.items()}
    assert found(name, table(ordered, cosine=cosines)) == ["no"]
    rng = np.random.default_rng(0)
    mixed = {rule: 10.0 ** -rng.uniform(1, 3, 200) for rule in RULES_SHOWN}
    assert found(name, table(mixed, n=200, cosine=cosines)) == ["yes"]
    assert found(name, table({"bptt": 0.01, "rflo": 0.1})) == ["no test"]


def test_rank_correlations_pass_over_rules_that_do_not_train_w():
    cosines = {"bptt": 1.0, "rflo": 0.8, "local": 0.6, "snap-0": 0.4, "readout-only": math.nan}
    frame = table({rule: 1e-3 / (c if c == c else 1e9) for rule, c in cosines.items()}, cosine=cosines)["final"]
    np.testing.assert_allclose(rank_correlations(frame), -1.0)
    diverged = frame.assign(final_loss=frame.final_loss.mask(frame.rule == "bptt"))
    assert (rank_correlations(diverged) > -1.0).all()


def test_immediate_derivatives_are_compared_with_rmsprop_alone():
    name = "immediate derivatives are enough with RMSprop"
    same_losses = {"snap-0-rmsprop": 0.01, "bptt-rmsprop": 0.01, "snap-0": 0.1, "bptt": 0.001}
    assert found(name, table(same_losses)) == ["yes"]
    assert found(name, table({**same_losses, "snap-0-rmsprop": 0.1})) == ["no"]


def test_rflo_is_compared_with_the_best_rule_that_costs_no_more():
    name = "RFLO is as good as the best cheap rule"
    losses = {"rflo": 0.01, "local": 0.009, "snap-0": 0.02, "bptt": 1e-5, "local-rmsprop": 1e-5, "readout-only": 0.1}
    assert found(name, table(losses)) == ["yes"]
    assert found(name, table({**losses, "local": 0.001})) == ["no"]
    assert found(name, table({"rflo": 0.01})) == ["no test"]


FILE = """
[rules.mine]
feedback = "random"
carry = "leak"
trace_tau = 25.0

[rates.mine]
w = 0.02
"""


def run(*arguments):
    return CliRunner().invoke(cli, [*arguments], prog_name="rflo-repro", env={"COLUMNS": "200"})


def test_a_rule_of_ones_own_runs_beside_the_others_in_a_place_of_its_own(tmp_path):
    (tmp_path / "mine.toml").write_text(FILE)
    few = ("--scale", "smoke", "--rule", "rflo", "--period", "2", "--rule-file", str(tmp_path / "mine.toml"))
    done = run("fig-rules", *few)
    assert done.exit_code == 0, done.output
    (place,) = (tmp_path.cwd() / "results/custom").glob("smoke-rule-filemine-*")
    final, _ = tables.read(place, SCHEMAS["final"])
    assert list(dict.fromkeys(final.rule)) == ["rflo", "mine"]
    mine = final[final.rule == "mine"].iloc[0]
    assert (mine.base, mine.rates, mine.eta_w, mine.horizon_tau) == ("own", "given", 0.02, 2.5)
    assert (tmp_path.cwd() / "figures/custom" / place.name).is_dir()


def test_the_same_name_with_another_rule_gets_another_place(tmp_path):
    def named(text):
        (tmp_path / "mine.toml").write_text(text)
        choices = dataclasses.replace(EXPERIMENT.scales["smoke"], rule_file=str(tmp_path / "mine.toml"))
        return str(choices.rule_file[0])

    assert named(FILE) == named(FILE)
    assert named(FILE) != named(FILE.replace("25.0", "26.0"))
    assert named(FILE) != named(FILE.replace("0.02", "0.03"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "rules is missing"),
        ("rules = 3", "rules must be a table"),
        ("[rules.rflo]\nfeedback = 'random'\ncarry = 'leak'", "rules.rflo is a rule already"),
        ("[rules.snap-0-rmsprop]\nfeedback = 'random'\ncarry = 'leak'", "rules.snap-0-rmsprop is a rule already"),
        ("[rules.a]\nfeedback = 'random'\ncarry = 'leaky'", "carry must be one of"),
        ("[rules.a]\nfeedback = 'random'\ncarry = 'leak'\n[rates.b]\nw = 1", "rates must be among a, got 'b'"),
        ("[rules.a]\nfeedback = 'random'\ncarry = 'leak'\n[rates.a]\nw = -1", "rates.a.w must be"),
        ("[rules.a]\nfeedback = 'random'\ncarry = 'leak'\n[rates.a]\neta = 1", "rates.a must be among w, w_out"),
        ("[more]", "entries must be among rules, rates"),
        ("[", "mine.toml"),
    ],
)
def test_a_file_that_is_none_of_rules_is_refused_by_name(tmp_path, text, said):
    (tmp_path / "mine.toml").write_text(text)
    done = run("fig-rules", "--scale", "smoke", "--rule-file", str(tmp_path / "mine.toml"))
    assert done.exit_code == 2, done.output
    assert "'--rule-file'" in done.output
    assert said in done.output
    assert not (tmp_path.cwd() / "results").exists()


def test_snap_1_must_be_cheap_and_far_ahead():
    name = "SnAp-1 is cheap and far ahead of UORO"
    losses = {"snap-1": 0.001, "bptt": 0.001, "uoro": 0.1}
    assert found(name, table(losses)) == ["yes", "yes"]
    # ahead, but not far
    assert found(name, table({**losses, "uoro": 0.002})) == ["yes", "no"]
    dear = table(losses)["final"]
    dear.loc[dear.rule == "snap-1", "cost"] = 4.0
    assert found(name, {"final": dear}) == ["no", "yes"]


def test_rewards_and_force_are_compared_with_rflo():
    name = "a reward says less than the error"
    losses = {"node-perturbation": 0.1, "reward-hybrid": 0.02, "rflo": 0.005, "force": 0.001}
    assert found(name, table(losses)) == ["yes"] * 3
    assert found(name, table({**losses, "reward-hybrid": 0.002})) == ["yes", "no", "yes"]
    assert found("FORCE is ahead of RFLO", table(losses)) == ["yes"]
    assert found("FORCE is ahead of RFLO", table({**losses, "force": 0.02})) == ["no"]
    # FORCE learns within its first trial: its first loss is not that of untrained networks
    quick = table({"rflo": 0.16, "force": 0.02})
    quick["final"].loc[quick["final"].rule == "force", "first_loss"] = 0.015
    assert found("FORCE is ahead of RFLO", quick) == ["yes"]
    assert found("FORCE is ahead of RFLO", table({"rflo": 0.3, "force": 0.25})) == ["no test"]


def test_a_task_goes_into_a_table_of_its_own_and_leaves_the_others_as_they_are(tmp_path):
    into = ["--scale", "smoke", "--results", str(tmp_path), "--no-plot"]

    def run(*asked):
        done = CliRunner().invoke(cli, ["fig-rules", *asked, "--rule", "rflo", *into])
        assert done.exit_code == 0, done.output
        return {path.name: path.read_bytes() for path in tmp_path.glob("rules_*")}

    def state():
        printed = CliRunner().invoke(cli, ["list", "--results", str(tmp_path)]).output
        return next(line for line in printed.splitlines() if line.startswith("fig-rules"))

    run("--task", "reber")
    assert "damaged" not in state()
    before = run("--period", "2")
    after = run("--task", "evidence")
    assert {name for name in after if after[name] != before.get(name)} == {"rules_tasks.csv", "rules_tasks.json"}
    frame = pd.read_csv(tmp_path / "rules_tasks.csv")
    assert frame.groupby("field_task").size().to_dict() == {"reber": 2, "evidence": 2}
    assert "in part" in state()
    refused = CliRunner().invoke(cli, ["fig-rules", "--task", "reber", "--period", "2", *into])
    assert refused.exit_code == 2
    assert "only periodic has periods" in refused.output
