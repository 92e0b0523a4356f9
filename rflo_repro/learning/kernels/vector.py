"""Eight doubles as one value, so that a kernel says itself what lies in a register.

`Vector` is a numba type whose machine representation is LLVM's ``<8 x double>``; LLVM splits it where registers are
shorter. With ``NUMBA_DISABLE_JIT=1`` a vector is a NumPy array of eight, and every primitive its NumPy twin, so the
same kernels run in plain Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, overload, register_model

from ._cache import disk_cached, numba_config
from .layout import LANES, Array

F = TypeVar("F", bound=Callable[..., Any])
# No kernel allocates; counting references to arrays would take a fifth of a small network's step. Lines for a debugger,
# which NUMBA_DEBUGINFO asks for, have no source in what is generated.
_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False, "error_model": "numpy", "debug": False}


def kernel(function: F) -> F:
    """Compile without the GIL, cached on disk. Division follows IEEE 754, and no flag assumes that there is no NaN or
    infinity: every check for a divergence holds."""
    return cast(F, disk_cached(numba.njit(**_OPTIONS)(function)))


def force_inline(function: F) -> F:
    """A kernel that LLVM inlines into its caller: a call would slow down the step of a small network."""
    return cast(F, disk_cached(numba.njit(**_OPTIONS, forceinline=True)(function)))


def inline_ir(function: F) -> F:
    """A kernel whose numba IR is inlined into its callers, so that it is not compiled by itself too."""
    return cast(F, disk_cached(numba.njit(**_OPTIONS, inline="always")(function)))


_specialised: dict[Callable[..., Any], Callable[[Any], Any]] = {}


def specialise(usual: type, plain: F, general: F) -> F:
    """Static dispatch on the first argument's type; numba compiles only the branch taken.

    The first argument is a `usual` (float or a NamedTuple) for `plain`, anything else for `general`; both are plain
    Python functions with the same arguments. The paper's models and optimiser are the usual ones.
    """

    def chosen(*arguments: Any) -> Any:
        return (plain if isinstance(arguments[0], usual) else general)(*arguments)

    def is_usual(kind: Any) -> bool:
        return isinstance(kind, types.Float) if usual is float else getattr(kind, "instance_class", None) is usual

    def compiled(kind: Any) -> F:
        found = plain if is_usual(kind) else general
        # `general` may be specialised too
        return cast(F, _specialised[found](kind)) if found in _specialised else found

    if not numba_config.DISABLE_JIT:
        _specialised[chosen] = compiled
        overload(chosen, strict=False, jit_options=cast(Any, {**_OPTIONS, "forceinline": True}))(
            lambda *given: compiled(given[0])
        )
    return cast(F, chosen)


DOUBLE = ir.DoubleType()
DOUBLES = ir.VectorType(DOUBLE, LANES)
_BITS = ir.VectorType(ir.IntType(64), LANES)


class Vector(types.Type):  # type: ignore[misc]
    """The numba type of eight doubles."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


vector = Vector()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Vector) -> None:
        super().__init__(manager, numba_type, DOUBLES)


def _arithmetic(operation: Callable[..., Any], instruction: str) -> None:
    class Typing(ConcreteTemplate):  # type: ignore[misc]
        key = operation
        cases = (signature(vector, vector, vector),)

    infer_global(operation)(Typing)

    @lower_builtin(operation, vector, vector)
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_operation, _instruction)


def primitive(twin: Callable[..., Any], emit: Callable[..., Any], result: Any, *arguments: Any) -> Any:
    """A function that compiles to the instructions of `emit`, or is `twin` where nothing is compiled.

    `arguments` are numba types, or ``types.Array`` for any array of doubles; `emit` gets the builder and the LLVM
    values, with a pointer to the first element in place of an array.
    """
    if numba_config.DISABLE_JIT:
        return twin

    def declare(_typing: Any, *given: Any) -> Any:
        expected = [g if e is types.Array else e for g, e in zip(given, arguments, strict=True)]

        def generate(context: Any, builder: Any, sig: Any, values: Any) -> Any:
            operands = [
                context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
                for kind, value in zip(sig.args, values, strict=True)
            ]
            out = emit(builder, *operands)
            return context.get_dummy_value() if result is types.void else out

        return signature(result, *expected), generate

    # numba learns from the signature how a call hands over its arguments
    names = [Parameter(f"x{i}", Parameter.POSITIONAL_OR_KEYWORD) for i in range(len(arguments) + 1)]
    declare.__signature__ = Signature(names)  # type: ignore[attr-defined]
    return intrinsic(declare)


