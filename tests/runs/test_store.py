"""Stored jobs: found again bit for bit, and never valid if anything is wrong with them."""

import io
import pickle
import random
import zipfile
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.runs import provenance
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import Store

SESSION = Session(
    task=rr.PeriodicTask(20), rule="rflo", eta=0.03, n_trials=5, init=Initialisation(6), seed=1, network=0
)
ARRAYS = {
    "loss": np.array([0.3, np.nan, 0.1, -0.0, 5e-324]),
    "diverged": np.array(True),
    "y": np.arange(6.0).reshape(3, 2),
    "counts": np.array([1, 2], dtype=np.int32),
    "empty": np.zeros((0, 3)),
}

MADE = provenance.of_result(1.5)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "stored")


@pytest.fixture
def kept(store):
    """The path of a stored job."""
    store.put(SESSION, ARRAYS, MADE)
    return store.path(SESSION)


def same(one, other):
    return one.keys() == other.keys() and all(
        one[k].dtype == other[k].dtype and one[k].shape == other[k].shape and one[k].tobytes() == other[k].tobytes()
        for k in one
    )


def test_what_is_put_is_found_again(store, kept):
    assert same(store.get(SESSION), ARRAYS)
    assert same(Store(store.folder).get(SESSION), ARRAYS)
    assert store.problems == []
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_what_was_not_put_is_not_found(store, kept):
    assert store.get(replace(SESSION, network=1)) is None
    assert store.problems == []


def test_put_replaces(store, kept):
    store.put(SESSION, {"loss": np.zeros(2)}, MADE)
    assert same(store.get(SESSION), {"loss": np.zeros(2)})


def test_a_job_that_ran_is_found_as_it_was(store):
    arrays = SESSION.run(lambda trials: None)
    store.put(SESSION, arrays, MADE)
    assert same(store.get(SESSION), arrays)


CHANGES = {
    "task": rr.PeriodicTask(21),
    "rule": "bptt",
    "eta": 0.030000000000000002,
    "n_trials": 6,
    "init": Initialisation(7),
    "optimizer": rr.Optimizer(clip=1.0),
    "noise": 0.1,
    "seed": 2,
    "network": 1,
    "online": True,
    "batch": 5,
    "reset_state": False,
    "loss": "cross-entropy",
}
INITIALISATIONS = {
    "n_rec": 7,
    "tau": 11.0,
    "g": 1.4,
    "h0": "uniform",
    "readout_scale": 2.0,
    "dale": True,
    "output_feedback": True,
    "phi": "relu",
    "density": 0.5,
    "bias": 0.0,
    "tau_spread": 2.0,
    "layers": (4, 3),
}


def test_every_field_changes_the_key(store):
    assert set(CHANGES) == {f.name for f in fields(Session)}
    assert set(INITIALISATIONS) == {f.name for f in fields(Initialisation)}
    initialisations = [replace(SESSION.init, **{name: value}) for name, value in INITIALISATIONS.items()]
    changed = [replace(SESSION, **{name: value}) for name, value in CHANGES.items() if name != "init"]
    paths = [store.path(s) for s in (SESSION, *changed, *(replace(SESSION, init=init) for init in initialisations))]
    rates = rr.LearningRates(w_in=0.03, w_rec=0.03, w_out=0.03)
    paths.append(store.path(replace(SESSION, eta=rates)))
    assert len(set(paths)) == len(paths)
    assert store.path(replace(SESSION)) == paths[0]


def test_the_kind_of_job_changes_the_key(store):
    @dataclass(frozen=True)
    class Other(Session):
        pass

    other = Other(**{f.name: getattr(SESSION, f.name) for f in fields(Session)})
    assert store.path(other) != store.path(SESSION)


def test_the_digest_of_the_source_changes_the_key(store, kept, monkeypatch):
    monkeypatch.setattr(provenance, "numerical_digest", lambda *modules: "of an edited kernel")
    assert store.path(SESSION) != kept
    assert store.get(SESSION) is None


def refused(store, path):
    """Whether the file is named, not valid, and replaced by the next result."""
    assert store.get(SESSION) is None
    assert len(store.problems) == 1
    assert str(path) in store.problems[0]
    store.put(SESSION, ARRAYS, MADE)
    assert same(store.get(SESSION), ARRAYS)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(store, kept, share):
    content = kept.read_bytes()
    kept.write_bytes(content[: int(len(content) * share)])
    refused(store, kept)


def test_any_flipped_byte(store, kept):
    """Whatever byte is changed: either the same arrays, or none."""
    content = kept.read_bytes()
    valid = 0
    for place in range(0, len(content), 7):
        kept.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        found = store.get(SESSION)
        assert found is None or same(found, ARRAYS)
        valid += found is not None
    assert valid < len(content) / 7 / 2  # most of a zip archive's bytes mean something


@pytest.mark.parametrize("content", [b"\0" * 100, b"PK\x03\x04", b"loss,trial\n", random.Random(0).randbytes(1000)])
def test_a_foreign_file(store, kept, content):
    kept.write_bytes(content)
    refused(store, kept)


def test_a_folder_in_its_place(store, kept):
    kept.unlink()
    kept.mkdir()
    assert store.get(SESSION) is None
    assert str(kept) in store.problems[0]


def test_arrays_without_their_meaning(store, kept):
    np.savez(kept, **ARRAYS)
    refused(store, kept)


def test_a_plain_array(store, kept):
    with open(kept, "wb") as file:
        np.save(file, np.arange(3.0))
    refused(store, kept)


def edited(path, change):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    np.savez_compressed(path, **arrays)


def test_a_number_edited_by_hand(store, kept):
    def change(arrays):
        arrays["loss"][0] = 0.01

    edited(kept, change)
    refused(store, kept)


@pytest.mark.parametrize("change", [lambda a: a.pop("y"), lambda a: a.update(more=np.zeros(1))])
def test_arrays_added_or_taken_away(store, kept, change):
    edited(kept, change)
    refused(store, kept)


def test_a_kind_changed(store, kept):
    edited(kept, lambda arrays: arrays.update(y=arrays["y"].astype(np.float32)))
    refused(store, kept)


@pytest.mark.parametrize("meaning", ["", "{}", "[]", "null", "{", '"text"', '{"sha256": 1}'])
def test_a_meaning_written_by_hand(store, kept, meaning):
    edited(kept, lambda arrays: arrays.update(_meaning=np.array(meaning)))
    refused(store, kept)


def test_another_job_under_this_name(store, kept):
    other = replace(SESSION, eta=0.1)
    store.put(other, ARRAYS, MADE)
    kept.write_bytes(store.path(other).read_bytes())
    refused(store, kept)


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize("where", ["y", "_meaning", "all"])
def test_nothing_is_unpickled(store, kept, where):
    bomb = np.array([Bomb()], dtype=object)
    if where == "all":
        kept.write_bytes(pickle.dumps(Bomb()))
    else:
        edited(kept, lambda arrays: arrays.update({where: bomb}))
    refused(store, kept)
    assert not Path("exploded").exists()
    # Negative control: it would have gone off.
    pickle.loads(pickle.dumps(Bomb()))
    assert Path("exploded").exists()


def test_a_compression_that_is_not_known(store, kept):
    content = bytearray(kept.read_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        assert archive.infolist()[0].compress_type == zipfile.ZIP_DEFLATED
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.find(mark)
        content[at + offset : at + offset + 2] = (99).to_bytes(2, "little")
    kept.write_bytes(bytes(content))
    refused(store, kept)
