"""The generation of the numbers: which source is of it, and what is taken for whose."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from rflo_repro.learning.rules import LearningRule
from rflo_repro.paper import registry
from rflo_repro.runs import generation, provenance
from rflo_repro.runs.generation import Generation, Source
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import describe, identity, stored_name
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import Store
from rflo_repro.studies import reference_runs, regression
from rflo_repro.studies.registry import studies
from rflo_repro.tasks import PeriodicTask

SESSION = Session(task=PeriodicTask(20), rule="rflo", eta=0.03, n_trials=5, init=Initialisation(6), seed=1, network=0)
MODULES = provenance.modules_of(SESSION)
ARRAYS = {"loss": np.zeros(3)}
MADE = provenance.of_result(1.0)


@pytest.fixture
def now(monkeypatch):
    """Sets the generation, and what the digest of the source is."""

    def set_to(known=None, edited=False):
        if known is not None:
            monkeypatch.setattr(generation, "read", lambda: known)
        if edited:
            monkeypatch.setattr(provenance, "numerical_digest", lambda *modules: f"edited {edited} {modules}")

    return set_to


def test_the_present_source_is_proven():
    """Or else: `rflo-repro check --accept`."""
    known = generation.read()
    assert known.proven
    assert regression.present_source() in known.sources
    assert (provenance.PACKAGE / generation.FILE).read_text(encoding="utf-8") == generation.text(known)


def test_every_committed_table_is_of_this_generation():
    pages = sorted((provenance.PACKAGE.parent / "results").rglob("*.json"))
    runs = [run for page in pages for run in json.loads(page.read_text(encoding="utf-8")).get("runs", [])]
    sources = [run["numerical_source"] for run in runs if "numerical_source" in run]
    assert len(sources) > 50
    assert {generation.standing(source) for source in sources} == {"fresh"}
    assert generation.standing({**sources[0], "digest": "another"}) == "stale"


def test_what_a_proven_source_put_another_proven_source_takes(tmp_path, now):
    store, known = Store(tmp_path), generation.read()
    store.put(SESSION, ARRAYS, MADE)
    source = generation.by_digest(MODULES)["digest"]
    assert store.meaning(SESSION)["generation"] == known.name
    now(edited=1)
    assert store.get(SESSION) is None
    now(dataclasses.replace(known, sources=(*known.sources, Source.today(known.modules))))
    again = Store(tmp_path)
    assert again.get(SESSION) is not None
    # it is said who computed it
    assert again.provenance[identity(SESSION)]["source"] == source
    assert source != generation.by_digest(MODULES)["digest"]
    now(dataclasses.replace(known, number=2, sources=(Source.today(known.modules),)))
    assert store.get(SESSION) is None
    # a generation of the same number that began with other references
    now(dataclasses.replace(known, references="other", sources=(Source.today(known.modules),)))
    assert store.get(SESSION) is None


def test_what_an_unproven_source_puts_is_its_own_for_ever(tmp_path, now):
    store, known = Store(tmp_path), generation.read()
    now(edited=1)
    store.put(SESSION, ARRAYS, MADE)
    assert "generation" not in store.meaning(SESSION)
    assert store.get(SESSION) is not None
    accepted = dataclasses.replace(known, sources=(*known.sources, Source.today(known.modules)))
    now(accepted)
    # it is proven now, and so is what it put
    assert store.get(SESSION) is not None
    now(edited=2)
    assert store.get(SESSION) is None
    now(dataclasses.replace(accepted, sources=(*accepted.sources, Source.today(known.modules))))
    assert store.get(SESSION) is None


def test_what_was_stored_before_generations_were_written_down_is_taken(tmp_path, now):
    """By a source that is listed for a table: of the same modules, and by no other."""
    store, known = Store(tmp_path), generation.read()
    with pytest.MonkeyPatch.context() as then:
        then.setattr(provenance, "numerical_digest", lambda *modules: "of then")
        store.put(SESSION, ARRAYS, MADE)
    assert store.get(SESSION) is None
    for of, taken in ((MODULES, True), ({*MODULES, "paper/fig3/trial.py"}, False)):
        now(dataclasses.replace(known, tables=(Source("of then", tuple(of)),)))
        again = Store(tmp_path)
        assert (again.get(SESSION) is not None) == taken
    now(dataclasses.replace(known, tables=(Source("of then", tuple(MODULES)),)))
    assert store.get(SESSION) is not None
    assert store.provenance[identity(SESSION)]["source"] == "of then"
    now(edited=1)
    assert store.get(SESSION) is None


def test_what_is_under_way_is_of_one_source(tmp_path, now):
    """No reference says how a source lays it out."""
    store, known = Store(tmp_path), generation.read()
    store.save_checkpoint(SESSION, ARRAYS, MADE)
    assert store.checkpoint(SESSION) is not None
    now(dataclasses.replace(known, sources=(Source("another", tuple(known.modules)),)))
    assert store.checkpoint(SESSION) is not None
    now(edited=1)
    now(dataclasses.replace(known, sources=(*known.sources, Source.today(known.modules))))
    assert store.checkpoint(SESSION) is None
    store.remove_checkpoint(SESSION)
    assert len(list(tmp_path.rglob("*.checkpoint"))) == 1


def test_a_part_of_the_source_that_changed_leaves_the_rest_proven(now):
    known, of = generation.read(), sorted(MODULES)
    now(dataclasses.replace(known, sources=(Source("before", tuple(known.modules)),), tables=(Source.today(of),)))
    assert generation.by_bytes(MODULES) == {"generation": known.name}
    other = {*MODULES, "paper/fig3/trial.py"}
    assert generation.by_bytes(other) == generation.by_digest(other)


@dataclass(frozen=True)
class Mine:
    """A task of somebody's own."""

    n_steps: int = 5
    n_in = n_out = 1


