"""Configuration: `key=value` words over a verb's options, resolved once into a plain dict.

Keys, types, defaults and explanations are told once, by the frozen dataclass of the verb's options and those of its sections;
`configs/VERB.yaml` only holds what a verb wants otherwise, `configs/NAME.yaml` what `config=NAME` lays over it.
"""

import difflib
import importlib
import importlib.resources
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.records import MAX_DEPTH, annotation, check, read_json, shown

OPTIONS: Mapping[str, str] = {
    "collect": "hiermap.data.collect:CollectSettings",
    "train": "hiermap.training.options:TrainOptions",
    "evaluate": "hiermap.evaluation.suites:EvaluateOptions",
    "plan": "hiermap.evaluation.suites:PlanOptions",
    "view": "hiermap.view.options:ViewOptions",
    "kitchen": "hiermap.worlds.tasks.kitchen_options:LookOptions",
}
"""Verb -> "module:dataclass" of its options, which loads neither torch nor mujoco; fields marked `omegaconf_ignore` are for code only."""
MISSING = "???"
"""OmegaConf's own mark of a value that has no default."""
MAX_VALUE = 4096
"""Characters of a value: no path is longer."""
Options = TypeVar("Options")


def load_config(verb: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Resolve a verb's defaults under `key=value` overrides into a nested plain dict the caller owns.

    `config=NAME` first lays `configs/NAME.yaml` over the defaults. Raises ConfigError for an unknown key (naming the nearest
    ones), a value of the wrong type, a missing mandatory key or an interpolation.
    """
    config = _defaults(verb)
    pairs = [_split(override) for override in overrides]
    presets = [value for key, value in pairs if key == "config"]
    if len(presets) > 1:
        raise ConfigError(f"config= was given {len(presets)} times: {presets}; give it once")
    for preset in presets:
        _lay_over(verb, config, _read(preset))
    for key, text in pairs:
        if key != "config":
            _set(verb, config, key, _parse(key, text), text)
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(f"{verb} needs {', '.join(f'{key}=...' for key in missing)}; `hiermap {verb} --help` lists every key")
    return _plain(config)


def typed(options: type[Options], config: Mapping[str, Any]) -> Options:
    """The resolved config as its dataclass, which checks ranges; raises ConfigError for what it does not accept."""
    try:
        return OmegaConf.to_object(OmegaConf.merge(_writable(OmegaConf.structured(options)), dict(config)))  # type: ignore[return-value]
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(str(error).partition("\n")[0]) from error


def help_text(verb: str) -> str:
    """Every key of a verb with its default and what it means, a line each; `???` marks what must be given."""
    config, lines = _defaults(verb), []
    sections = _meanings(OmegaConf.get_type(config))
    for key, default in sorted(flatten(_plain(config)).items(), key=lambda item: item[1] != MISSING):
        section, _, name = key.rpartition(".")
        owner = _owner(config, section)
        shown = f"{key}={default if isinstance(default, str) else json.dumps(default)}"
        lines.append(f"  {shown:35} {_meanings(owner).get(name) or sections[section]}")
    return "\n".join(lines)


def words_of(verb: str, config: Mapping[str, Any]) -> list[str]:
    """The words `key=value` that a resolved config comes from: those of all keys that are not at their defaults."""
    defaults = flatten(_plain(_defaults(verb)))
    told = {key: value for key, value in flatten(config).items() if value != defaults.get(key, MISSING)}
    return [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in told.items()]


def dump_config(config: Mapping[str, Any]) -> str:
    """The config as YAML text."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))


def read_artefact_config(path: str | Path) -> dict[str, Any]:
    """Read a JSON config that came with weights or a run; raises ConfigError for damage and for any `${...}` in it.

    Interpolations are refused because `${oc.env:...}` would read the reader's environment.
    """
    try:
        record = read_json(Path(path), "copy or train the weights again")
        check(record, dict[str, Any], str(path))
    except DataError as error:
        raise ConfigError(str(error)) from error
    refuse_interpolation(record, str(path))
    return record


def refuse_interpolation(record: Any, source: str) -> None:
    """Raise ConfigError if any key or string in the nested record holds `${`."""
    if found := re.search(r'[^"]*\$\{[^"]*', json.dumps(record, ensure_ascii=False)):
        raise ConfigError(f"{source}: {found[0]!r} holds an interpolation, which is refused; write the value itself")


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dict -> {dotted key: leaf}; an empty section is a leaf."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _defaults(verb: str) -> DictConfig:
    """The verb's options with the values of `configs/VERB.yaml`, if there is one."""
    module, _, name = OPTIONS[verb].partition(":")
    config = _writable(OmegaConf.structured(getattr(importlib.import_module(module), name)))
    if verb in _config_names():
        _lay_over(verb, config, _read(verb))
    return config


def _owner(config: DictConfig, section: str) -> Any:
    """The dataclass of a section, or of the whole."""
    return OmegaConf.get_type(OmegaConf.select(config, section) if section else config)


def _writable(section: DictConfig) -> DictConfig:
    """Frozen dataclasses make read-only sections; this one and those within are opened."""
    OmegaConf.set_readonly(section, False)
    for key in section:
        if not OmegaConf.is_missing(section, key) and isinstance(section[key], DictConfig):
            _writable(section[key])
    return section


def _plain(config: DictConfig) -> dict[str, Any]:
    """A nested dict as JSON would give it back: OmegaConf 2.4 keeps tuples, 2.3 does not."""
    return json.loads(json.dumps(OmegaConf.to_container(config)))


def _config_names() -> list[str]:
    return sorted(f.name[:-5] for f in importlib.resources.files("hiermap.configs").iterdir() if f.name.endswith(".yaml"))


def _read(name: str) -> dict[str, Any]:
    if name not in _config_names():
        raise ConfigError(f"no config {name!r}; expected one of {_config_names()}")
    text = (importlib.resources.files("hiermap.configs") / f"{name}.yaml").read_text(encoding="utf-8")
    return OmegaConf.to_container(OmegaConf.create(text))  # type: ignore[return-value]


def _lay_over(verb: str, config: DictConfig, changes: Mapping[str, Any]) -> None:
    for key, value in flatten(changes).items():
        _set(verb, config, key, value, str(value))


def _split(override: str) -> tuple[str, str]:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"got {shown(override)}; expected key=value")
    if "\0" in override or override != override.encode(errors="ignore").decode():
        raise ConfigError(f"got {shown(override)}; expected text of whole characters (UTF-8)")
    return key, value