def at(builder: Any, data: Any, index: Any) -> Any:
    """Pointer to the vector that starts at element `index`."""
    return builder.bitcast(builder.gep(data, [index]), DOUBLES.as_pointer())


def _call(builder: Any, name: str, *values: Any) -> Any:
    function_type = ir.FunctionType(values[0].type, [value.type for value in values])
    lanes = f"v{LANES}f64"
    function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.{name}.{lanes}")
    return builder.call(function, values)


def multiply_add(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """``x y + z``, rounded once: by a library where the machine has no instruction for it, slowly but to the same
    bits."""
    return _call(builder, "fma", x, y, z)


def spread(builder: Any, x: Any) -> Any:
    """Eight times the double `x`."""
    empty = ir.Constant(DOUBLES, ir.Undefined)
    first = builder.insert_element(empty, x, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def constant(x: float) -> Any:
    """Eight times a number known at compile time."""
    return ir.Constant(DOUBLES, [x] * LANES)


def aligned_to_double(instruction: Any) -> Any:
    """Promise no more than the alignment of a double: callers may pass any array."""
    instruction.align = 8
    return instruction


def _emit_sum(builder: Any, x: Any) -> Any:
    # a tree: half as many lanes each time, the order of addition the same on every machine
    width = LANES
    while width > 1:
        width //= 2
        halves = [
            builder.shuffle_vector(
                x,
                ir.Constant(x.type, ir.Undefined),
                ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(start, start + width))),
            )
            for start in (0, width)
        ]
        x = builder.fadd(*halves)
    return builder.extract_element(x, ir.Constant(ir.IntType(32), 0))


def _sum_twin(x: Array) -> float:
    while len(x) > 1:
        half = len(x) // 2
        x = x[:half] + x[half:]
    return float(x[0])


def _emit_power(builder: Any, x: Any) -> Any:
    bits = builder.bitcast(x, _BITS)
    exponent = builder.shl(bits, ir.Constant(_BITS, [52] * LANES))
    return builder.bitcast(builder.add(exponent, ir.Constant(_BITS, [1023 << 52] * LANES)), DOUBLES)


def _emit_fraction(builder: Any, x: Any) -> Any:
    mantissa = builder.and_(builder.bitcast(x, _BITS), ir.Constant(_BITS, [(1 << 52) - 1] * LANES))
    return builder.bitcast(builder.or_(mantissa, ir.Constant(_BITS, [1022 << 52] * LANES)), DOUBLES)


def _emit_exponent(builder: Any, x: Any) -> Any:
    # in the low bits of 2^52, where a whole number is a double without a conversion
    bits = builder.lshr(builder.bitcast(x, _BITS), ir.Constant(_BITS, [52] * LANES))
    number = builder.bitcast(builder.or_(bits, ir.Constant(_BITS, [1075 << 52] * LANES)), DOUBLES)
    return builder.fsub(number, constant(2.0**52 + 1022.0))


def _emit_copysign_bits(builder: Any, x: Any, bits: Any, i: Any) -> Any:
    # each bit to where a double has its sign
    byte = builder.zext(builder.load(builder.gep(bits, [i])), _BITS.element)
    first = builder.insert_element(ir.Constant(_BITS, ir.Undefined), byte, ir.Constant(ir.IntType(32), 0))
    wide = builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
    signs = builder.shl(wide, ir.Constant(_BITS, [63 - lane for lane in range(LANES)]))
    return _call(builder, "copysign", x, builder.bitcast(signs, DOUBLES))


def _store_twin(a: Array, i: int, x: Array) -> None:
    a.reshape(-1)[i : i + LANES] = x


load = primitive(
    lambda a, i: a.reshape(-1)[i : i + LANES].copy(),
    lambda builder, a, i: aligned_to_double(builder.load(at(builder, a, i))),
    vector,
    types.Array,
    types.intp,
)
"""``load(a, i)``: the vector at element i of the C-contiguous array a, whatever its shape."""