def test_a_module_that_no_reference_is_made_of_counts_by_its_own_digest(tmp_path, now):
    mine = dataclasses.replace(SESSION, task=Mine())
    modules, known = provenance.modules_of(mine), generation.read()
    assert generation.read().others(modules) == [str(Path(__file__).resolve())]
    named = generation.by_bytes(modules)
    assert set(named) == {"generation", "own"}
    source = generation.numerical_source([mine])
    assert source == {"digest": provenance.numerical_digest(*source["of"]), "of": sorted(modules), **named}
    store = Store(tmp_path)
    store.put(mine, ARRAYS, MADE)
    now(edited=1)
    now(dataclasses.replace(known, sources=(*known.sources, Source.today(known.modules))))
    assert generation.by_bytes(modules) == named
    assert store.get(mine) is not None
    with pytest.MonkeyPatch.context() as edited:
        edited.setattr(provenance, "meaning_digest", lambda path: "edited")
        assert store.get(mine) is None


def test_a_task_that_is_added_to_the_package_counts_by_its_own_digest_too(tmp_path, monkeypatch):
    """So does every module of the package that no reference reaches."""
    source = {"digest": "another", "of": ["tasks/__init__.py", *MODULES]}
    own = provenance.digest_of([provenance.PACKAGE / "tasks/__init__.py"])
    name = generation.read().name
    assert generation.standing({**source, "generation": name, "own": own}) == "fresh"
    assert generation.standing({**source, "generation": name, "own": "edited since"}) == "stale"
    assert generation.standing({**source, "generation": "2-x", "own": own}) == "stale"


def test_tables_of_a_source_that_was_not_checked_are_unproven(now):
    known = generation.read()
    source = generation.numerical_source([SESSION])
    assert source["generation"] == known.name
    now(edited=1)
    assert generation.standing(source) == "unproven"
    later = generation.numerical_source([SESSION])
    assert "generation" not in later
    assert generation.standing(later) == "unproven"
    assert generation.standing({**later, "digest": "another"}) == "stale"
    now(dataclasses.replace(known, sources=(*known.sources, Source.today(known.modules))))
    assert (generation.standing(source), generation.standing(later)) == ("fresh", "fresh")
    # a module that was moved since
    moved = {**source, "of": ["paper/fig3/moved.py", *source["of"]]}
    assert generation.standing(moved) == "fresh"
    now(edited=2)
    assert (generation.standing(source), generation.standing(later)) == ("unproven", "stale")


def test_a_generation_survives_its_file():
    known = Generation(3, "abc", (Source("1", ("a.py", "b.py")), Source("2", ())), ())
    page = json.loads(generation.text(known))
    assert (page["generation"], page["references"], page["tables"]) == (3, "abc", [])
    assert [Source(s["digest"], tuple(s["of"])) for s in page["sources"]] == list(known.sources)


# What is called by its own name: to change one orphans what is stored under it.
NAMES = {
    "Appendix", "Choices", "ContextTask", "Draws", "EmbeddedReberTask", "EvidenceTask", "Exact", "FirstStepGiven",
    "FlipFlopTask", "GradientSession", "IntervalMatchingTask", "IntervalSession", "LearningRates", "LearningRule",
    "LoopSession", "MatchToSampleTask", "Movements", "Optimizer", "PeriodicTask", "Reaching", "Recipe",
    "Reduced", "RuleSession", "Search", "SequenceTask", "Session", "SupplementChoices",
}  # fmt: skip


def dataclasses_in(value):
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield type(value)
        for part in dataclasses.fields(value):
            yield from dataclasses_in(getattr(value, part.name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from dataclasses_in(item)


def test_every_kind_of_job_and_of_choices_has_a_name_of_its_own():
    experiments = [about.experiment for about in {**registry.figures(), **studies()}.values() if about.computed]
    scales = [choices for experiment in experiments for choices in experiment.scales.values()]
    kinds = {kind for value in (*reference_runs.jobs().values(), *scales) for kind in dataclasses_in(value)}
    assert [kind for kind in kinds if "stored_as" not in vars(kind)] == []
    assert {stored_name(kind) for kind in kinds} == NAMES


def test_a_class_or_a_field_that_is_renamed_is_stored_as_before():
    @dataclass(frozen=True)
    class Renamed(Initialisation):
        """Another name for `Initialisation`."""

        stored_as = "Recipe"

    @dataclass(frozen=True)
    class TrainingJob:
        """Another name for `Session`, and for some of its fields."""

        stored_as = "Session"
        stored_fields: ClassVar = {"init": "recipe", "index": "network", "lr": "eta"}

        task: PeriodicTask
        rule: str | LearningRule
        lr: float
        n_trials: int
        init: Initialisation
        seed: int
        index: int
        online: bool = False
        batch: int = 1
        reset_state: bool = True
        optimizer: str = "sgd"
        noise: float = 0.0

    init = Renamed(**{f.name: getattr(SESSION.init, f.name) for f in dataclasses.fields(Initialisation)})
    renamed = TrainingJob(SESSION.task, "rflo", 0.03, 5, init, seed=1, index=0)
    assert describe(renamed) == describe(SESSION)
    assert json.dumps(describe(renamed), sort_keys=True) == json.dumps(describe(SESSION), sort_keys=True)

    @dataclass(frozen=True)
    class Undeclared(Session):
        """A class is not its base, whose name it does not inherit."""

        more: int = field(default=0)

    assert describe(Undeclared(**vars(SESSION)))["is"] == "Undeclared"
