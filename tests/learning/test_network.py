"""What a Network accepts, and how a random one is drawn."""

import copy
import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rflo_repro as rr
from rflo_repro.learning.network import children

SHAPES = {"w_in": (4, 2), "w_rec": (4, 4), "w_out": (3, 4), "feedback": (4, 3), "h0": (4,)}
ARRAYS = list(SHAPES)


def good():
    rng = np.random.default_rng(0)
    return {"tau": 10.0, **{name: rng.normal(size=shape) for name, shape in SHAPES.items()}}


@given(name=st.sampled_from(ARRAYS), shape=st.lists(st.integers(0, 5), max_size=3).map(tuple))
def test_only_the_right_shapes(name, shape):
    given_arrays = {**good(), name: np.zeros(shape)}
    # any number of inputs is right
    if shape == SHAPES[name] or (name == "w_in" and len(shape) == 2 and shape[0] == 4):
        assert getattr(rr.Network(**given_arrays), name).shape == shape
    else:
        with pytest.raises(ValueError, match=r"w_in|w_rec|w_out|feedback|h0"):
            rr.Network(**given_arrays)


@given(name=st.sampled_from(ARRAYS), value=st.sampled_from([math.nan, math.inf, -math.inf]), data=st.data())
def test_only_finite_values(name, value, data):
    values = good()
    values[name].flat[data.draw(st.integers(0, values[name].size - 1))] = value
    with pytest.raises(ValueError, match=f"{name} must be finite"):
        rr.Network(**values)


@given(name=st.sampled_from(ARRAYS), kind=st.sampled_from([np.complex128, object, "U4", "M8[s]", "m8[s]", "V8"]))
def test_only_real_kinds(name, kind):
    with pytest.raises(ValueError, match=name):
        rr.Network(**{**good(), name: np.zeros(SHAPES[name], dtype=kind)})


@given(name=st.sampled_from(ARRAYS), value=st.sampled_from([None, "weights", 1.0, {}, [[1.0], [1.0, 2.0]], object()]))
def test_only_arrays(name, value):
    with pytest.raises(ValueError, match=name):
        rr.Network(**{**good(), name: value})


@given(
    name=st.sampled_from(ARRAYS),
    kind=st.sampled_from([np.float16, np.float32, np.longdouble, np.int8, np.int64, np.uint16, ">f8"]),
    layout=st.sampled_from(["C", "F", "strided", "reversed", "list", "read-only"]),
)
def test_real_arrays_of_any_kind_and_layout_are_copied_to_float64(name, kind, layout):
    values = good()
    values[name] = wanted = np.round(values[name] * 4).astype(kind)
    if layout == "F":
        values[name] = np.asfortranarray(wanted)
    elif layout == "strided":
        values[name] = np.repeat(wanted, 2, axis=0)[::2]
    elif layout == "reversed":
        values[name] = wanted[::-1].copy()[::-1]
    elif layout == "list":
        values[name] = wanted.tolist()
    elif layout == "read-only":
        values[name].setflags(write=False)
    kept = getattr(rr.Network(**values), name)
    assert kept.dtype == np.float64
    assert kept.dtype.isnative
    assert kept.flags.c_contiguous
    np.testing.assert_array_equal(kept, wanted.astype(np.float64))


def test_nothing_is_shared_and_nothing_can_be_written():
    values = good()
    net = rr.Network(**values)
    for name in ARRAYS:
        before = getattr(net, name).copy()
        values[name][...] = 7.0
        np.testing.assert_array_equal(getattr(net, name), before)
        with pytest.raises(ValueError, match="read-only"):
            getattr(net, name)[...] = 0.0
    with pytest.raises(FrozenInstanceError):
        net.tau = 3.0
    signs = np.sign(net.w_rec[0])
    with_signs = replace(net, w_rec=np.abs(net.w_rec) * signs, signs=signs)
    signs[:] = 0.0
    assert (np.abs(with_signs.signs) == 1.0).all()


