"""Open choices as data: beside each field of an experiment's choices stand what it is, what else is plausible, and the
entry of docs/assumptions.md that argues it.

Everything that offers, explains or varies a choice reads this one declaration. Nothing numerical is imported before a
value is checked, so that the command line's help can list them.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Check = Callable[[str, Any], Any]
# Products of numbers up to here are finite: what fits no machine is refused for its memory, and not by an overflow
LARGEST = 10**9
GRID = "a command each, or `rflo-repro sweep` for a grid"


class ChoiceError(ValueError):
    """A choice that cannot be.

    names: whose values are wrong, the likeliest first. option: what it was given by, if that is known.
    """

    def __init__(self, message: str, *names: str, option: str | None = None) -> None:
        super().__init__(message)
        self.names, self.option = names, option


@dataclass(frozen=True)
class Alternative:
    """Another plausible value of a choice.

    label: what tables and pictures call it. periods_tau: of a periodic task, where it is plausible; empty for all.
    excluded: whether the multiverse's design does not combine it with others: it is costly, or nothing is learned with
    it. design_only: whether it is in the design, but not tried by itself (`sensitivity`): a neighbour of it is.
    """

    value: Any
    label: str
    periods_tau: tuple[float, ...] = ()
    excluded: bool = False
    design_only: bool = False


@dataclass(frozen=True)
class Choice:
    """What is declared beside a field.

    entry: in docs/assumptions.md, or `printed ...` for a value of the paper's. source: where the paper prints it.
    meaning: in words, with its unit. check: from name and value to the value; raises ValueError.
    option: of the command line that gives it too, without dashes.
    """

    entry: str
    meaning: str
    check: Check
    alternatives: tuple[Alternative, ...] = ()
    source: str = ""
    option: str = ""

    @property
    def printed(self) -> bool:
        """Whether the value is the paper's."""
        return bool(self.source)


def open_choice(
    default: Any, entry: str, meaning: str, check: Check, *alternatives: Alternative, option: str = ""
) -> Any:
    """A field that the paper leaves open."""
    return dataclasses.field(
        default=default, metadata={"choice": Choice(entry, meaning, check, alternatives, option=option)}
    )


def printed(
    default: Any, value: str, source: str, meaning: str, check: Check, *alternatives: Alternative, option: str = ""
) -> Any:
    """A field whose value the paper prints; its alternatives show how much hangs on it.

    value: as one writes it, such as `g = 1.5`.
    """
    choice = Choice(f"printed {value}", meaning, check, alternatives, source, option)
    return dataclasses.field(default=default, metadata={"choice": choice})


@dataclass(frozen=True)
class Choices:
    """What an experiment's choices have in common: every field is declared by `open_choice` or `printed`, and checked.

    Raises ChoiceError for a value out of range.
    """

    stored_as = "Choices"

    def __post_init__(self) -> None:
        for name, choice in declared(self).items():
            try:
                value = choice.check(name, getattr(self, name))
            except ValueError as error:
                raise ChoiceError(str(error), name) from None
            object.__setattr__(self, name, value)


C = TypeVar("C", bound=Choices)


def declared(choices: Choices | type[Choices]) -> dict[str, Choice]:
    """What is declared beside each field, by its name."""
    return {field.name: field.metadata["choice"] for field in dataclasses.fields(choices)}


def defaults(choices: Choices | type[Choices]) -> dict[str, Any]:
    """The value at paper scale, by name."""
    return {field.name: field.default for field in dataclasses.fields(choices)}


def listing(choices: type[Choices]) -> list[tuple[str, str]]:
    """`name=default` of each choice, and what it is, what else is plausible, and where it is argued or printed."""
    lines = []
    for name, choice in declared(choices).items():
        others = ", ".join(written(other.value) for other in choice.alternatives)
        source = f"{choice.entry}, {choice.source}" if choice.printed else choice.entry
        lines.append(
            (
                f"{name}={written(defaults(choices)[name])}",
                f"{choice.meaning}{f'; alternatives: {others}' if others else ''} [{source}]",
            )
        )
    return lines


