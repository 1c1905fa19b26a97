"""Configuration: OmegaConf dot-lists over YAML defaults, resolved once into a plain dict.

Every verb has its defaults in `configs/VERB.yaml`. A key that is not there is an error; `???` marks a key the user must give.
"""

import difflib
import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hiermap.worlds.errors import ConfigError

MISSING = "???"
"""OmegaConf's own mark of a value that has no default."""
OPEN_SECTIONS = {"train": ("trainer",)}
"""Sections that take any key because they are handed on whole (Lightning's Trainer has its own check)."""
NEAREST = 3


def load_config(verb: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Resolve `configs/VERB.yaml` under `key=value` overrides into a nested plain dict the caller owns.

    `config=NAME` first lays `configs/NAME.yaml` over the verb's defaults. Raises ConfigError for an unknown key (naming the nearest
    ones), a value of the wrong type, a missing mandatory key or an interpolation.
    """
    defaults = _read_defaults(verb)
    pairs = [_split(override) for override in overrides]
    base = [value for key, value in pairs if key == "config"]
    if len(base) > 1:
        raise ConfigError(f"config= was given {len(base)} times: {base}; give it once")
    if base:
        defaults = _lay_over(verb, defaults, flatten(_read_defaults(base[0])))
    resolved = _lay_over(verb, defaults, {key: _parse(key, text) for key, text in pairs if key != "config"})
    missing = [key for key, value in flatten(resolved).items() if value == MISSING]
    if missing:
        raise ConfigError(f"{verb} needs {', '.join(f'{key}=...' for key in missing)}; `hiermap {verb} --help` lists every key")
    return resolved


def defaults_text(verb: str) -> str:
    """The verb's YAML defaults as written, comments included."""
    return _config_file(verb).read_text(encoding="utf-8")


def dump_config(config: Mapping[str, Any]) -> str:
    """The config as YAML text."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))


def read_artefact_config(path: str | Path) -> dict[str, Any]:
    """Read a JSON config that came with weights or a run; raises ConfigError for damage and for any `${...}` in it.

    Interpolations are refused because `${oc.env:...}` would read the reader's environment.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a readable JSON config ({error}); export the weights again") from error
    if not isinstance(record, dict):
        raise ConfigError(f"{path}: expected a JSON object, got {type(record).__name__}")
    refuse_interpolation(record, str(path))
    return record


def refuse_interpolation(record: Any, source: str) -> None:
    """Raise ConfigError if any key or string in the nested record holds `${`."""
    for text in _strings(record):
        if "${" in text:
            raise ConfigError(f"{source}: {text!r} holds an interpolation, which is refused; write the value itself")


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dict -> {dotted key: leaf}; an empty section is a leaf."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _config_file(name: str) -> Any:
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ConfigError(f"config={name!r} is not a name; expected one of {_config_names()}")
    file = importlib.resources.files("hiermap.configs") / f"{name}.yaml"
    if not file.is_file():
        raise ConfigError(f"no config {name!r}; expected one of {_config_names()}")
    return file


def _config_names() -> list[str]:
    return sorted(f.name[:-5] for f in importlib.resources.files("hiermap.configs").iterdir() if f.name.endswith(".yaml"))


def _read_defaults(name: str) -> dict[str, Any]:
    record = OmegaConf.to_container(OmegaConf.create(_config_file(name).read_text(encoding="utf-8")), resolve=False)
    if not isinstance(record, dict):
        raise ConfigError(f"configs/{name}.yaml must hold keys, got {type(record).__name__}")
    return record  # type: ignore[return-value]


def _split(override: str) -> tuple[str, str]:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"got {override!r}; expected key=value")
    return key, value


def _parse(key: str, text: str) -> Any:
    """The override's YAML value; `(text, value)` keeps the text, which a string key wants as typed."""
    refuse_interpolation(text, key)
    try:
        parsed = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))
    except (OmegaConfBaseException, yaml.YAMLError) as error:
        raise ConfigError(f"{key}={text!r} is not a YAML value ({error})") from error
    return _Typed(text, parsed["value"])  # type: ignore[index, call-overload]


class _Typed(tuple):
    """(text as typed, parsed value)."""

    def __new__(cls, text: str, value: Any) -> "_Typed":
        return super().__new__(cls, (text, value))


def _lay_over(verb: str, defaults: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the defaults with `{dotted key: value}` changes applied; checks names and types."""
    known, result = flatten(defaults), json.loads(json.dumps(defaults))
    for key, change in changes.items():
        section, _, _ = key.partition(".")
        if key in known:
            value = _checked(key, change, known[key])
        elif "." in key and section in OPEN_SECTIONS.get(verb, ()):
            value = change[1] if isinstance(change, _Typed) else change
        else:
            raise ConfigError(_unknown(verb, key, known))
        *path, leaf = key.split(".")
        place = result
        for part in path:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        place[leaf] = value
    return result


def _checked(key: str, change: Any, default: Any) -> Any:
    text, value = change if isinstance(change, _Typed) else (str(change), change)
    if default is None or value is None or default == {}:
        return value
    if isinstance(default, str):
        return value if isinstance(value, str) else text
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise ConfigError(f"{key}={text!r} is {type(value).__name__}; expected {type(default).__name__} like the default {default!r}")
    return value


def _unknown(verb: str, key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, n=NEAREST, cutoff=0.4) or sorted(known)
    return f"{verb} has no key {key!r}; nearest: {', '.join(near)}; `hiermap {verb} --help` lists every key"


def _strings(record: Any) -> Iterator[str]:
    if isinstance(record, str):
        yield record
    elif isinstance(record, Mapping):
        for key, value in record.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(record, list | tuple):
        for value in record:
            yield from _strings(value)