@pytest.mark.parametrize("tau", [0.999, 0.0, -10.0, math.nan, math.inf, True, "10", None, 10 + 0j, 10**400, [10.0]])
def test_a_time_constant_that_is_none(tau):
    with pytest.raises(ValueError, match="tau"):
        rr.Network(**{**good(), "tau": tau})
    with pytest.raises(ValueError, match="tau"):
        rr.Network.random(3, 0, 1, np.random.default_rng(0), tau=tau)


@pytest.mark.parametrize("tau", [1, 1.0, np.float32(2.5), np.int64(3), 1e6])
def test_a_time_constant(tau):
    kept = rr.Network(**{**good(), "tau": tau}).tau
    assert type(kept) is float
    assert kept == float(tau)


@pytest.mark.parametrize("value", [1, 0, "yes", None, np.ones(1)])
def test_output_feedback_is_a_flag(value):
    with pytest.raises(ValueError, match="output_feedback"):
        rr.Network(**good(), output_feedback=value)
    assert rr.Network(**good(), output_feedback=np.True_).output_feedback is True


@pytest.mark.parametrize(
    "signs", [[1, 1, 1], [1, -1, 0, 1], [1, -1, 2, 1], [1, -1, math.nan, 1], "++--", [[1], [1], [-1], [-1]]]
)
def test_signs_that_are_none(signs):
    values = good()
    values["w_rec"] = np.zeros((4, 4))
    with pytest.raises(ValueError, match="signs"):
        rr.Network(**values, signs=signs)


def test_weights_must_have_the_signs_of_their_presynaptic_units():
    values, signs = good(), np.array([1.0, -1.0, 1.0, -1.0])
    values["w_rec"] = np.abs(values["w_rec"]) * signs  # columns
    np.testing.assert_array_equal(rr.Network(**values, signs=signs).signs, signs)
    values["w_rec"] = np.abs(values["w_rec"]) * signs[:, None]  # rows: postsynaptic
    with pytest.raises(ValueError, match="signs"):
        rr.Network(**values, signs=signs)


@pytest.mark.parametrize("bad", [0, -1, 2.0, "3", None, True, np.True_, math.nan, [3]])
@pytest.mark.parametrize("name", ["n_rec", "n_in", "n_out"])
def test_sizes_that_are_none(name, bad):
    sizes = {"n_rec": 3, "n_in": 1, "n_out": 1, name: bad}
    if name == "n_in" and type(bad) is int and bad == 0:
        assert rr.Network.random(**sizes, rng=np.random.default_rng(0)).w_in.shape == (3, 0)
        return
    with pytest.raises(ValueError, match=name):
        rr.Network.random(**sizes, rng=np.random.default_rng(0))


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf, "1", None, True])
@pytest.mark.parametrize("name", ["g", "readout_scale"])
def test_scales_that_are_none(name, bad):
    with pytest.raises(ValueError, match=name):
        rr.Network.random(3, 1, 1, np.random.default_rng(0), **{name: bad})


@pytest.mark.parametrize("rng", [None, 0, np.random, np.random.RandomState(0), np.random.SeedSequence(0)])
def test_a_generator_that_is_none(rng):
    with pytest.raises(ValueError, match="rng"):
        rr.Network.random(3, 1, 1, rng)


def test_sizes_may_be_numpy_integers():
    net = rr.Network.random(np.int32(5), np.uint8(2), np.int64(3), np.random.default_rng(0))
    assert (net.n_rec, net.n_in, net.n_out) == (5, 2, 3)
    assert (net.w_in.shape, net.w_rec.shape, net.w_out.shape) == ((5, 2), (5, 5), (3, 5))
    assert (net.feedback.shape, net.h0.shape) == ((5, 3), (5,))