def vary(choices: C, sets: Iterable[tuple[str, str]], options: Mapping[str, Any] | None = None) -> C:
    """The choices with other values.

    sets: names and values as `--set` has them. options: values by the option that gives them, None if it does not.
    Raises ChoiceError, with the option that is to blame, for a name that is none and for a value that cannot be.
    """
    sets = list(sets)
    known, asked, options = declared(choices), dict(sets), options or {}
    for name, text in sets:
        if asked[name] != text:
            raise ChoiceError(f"{name} has two values, {text} and {asked[name]}: {GRID}", name, option="set")
        if name in known and options.get(option := known[name].option) is not None:
            raise ChoiceError(f"{name} is what --{option} gives: leave out one of the two", name, option="set")
    changes = {name: options[c.option] for name, c in known.items() if options.get(c.option) is not None}
    for name, text in asked.items():
        if name not in known:
            from rflo_repro.learning import validate

            near = validate.hint(name, known)
            raise ChoiceError(f"{_short_repr(name)} is not one of {', '.join(known)}{near}", name, option="set")
        several = isinstance(getattr(choices, name), tuple)
        if "," in text and not several:
            raise ChoiceError(f"{name} takes one value, got {text}: {GRID}", name, option="set")
        changes[name] = parsed(text, several)
    try:
        return dataclasses.replace(choices, **changes)
    except ChoiceError as error:
        given = [name for name in error.names if name in changes]
        error.option = known[given[0]].option if given and given[0] not in asked else "set"
        raise


def parsed(text: str, several: bool = False) -> Any:
    """A value as the command line has it: true or false, a number, a word; `several`: a tuple of what commas separate.

    Whether it is one that a choice can have is for its check to say.
    """
    try:
        value = json.loads(f"[{text}]" if several else text)
    except (ValueError, RecursionError):  # no JSON; or a number too long, or nested too deeply, to be any value here
        return text
    return tuple(value) if several else value


def written(value: Any) -> str:
    """A value as it is written after `--set NAME=`; the inverse of `parsed`."""
    if isinstance(value, tuple):
        return ",".join(map(written, value))
    return value if isinstance(value, str) else json.dumps(value)


def _short_repr(value: Any) -> str:
    from rflo_repro.learning import validate

    return validate.short_repr(value)


def _validated(kind: str, *allowed: Any) -> Check:
    """The check of this name in `learning.validate`."""

    def check(name: str, value: Any) -> Any:
        from rflo_repro.learning import validate

        return getattr(validate, kind)(name, value, *allowed)

    return check


def integer(minimum: int, maximum: int = LARGEST) -> Check:
    """A whole number in this range."""
    return _validated("integer", minimum, maximum)


def number(minimum: float = -LARGEST, maximum: float = LARGEST) -> Check:
    """A number in this range."""
    return _validated("real", minimum, maximum)


# a finite number above 0
positive = number(sys.float_info.min)


def boolean(name: str, value: Any) -> bool:
    """True or false, as the command line writes them. Raises ValueError."""
    try:
        return bool(_validated("boolean")(name, value))
    except ValueError as error:
        raise ValueError(str(error).replace("True or False", "true or false", 1)) from None


def one_of(*allowed: str) -> Check:
    """One of these words."""
    return _validated("one_of", allowed)


def each(check: Check) -> Check:
    """A tuple of at least one, all of which pass the check."""

    def checked(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, tuple) or not value:
            raise ValueError(f"{name} must be one value or more, separated by commas, got {_short_repr(value)}")
        return tuple(check(name, item) for item in value)

    return checked


def first_state(name: str, value: Any) -> float | str:
    """Every unit's initial state, or `uniform` or `normal` for a random one. Raises ValueError."""
    if isinstance(value, str) and value in ("uniform", "normal"):
        return value
    try:
        found: float = number()(name, value)
    except ValueError as error:
        raise ValueError(str(error).replace(", got", ", or the word uniform or normal, got", 1)) from None
    return found


def limit(name: str, value: Any) -> float | str:
    """A number above 0, or `none`. Raises ValueError."""
    if isinstance(value, str) and value == "none":
        return value
    try:
        found: float = positive(name, value)
    except ValueError as error:
        raise ValueError(str(error).replace(", got", ", or the word none, got", 1)) from None
    return found
