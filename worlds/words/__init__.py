"""Goals in plain English: what is seen, the words for it, and sentences that become predicates; needs the extra `words`."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.records import shown
from hiermap.worlds.words.meaning import meaning
from hiermap.worlds.words.seen import Seen, Things, seen
from hiermap.worlds.words.tagging import unknown

MOST_LETTERS = 1000
"""Of a sentence: what is longer says no goal, and every way to read it would be looked for."""
__all__ = ["Seen", "said", "seen"]


def said(
    text: str, vocabulary: Sequence[Predicate], things: Sequence[Seen], called: Mapping[str, str] = MappingProxyType({})
) -> tuple[Predicate, ...]:
    """The predicates that an English sentence asks for, all to hold at the end, in whatever order they come about.

    Args:
        things: what is seen.
        called: name -> what people call it, without an article; who says just that means it.

    Raises:
        ConfigError: it cannot be read, can be read in two ways, or names what is not there or not clear; the message lists candidates.
    """
    if len(text) > MOST_LETTERS:
        raise ConfigError(f"goal={shown(text)} has {len(text)} letters, expected a sentence of at most {MOST_LETTERS}")
    from hiermap.worlds.words.parsing import readings  # needs the extra `words`

    names = tuple(dict.fromkeys(name for predicate in vocabulary for name in predicate.arguments))
    found, problems = dict[frozenset[Predicate], tuple[Predicate, ...]](), list[str]()
    ways = readings(text, names)
    for clauses in sorted(ways, key=str):
        try:
            predicates = meaning(clauses, vocabulary, Things(things, called))
            found.setdefault(frozenset(predicates), predicates)
        except ConfigError as error:
            problems.append(str(error))
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        ambiguous = " or ".join(" and ".join(map(str, predicates)) for predicates in found.values())
        raise ConfigError(f"goal={shown(text)} can be read in two ways: {ambiguous}?")
    if problems:
        raise ConfigError(f"goal={shown(text)}: {problems[0]}")
    new = unknown(text, names)
    why = f"the words {', '.join(map(repr, new))} are not known" if new else "no sentence of this form is known"
    raise ConfigError(f"goal={shown(text)}: {why}; goals are read in English, and here they are made of {'; '.join(map(str, vocabulary))}")