store = primitive(
    _store_twin,
    lambda builder, a, i, x: aligned_to_double(builder.store(x, at(builder, a, i))),
    types.void,
    types.Array,
    types.intp,
    vector,
)
"""``store(a, i, x)``: the counterpart of `load`."""

splat = primitive(lambda x: np.full(LANES, x), spread, vector, types.float64)
"""``splat(x)``: eight times x."""

fma = primitive(lambda x, y, z: x * y + z, multiply_add, vector, vector, vector, vector)
"""``fma(x, y, z)``: x y + z."""

absolute = primitive(np.abs, lambda builder, x: _call(builder, "fabs", x), vector, vector)
"""``absolute(x)``: |x|."""

sqrt = primitive(np.sqrt, lambda builder, x: _call(builder, "sqrt", x), vector, vector)
"""``sqrt(x)``: the square root, rounded once."""

copysign = primitive(np.copysign, lambda builder, x, y: _call(builder, "copysign", x, y), vector, vector, vector)
"""``copysign(x, y)``: |x| with the sign of y."""

copysign_bits = primitive(
    lambda x, bits, i: np.where(bits.reshape(-1)[i] >> np.arange(LANES) & 1, -np.abs(x), np.abs(x)),
    _emit_copysign_bits,
    vector,
    vector,
    types.Array,
    types.intp,
)
"""``copysign_bits(x, bits, i)``: |x| with a minus where the bits of byte i of `bits` are set, the lowest bit first."""

minimum = primitive(
    lambda x, y: np.where(x > y, y, x),
    lambda builder, x, y: builder.select(builder.fcmp_ordered(">", x, y), y, x),
    vector,
    vector,
    vector,
)
"""``minimum(x, y)``: the smaller of the two, and NaN where x is."""

maximum = primitive(
    lambda x, y: np.where(x < y, y, x),
    lambda builder, x, y: builder.select(builder.fcmp_ordered("<", x, y), y, x),
    vector,
    vector,
    vector,
)
"""``maximum(x, y)``: the larger of the two, and NaN where x is."""

where_negative = primitive(
    lambda x, y, z: np.where(x < 0.0, y, z),
    lambda builder, x, y, z: builder.select(builder.fcmp_ordered("<", x, constant(0.0)), y, z),
    vector,
    vector,
    vector,
    vector,
)
"""``where_negative(x, y, z)``: y where x is below zero, else z."""

power_of_two = primitive(
    lambda x: ((x.view(np.int64) << 52) + (1023 << 52)).view(np.float64), _emit_power, vector, vector
)
"""``power_of_two(k + ROUNDER)``: 2^k for whole k."""

fraction = primitive(lambda x: np.frexp(x)[0], _emit_fraction, vector, vector)
"""``fraction(x)``: x over ``2^exponent(x)``, from 1/2 to 1, for x that are positive, normal and finite."""

exponent = primitive(lambda x: np.frexp(x)[1].astype(np.float64), _emit_exponent, vector, vector)
"""``exponent(x)``, likewise: the power of two that goes with `fraction`."""

floor = primitive(np.floor, lambda builder, x: _call(builder, "floor", x), vector, vector)
"""``floor(x)``: the largest whole number that is not above x."""

lane_sum = primitive(_sum_twin, _emit_sum, types.float64, vector)
"""``lane_sum(x)``: the sum of the eight lanes."""


@kernel
def clear(a: Array) -> None:
    """Zeros into an array of whole vectors."""
    for i in range(0, a.size, LANES):
        store(a, i, splat(0.0))


@kernel
def copy(source: Array, to: Array) -> None:
    """One array of whole vectors into another."""
    for i in range(0, source.size, LANES):
        store(to, i, load(source, i))


@kernel
def scale(source: Array, factor: float, to: Array) -> None:
    """`factor` times one array of whole vectors into another."""
    for i in range(0, source.size, LANES):
        store(to, i, splat(factor) * load(source, i))


@kernel
def copy_part(source: Array, source_at: int, to: Array, to_at: int, n: int) -> None:
    """`n` elements. Assigning a slice makes numba compile its message on unequal shapes: two seconds of every start
    from cold."""
    for i in range(n):
        to[to_at + i] = source[source_at + i]
