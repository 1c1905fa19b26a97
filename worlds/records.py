"""What comes from outside, JSON from files and options from users, is held against type annotations before anything is made of it."""

import difflib
import json
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import inf
from numbers import Integral, Real
from pathlib import Path
from sys import float_info
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NoReturn, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from hiermap.worlds.errors import ConfigError, DataError

MAX_JSON_BYTES = 1 << 25
"""A larger file (32 MiB) is not ours, and what it holds would take some twenty times as much memory."""
MAX_DEPTH = 64
"""Of lists and objects in each other."""
MAX_DIGITS = 400
"""More no integer has that anything here counts, draws or measures; seeds are the longest."""
MANY, MUCH = 10**9, float_info.max
"""Where nothing smaller limits a number of things, or a finite amount."""
Count = Annotated[int, 0, MANY]
Positive = Annotated[int, 1, MANY]
Amount = Annotated[float, 0, MUCH]
Share = Annotated[float, 0, 1]
Cells = Annotated[int, 0, 10_000]
_WORDS = {int: "an integer", float: "a number", str: "text", bool: "true or false", NoneType: "null"}
MAX_SHOWN = 120
_SHORT = reprlib.Repr()
_SHORT.maxstring, _SHORT.maxother, _SHORT.maxlong = 80, 60, 30


def read_json(path: Path, remedy: str) -> Any:
    """The JSON value of a file; DataError, ending in the `remedy`, for one that is missing, too large, too deep or no JSON."""
    try:
        if (size := path.stat().st_size) > MAX_JSON_BYTES:
            raise ValueError(f"{size} bytes, expected at most {MAX_JSON_BYTES}")
        return parse_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
    except ValueError as error:
        raise DataError(f"{path} is damaged ({error}); {remedy}") from error


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text; ValueError saying what is wrong, also for NaN, infinity, half characters and what is nested too deeply."""
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_integer)
        json.dumps(value, ensure_ascii=False).encode()
        if _deeper(value, MAX_DEPTH):
            raise RecursionError
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON at line {error.lineno}, column {error.colno}") from error
    except UnicodeError as error:
        raise ValueError("its text is not UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def check(value: Any, kind: Any, place: str) -> None:
    """Raise DataError naming the place unless a value is what an annotation says.

    Args:
        kind: a scalar type, a union, Literal, list, tuple, Mapping, a TypedDict (other keys may be there), a dataclass (or a mapping of its
            fields), any other class, Any, or `Annotated[number, least, most]`; a number is finite unless that says otherwise.
        place: the file, the field, or both.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if is_typeddict(kind) or (is_dataclass(kind) and not isinstance(value, kind)):  # type: ignore[arg-type]
        _check_keys(value, kind, place)
    elif origin in (Union, UnionType):
        _check_any(value, kind, place)
    elif origin in (dict, Mapping) and isinstance(value, Mapping):
        _check_all(((f"{place}.{shown(name)}", part, arguments[1]) for name, part in value.items()))
    elif origin in (list, tuple, Sequence) and isinstance(value, list | tuple):
        kinds = arguments if origin is tuple and arguments[-1] is not ... else arguments[:1] * len(value)
        if len(kinds) != len(value):
            _refuse(value, kind, place)
        _check_all((f"{place}[{index}]", part, wanted) for index, (part, wanted) in enumerate(zip(value, kinds, strict=True)))
    elif not _is(value, kind):
        _refuse(value, kind, place)


def check_fields(record: Any, section: str = "") -> None:
    """Raise ConfigError naming the first field of a dataclass's instance that is not as it is annotated, after its `section` and a dot."""
    for name, kind in _hints(record.__class__).items():
        try:
            check(getattr(record, name), kind, f"{section}.{name}" if section else name)
        except DataError as error:
            raise ConfigError(str(error)) from error


def annotation(record: Any, name: str) -> Any:
    """What a dataclass or TypedDict says of one of its fields."""
    return _hints(record)[name]


def one_of(key: str, value: object, known: Iterable[str]) -> None:
    """ConfigError naming the nearest known values unless `value` is among them."""
    names = list(known)
    if value not in names:
        near = difflib.get_close_matches(str(value)[:60], names, n=3, cutoff=0.4)
        meant = f"nearest: {', '.join(near)}; " if near else ""
        raise ConfigError(f"{key}={shown(value)} is unknown; {meant}known: {', '.join(names)}")


def shown(value: object) -> str:
    """A value in so few words that a sentence can hold it."""
    text = json.dumps(value) if value is None or isinstance(value, bool) else _SHORT.repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def in_words(kind: Any) -> str:
    """What an annotation asks for."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        least, most = kind.__metadata__
        return f"{_WORDS[arguments[0]]} " + (f"of at least {least}" if most in (MANY, MUCH, inf) else f"from {least} to {most}")
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(in_words(part) for part in arguments))
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin in (list, tuple, Sequence):
        return f"a list of {len(arguments)}" if origin is tuple and arguments[-1] is not ... else f"a list, each {in_words(arguments[0])}"
    return _WORDS.get(kind, "an object with named values")


def _is(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        least, most = kind.__metadata__
        return _is_number(value, get_args(kind)[0]) and least <= value <= most
    if get_origin(kind) is Literal:
        return any(value == known and type(value) is type(known) for known in get_args(kind))
    if kind in (int, float):
        return _is_number(value, kind) and -MUCH <= value <= MUCH
    return kind is Any or (isinstance(kind, type) and isinstance(value, kind))


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)


def _check_all(parts: Iterable[tuple[str, Any, Any]]) -> None:
    for place, part, kind in parts:
        check(part, kind, place)


def _check_keys(value: Any, kind: Any, place: str) -> None:
    if not isinstance(value, Mapping):
        _refuse(value, kind, place)
    hints = _hints(kind)
    needed = kind.__required_keys__ if is_typeddict(kind) else {f.name for f in fields(kind) if f.default is f.default_factory is MISSING}
    if missing := sorted(needed - set(value)):
        raise DataError(f"{place} has no {missing[0]!r}, expected {', '.join(sorted(needed))}")
    if is_dataclass(kind) and (strange := sorted(map(str, set(value) - set(hints)))):
        raise DataError(f"{place} has an unknown {shown(strange[0])}, expected {', '.join(hints)}")
    _check_all((f"{place}.{name}", value[name], hints[name]) for name in hints if name in value)


def _check_any(value: Any, kind: Any, place: str) -> None:
    """One of several kinds; what is wrong inside is told where it can only be meant to be one of them."""
    whole = [part for part in get_args(kind) if get_origin(part) in (list, tuple, dict, Mapping, Sequence) or is_typeddict(part)]
    for part in get_args(kind):
        try:
            return check(value, part, place)
        except DataError as error:
            if [part] == whole and isinstance(value, Mapping | list):
                raise error
    _refuse(value, kind, place)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    told = [field.name for field in fields(kind)] if is_dataclass(kind) else list(hints)
    return {name: get_args(hints[name])[0] if get_origin(hints[name]) is NotRequired else hints[name] for name in told}


def _refuse(value: object, kind: Any, place: str) -> NoReturn:
    raise DataError(f"{place} is {shown(value)}, expected {in_words(kind)}")


def _deeper(value: object, depth: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth < 0 or any(_deeper(part, depth - 1) for part in parts)


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite(number: str) -> float:
    if not abs(float(number)) <= MUCH:
        raise ValueError(f"{number[:20]} is no finite number")
    return float(number)