def _parse(key: str, text: str) -> Any:
    """The YAML value of an override."""
    refuse_interpolation(text, key)
    if len(text) > MAX_VALUE or text.count("[") + text.count("{") > MAX_DEPTH:
        raise ConfigError(f"{key} is {shown(text)}, expected at most {MAX_VALUE} characters and {MAX_DEPTH} brackets")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ValueError("it refers to itself")
        return OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))["value"]  # type: ignore[index, call-overload]
    except (OmegaConfBaseException, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"{key} is {shown(text)}, which is no YAML value; quote it if it is text") from error


def _set(verb: str, config: DictConfig, key: str, value: Any, text: str) -> None:
    """Change one key; where a string is expected, what YAML takes for a number or a list stays the text as typed.

    A section that has a `SHORT` is itself set by that key of it: `kitchen=toy` means `kitchen.name=toy`.
    """
    known = flatten(_plain(config))
    if isinstance(config.get(key), DictConfig) and (short := getattr(OmegaConf.get_type(config, key), "SHORT", None)):
        key = f"{key}.{short}"
    section, _, name = key.rpartition(".")
    passed_on = section != "" and _owner(config, section) is dict and name.isidentifier()
    if key not in known and not passed_on:
        near = difflib.get_close_matches(key[:60], known, n=3, cutoff=0.4)
        nearest = f"nearest: {', '.join(near)}; " if near else ""
        raise ConfigError(f"{verb} has no key {shown(key)}; {nearest}`hiermap {verb} --help` lists every key")
    kind = Any if passed_on else annotation(_owner(config, section), name)
    # YAML takes 1:30 for 90, 1_0 for 10 and 010 for 8, and a goal in JSON for lists.
    told = isinstance(value, int | float) and (kind in (str, str | None) or re.search("[:_]|^[+-]?0[0-9]", text))
    if told or (kind is str and value is not None):
        value = text
    try:
        check(value, kind, key)
        json.dumps(value, allow_nan=False)
        OmegaConf.update(config, key, value, merge=False)
    except DataError as error:
        raise ConfigError(str(error)) from error
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(f"{key} is {shown(text)}, expected a value like {shown(known.get(key))} that JSON can hold") from error


def _meanings(options: Any) -> dict[str, str]:
    """Attribute -> what the docstrings of the dataclass and of those it extends say of it."""
    found: dict[str, str] = {}
    for cls in reversed(inspect.getmro(options)):
        section = re.search(r"Attributes:\n(.*?)(?:\n\n|$)", inspect.cleandoc(cls.__doc__ or ""), re.DOTALL)
        for names, text in re.findall(r"^ {4}(\w[\w, ]*): (.+(?:\n {8}.+)*)", section[1] if section else "", re.MULTILINE):
            found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found