def test_draws_are_those_of_the_methods():
    """Of 200 x 200 or 200 x 300 numbers the sample variance is within 2% of the true one."""
    n, g = 200, 1.5
    net = rr.Network.random(n, 300, 300, np.random.default_rng(1), g=g)
    assert net.w_rec.var() == pytest.approx(g**2 / n, rel=0.02)
    assert abs(net.w_rec.mean()) < 4 * g / n**1.5
    # kurtosis 3: a normal distribution, not a uniform one of that variance (1.8)
    assert np.mean(net.w_rec**4) / net.w_rec.var() ** 2 == pytest.approx(3.0, rel=0.05)
    assert 0.999 < np.abs(net.w_in).max() <= 1.0
    assert net.w_in.var() == pytest.approx(1 / 3, rel=0.02)
    assert 0.999 < np.abs(net.w_out).max() * math.sqrt(n) <= 1.0
    assert net.w_out.var() == pytest.approx(1 / (3 * n), rel=0.02)
    assert net.feedback.var() == pytest.approx(1.0, rel=0.02)
    assert np.mean(net.feedback**4) == pytest.approx(3.0, rel=0.05)
    np.testing.assert_array_equal(net.h0, np.full(n, 0.1))
    assert net.tau == 10.0
    scaled = rr.Network.random(n, 300, 300, np.random.default_rng(1), g=3.0, readout_scale=2.0)
    np.testing.assert_allclose(scaled.w_rec, 2 * net.w_rec, rtol=1e-14)
    np.testing.assert_allclose(scaled.w_out, 2 * net.w_out, rtol=1e-14)
    np.testing.assert_array_equal(scaled.feedback, net.feedback)


def test_no_matrix_depends_on_the_size_of_another():
    one = rr.Network.random(6, 0, 1, np.random.default_rng(2))
    more_inputs = rr.Network.random(6, 9, 1, np.random.default_rng(2))
    for name in ("w_rec", "w_out", "feedback"):
        np.testing.assert_array_equal(getattr(one, name), getattr(more_inputs, name))
    more_outputs = rr.Network.random(6, 9, 4, np.random.default_rng(2))
    for name in ("w_rec", "w_in"):
        np.testing.assert_array_equal(getattr(more_inputs, name), getattr(more_outputs, name))
    # Negative control: another seed is another network, and so is the generator's next child.
    rng = np.random.default_rng(2)
    first, second = rr.Network.random(6, 0, 1, rng), rr.Network.random(6, 0, 1, rng)
    np.testing.assert_array_equal(first.w_rec, one.w_rec)
    assert not np.array_equal(first.w_rec, second.w_rec)


BIT_GENERATORS = [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64]


def weights(rng):
    return rr.Network.random(5, 2, 1, rng).w_rec.tolist()


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_only_the_stream_decides_the_network(kind):
    """Copies, jumped generators and restored states, whatever seed they were made from."""
    rng = np.random.Generator(kind(3))
    rng.random(7)
    copies = [copy.deepcopy(rng), pickle.loads(pickle.dumps(rng)), np.random.Generator(kind(99))]
    copies[2].bit_generator.state = rng.bit_generator.state
    drawn = weights(rng)
    assert [weights(other) for other in copies] == [drawn] * 3
    # the stream goes on: for the original, and alike for its copy
    following = weights(rng)
    assert following != drawn
    assert weights(copies[0]) == following
    if hasattr(kind, "jumped"):
        jumped = [weights(np.random.Generator(kind(5).jumped(i))) for i in (0, 1, 1)]
        assert jumped[1] == jumped[2] != jumped[0]


