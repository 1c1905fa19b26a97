"""The command line: `hiermap VERB key=value ...`. Heavy imports happen inside the verb that needs them."""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from hiermap.system.config import OPTIONS, dump_config, help_text, load_config
from hiermap.system.graphics import prefer_egl
from hiermap.system.signals import Terminated, heeded
from hiermap.system.versions import check_pins, versions
from hiermap.worlds.errors import ConfigError, HiermapError

DONE, FAILED, USAGE, NO_PLAN, TIMEOUT, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 4, 130, 143
"""Exit codes."""


@dataclass(frozen=True)
class Verb:
    """One command.

    Attributes:
        function: "module:name", called with the positionals and the resolved config if it has `OPTIONS`; returns an exit code or None.
        summary: one line for `hiermap --help`.
        positionals: names of the words expected before `key=value`; any number may follow a last one in brackets.
        named: words among them that are arguments of the function by name; of `key=...` the value is free, in brackets it may be left out.
    """

    function: str
    summary: str
    positionals: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


OVERWRITE = ("[overwrite=true]",)
VERBS: Mapping[str, Verb] = {
    "doctor": Verb("hiermap.doctor:doctor", "check versions, graphics, cores and shipped weights"),
    "collect": Verb("hiermap.data.collect:collect", "gather play data into a directory; the same command resumes"),
    "data": Verb(
        "hiermap.data.verify:data",
        "check, summarise or merge data directories, write them as a LeRobotDataset or take one back",
        ("verify|info|merge|export|import", "DIR", "[DIR ...]"),
        (*OVERWRITE, "[format=...]", "[out=...]"),
    ),
    "train": Verb("hiermap.training.train:train", "train on a data directory and export weights"),
    "export": Verb("hiermap.training.train:export_checkpoint", "write the weights in a checkpoint", ("CKPT",), ("out=...", *OVERWRITE)),
    "evaluate": Verb("hiermap.evaluation.evaluate:evaluate", "run a suite of seeded episodes and judge them"),
    "results": Verb(
        "hiermap.evaluation.merge:results", "merge the shards of an evaluation into OUT", ("merge", "OUT", "[DIR ...]"), OVERWRITE
    ),
    "compare": Verb(
        "hiermap.evaluation.compare:compare",
        "success of evaluation B minus that of A on the same tasks, paired; exit 1 if its 95 % interval lies wholly below 0",
        ("A", "B"),
    ),
    "kitchen": Verb("hiermap.report.kitchen_list:kitchen", "list what is in a kitchen and what can be asked of it, with a picture"),
    "plan": Verb("hiermap.evaluation.plan:plan", "plan (and execute) one task"),
    "view": Verb("hiermap.view.view:view", "click goals in a kitchen in 3-D, look at imagined futures, carry plans out step by step"),
    "report": Verb("hiermap.report.report:report", "write a self-contained report.html from a run", ("DIR",), OVERWRITE),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (0 done, 1 failed, 2 usage or config, 3 no plan, 4 timeout, 130/143 signals)."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with heeded():
            return _dispatch(words)
    except ConfigError as error:
        return _say(error, USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (HiermapError, OSError) as error:
        return _say(error, FAILED)
    except KeyboardInterrupt:
        return _say("interrupted; what was finished is kept", INTERRUPTED)
    except Terminated:
        return _say("terminated; what was finished is kept", TERMINATED)


def run() -> NoReturn:
    """Entry point of the console script and of `python -m hiermap`."""
    raise SystemExit(main())


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_usage())
        return DONE if words else USAGE
    if words[0] == "--version":
        print(versions()["hiermap"])
        return DONE
    name, rest = words[0], words[1:]
    if name not in VERBS:
        raise ConfigError(f"no command {name!r}; expected one of {', '.join(VERBS)}")
    verb = VERBS[name]
    if "-h" in rest or "--help" in rest:
        print(_verb_help(name, verb))
        return DONE
    named, rest = _named(verb, rest)
    least = sum(not word.startswith("[") for word in verb.positionals)
    most = least if least == len(verb.positionals) else len(rest)
    positionals, arguments = rest[:most], rest[most:]
    lacking = any(word.partition("=")[0] not in named for word in verb.named if not word.startswith("["))
    if lacking or len(positionals) < least or any("=" in word and not os.path.exists(word) for word in positionals):
        raise ConfigError(f"got {' '.join(['hiermap', *words])!r}; expected hiermap {' '.join([name, *verb.positionals, *verb.named])}")
    given: list[Any] = list(positionals)
    if name in OPTIONS:
        given.append(load_config(name, [word for word in arguments if word != "--print-config"]))
        if "--print-config" in arguments:
            print(dump_config(given[-1]), end="")
            return DONE
    elif arguments:
        raise ConfigError(f"hiermap {name} takes nothing after {' '.join(verb.positionals) or 'its name'}, got {arguments}")
    if name != "doctor":
        check_pins()
    if name in OPTIONS and given[-1].get("video"):
        prefer_egl()
    module, _, attribute = verb.function.partition(":")
    code = getattr(importlib.import_module(module), attribute)(*given, **named)
    return code if isinstance(code, int) and not isinstance(code, bool) else DONE


def _named(verb: Verb, words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The arguments that words give by name, and the other words."""
    known = {word.strip("[]") for word in verb.named}
    pairs = {word: word.partition("=") for word in words}
    named = {word: key for word, (key, _, _) in pairs.items() if word in known or f"{key}=..." in known}
    values = {key: word in known or pairs[word][2] for word, key in named.items()}
    return values, [word for word in words if word not in named]


def _usage() -> str:
    lines = ["usage: hiermap VERB [key=value ...] [--help] [--print-config]", ""]
    lines += [f"  {' '.join((name, *verb.positionals)):24} {verb.summary}" for name, verb in VERBS.items()]
    return "\n".join([*lines, "", "exit codes: 0 done, 1 failed, 2 usage or config, 3 no plan, 4 timeout, 130/143 signals"])


def _verb_help(name: str, verb: Verb) -> str:
    told = ["[key=value ...]"] * (name in OPTIONS) + list(verb.named)
    head = " ".join(["usage: hiermap", name, *verb.positionals, *told])
    body = f"\nkeys and defaults (??? must be given):\n\n{help_text(name)}" if name in OPTIONS else ""
    return f"{head}\n{verb.summary}\n{body}".rstrip()


def _say(message: object, code: int) -> int:
    print(f"hiermap: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    run()
