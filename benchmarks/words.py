"""How many of the sentences kept with the tests are read exactly right, and how many phrases that should be refused are.

python benchmarks/words.py
"""

import csv
import json
from pathlib import Path

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.kitchen.called import called
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.words import Seen, said

SENTENCES = Path(__file__).parents[1] / "tests/worlds/words"
OTHER_END = {"open": "closed", "closed": "open", "on": "off", "off": "on"}


def rows(name: str) -> list[dict[str, str]]:
    """The lines of a table of sentences."""
    with (SENTENCES / f"{name}.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def read(row: dict[str, str], kitchens: dict) -> set[str] | None:
    """The predicates that a sentence means in its kitchen; None where it is refused."""
    kitchen = kitchens[row["seed"]]
    vocabulary = [Predicate(kind, tuple(rest)) for kind, *rest in kitchen["vocabulary"]]
    things = [Seen(**{**thing, "colours": tuple(thing["colours"])}) for thing in kitchen["seen"]]
    try:
        return set(map(str, said(row["sentence"], vocabulary, things, called(sample_kitchen(int(row["seed"]))))))
    except ConfigError:
        return None


def flipped(found: set[str], meant: set[str]) -> bool:
    """Whether something is asked for whose other end was meant."""
    return any(f"{OTHER_END.get(kind, kind)}({rest}" in meant - found for kind, _, rest in (text.partition("(") for text in found - meant))


def main() -> None:
    """Print the counts."""
    kitchens = json.loads((SENTENCES / "kitchens.json").read_text())
    answers = [(read(row, kitchens), set(row["goal"].split(" and "))) for row in rows("paraphrases")]
    right, refused = sum(found == meant for found, meant in answers), sum(found is None for found, _ in answers)
    ends, wrong = sum(found is not None and flipped(found, meant) for found, meant in answers), len(answers) - right - refused
    print(f"{len(answers)} paraphrases: {right} exactly right, {refused} refused, {wrong} wrong, {ends} of a wrong end")
    strange = rows("refused")
    print(f"{len(strange)} unknown or ambiguous phrases: {sum(read(row, kitchens) is None for row in strange)} refused")


if __name__ == "__main__":
    main()