def test_a_generator_on_random_state_s_bits_draws_a_network():
    """It has no seed sequence to take children from."""
    drawn = [weights(np.random.Generator(np.random.RandomState(seed)._bit_generator)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(("n_rec", "n_in"), [(3, 0), (40, 7)])
def test_a_network_takes_256_bits_from_the_stream(n_rec, n_in):
    rng, beside = np.random.default_rng(1), np.random.default_rng(1)
    rr.Network.random(n_rec, n_in, 1, rng)
    beside.bit_generator.advance(4)
    assert rng.random() == beside.random()


def test_a_generator_more_changes_none_before_it():
    """A stream that is added later leaves the others as they are."""
    four, five = (children(np.random.default_rng(0), n) for n in (4, 5))
    assert [child.random() for child in four] == [child.random() for child in five[:4]]


def test_matrices_of_one_network_are_unrelated():
    net = rr.Network.random(100, 100, 100, np.random.default_rng(3))
    drawn = [net.w_rec.ravel(), net.w_in.ravel(), net.w_out.ravel(), net.feedback.ravel()]
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.04  # 4 standard errors of 10,000 numbers


def test_dale_takes_the_magnitudes_of_the_free_network():
    signs = np.array([1, 1, 1, -1, -1, -1])
    free = rr.Network.random(6, 1, 1, np.random.default_rng(4))
    dale = rr.Network.random(6, 1, 1, np.random.default_rng(4), signs=signs)
    np.testing.assert_array_equal(dale.w_rec, np.abs(free.w_rec) * signs)
    np.testing.assert_array_equal(dale.w_out, free.w_out)


def test_the_initial_state_is_one_number_or_one_a_unit():
    given_h0 = np.arange(6) / 10
    np.testing.assert_array_equal(rr.Network.random(6, 0, 1, np.random.default_rng(0), h0=given_h0).h0, given_h0)
    np.testing.assert_array_equal(rr.Network.random(6, 0, 1, np.random.default_rng(0), h0=0).h0, np.zeros(6))
    for bad in (np.zeros(5), math.nan, "0", None, [[0.0], [0.0, 1.0]]):
        with pytest.raises(ValueError, match=r"^h0 must"):
            rr.Network.random(6, 0, 1, np.random.default_rng(0), h0=bad)


def test_a_scale_at_which_weights_are_infinite():
    with pytest.raises(ValueError, match=r"^g must leave every weight finite, got 1\.7e\+308"):
        rr.Network.random(1, 0, 1, np.random.default_rng(3), g=1.7e308)
    assert np.isfinite(rr.Network.random(30, 0, 1, np.random.default_rng(0), g=1e300).w_rec).all()


def test_alignment():
    net = rr.Network.random(6, 0, 2, np.random.default_rng(5))
    assert replace(net, feedback=3.0 * net.w_out.T).alignment == pytest.approx(1.0)
    assert replace(net, feedback=-net.w_out.T).alignment == pytest.approx(-1.0)
    expected = np.trace(net.w_out @ net.feedback) / np.linalg.norm(net.w_out) / np.linalg.norm(net.feedback)
    assert net.alignment == pytest.approx(expected, rel=1e-14)
    assert math.isnan(replace(net, feedback=np.zeros((6, 2))).alignment)


def test_run_refuses_what_is_not_a_trial():
    net = rr.Network.random(4, 2, 1, np.random.default_rng(0))
    for bad in (np.zeros((5, 3)), np.zeros(5), np.full((5, 2), math.nan), np.zeros((5, 2), complex), None):
        with pytest.raises(ValueError, match="inputs"):
            rr.run(net, bad)
    for other in (None, "net", net.w_rec, rr.PeriodicTask(5)):
        with pytest.raises(ValueError, match=r"^net must be a Network, got "):
            rr.run(other, np.zeros((5, 2)))  # type: ignore[arg-type]


OTHER = {
    "phi": "softplus",
    "density": 0.3,
    "bias": 0.5,
    "tau": np.linspace(1.0, 20.0, 12),
    "output_feedback": True,
    "signs": np.resize([1.0, -1.0], 12),
}


def other(seed=0, **changes):
    return rr.Network.random(12, 2, 3, np.random.default_rng(seed), **{**OTHER, **changes})


def test_density_draws_a_mask_and_keeps_the_size_of_the_drive():
    whole, sparse = other(density=None, signs=None), other(signs=None)
    assert 0.1 < sparse.density < 0.5
    np.testing.assert_allclose(sparse.w_rec, np.where(sparse.mask, whole.w_rec / np.sqrt(0.3), 0.0), rtol=1e-14)
    for name in ("w_in", "w_out", "feedback"):
        np.testing.assert_array_equal(getattr(sparse, name), getattr(whole, name))
    big = rr.Network.random(300, 0, 1, np.random.default_rng(0), density=0.2)
    assert big.density == pytest.approx(0.2, abs=0.006)
    assert np.sum(big.w_rec**2) / 300 == pytest.approx(1.5**2, rel=0.05)
    given = rr.Network.random(12, 2, 3, np.random.default_rng(0), mask=sparse.mask)
    np.testing.assert_array_equal(given.w_rec, np.where(sparse.mask, whole.w_rec, 0.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phi": "selu"}, r"^phi must be one of tanh, relu, softplus, sigmoid, identity, got 'selu'"),
        ({"phi": None}, "phi"),
        ({"density": 0.0}, "density must be above 0"),
        ({"density": 1.5}, "density"),
        ({"mask": np.ones((12, 12), dtype=bool)}, "one of density and mask"),
        ({"density": None, "mask": np.ones((12, 11), dtype=bool)}, "mask"),
        ({"density": None, "mask": np.ones((12, 12))}, "mask must be an array of True and False"),
        ({"bias": np.zeros(11)}, "bias"),
        ({"bias": math.nan}, "bias"),
        ({"tau": np.full(12, 0.5)}, "tau must be at least 1 for every unit, got 0.5"),
        ({"tau": np.full(11, 2.0)}, "tau"),
        ({"tau": "10"}, "tau"),
    ],
)
def test_models_that_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        other(**changes)


def test_weights_where_there_is_no_synapse():
    net = other()
    with pytest.raises(ValueError, match="w_rec has weights other than zero where mask is False"):
        replace(net, mask=~net.mask)


@pytest.mark.parametrize("net", [other(), rr.Network.random(4, 0, 1, np.random.default_rng(0))], ids=["other", "plain"])
def test_a_saved_network_comes_back_bit_for_bit(net, tmp_path):
    path = tmp_path / "net.npz"
    net.save(path)
    again = rr.Network.load(path)
    for field in fields(net):
        one, two = getattr(net, field.name), getattr(again, field.name)
        assert type(one) is type(two)
        assert np.asarray(one).tobytes() == np.asarray(two).tobytes()
    assert repr(again) == repr(net)


def test_files_that_are_no_network(tmp_path):
    path = tmp_path / "net.npz"
    other().save(path)
    content = path.read_bytes()
    np.savez(tmp_path / "foreign.npz", w_rec=np.eye(3))
    np.savez(tmp_path / "objects.npz", format=np.array([object()], dtype=object))
    np.savez(tmp_path / "wrong.npz", **{**dict(np.load(path)), "h0": np.zeros(3)})
    others = {
        "empty.npz": b"",
        "text.npz": b"w_rec",
        "short.npz": content[: len(content) // 2],
        "flipped.npz": content[:2000] + bytes([content[2000] ^ 1]) + content[2001:],
    }
    for name, text in others.items():
        (tmp_path / name).write_bytes(text)
    for name in ("foreign.npz", "objects.npz", "wrong.npz", *others):
        with pytest.raises(ValueError, match=name):
            rr.Network.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        rr.Network.load(tmp_path / "none.npz")


def test_a_network_is_shown_by_what_it_is():
    assert repr(other()) == (
        f"Network(n_rec=12, n_in=2, n_out=3, tau=<array (12,)>, phi='softplus', density={other().density:.3g}, "
        "bias=True, dale=True, output_feedback=True)"
    )
