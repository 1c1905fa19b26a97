"""From a sentence to every way of reading it, each a sequence of clauses."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partialmethod
from importlib.resources import files
from math import prod
from typing import Any

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.words.phrases import AGAIN, ALL, ANY, BARE, BOTH, IT, NONE, ONE, ORDER, THE, THEM, Clause, Phrase
from hiermap.worlds.words.tagging import tagged

try:
    from lark import Lark, Token, Transformer
    from lark.exceptions import UnexpectedInput
    from lark.lexer import Lexer
    from lark.visitors import CollapseAmbiguities
except ImportError as error:
    raise ConfigError("a goal in plain words needs the package lark; run: pip install 'hiermap[words]'") from error

MOST_WORDS = 80
"""A sentence of more words is refused: the time to read one grows faster than its length."""
MOST_READINGS = 64


class _Parts(str):
    """Every part a word can play, as the type of one token: equal to each of them."""

    def __init__(self, joined: str) -> None:
        self._every = frozenset(joined.split("|"))

    def __eq__(self, other: object) -> bool:
        return other in self._every

    def __hash__(self) -> int:
        return super().__hash__()


class _Tokens(Lexer):
    """Words are told apart before; lark gets them as tokens."""

    __future_interface__ = 2

    def __init__(self, conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Token]:
        return iter(lexer_state.text)


def readings(text: str, names: Sequence[str]) -> set[tuple[Clause, ...]]:
    """Every way to read a sentence about things of these names; empty if there is none.

    Raises:
        ConfigError: a sentence of more than `MOST_WORDS` words or `MOST_READINGS` readings.
    """
    tokens = [Token(_Parts("|".join(parts)), word) for word, parts in tagged(text, names)]
    if len(tokens) > MOST_WORDS:
        raise ConfigError(f"the goal has {len(tokens)} words, expected at most {MOST_WORDS}; ask for less at once")
    try:
        tree = _parser().parse(tokens)
    except UnexpectedInput:
        return set()
    if _ways(tree) > MOST_READINGS:
        raise ConfigError(f"the goal can be read in more than {MOST_READINGS} ways; say it in shorter sentences")
    return {tuple(_Clauses().transform(way)) for way in CollapseAmbiguities().transform(tree)}


def _ways(tree: Any) -> int:
    """How many trees are packed into one."""
    counts = [_ways(child) for child in tree.children if not isinstance(child, Token)]
    return sum(counts) if tree.data == "_ambig" else prod(counts)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files("hiermap.worlds.words").joinpath("grammar.lark").read_text()
    return Lark(grammar, parser="earley", lexer=_Tokens, ambiguity="explicit")


def _denied(clauses: Sequence[Clause]) -> list[Clause]:
    """Not what the clauses say; of several it is not clear which of them shall not be."""
    if len(clauses) > 1:
        return [replace(clause, deed="") for clause in clauses]
    return [replace(clause, negated=not clause.negated) for clause in clauses]


def _without_tokens(children: Sequence[Any]) -> list[Any]:
    return [child for child in children if not isinstance(child, Token) and child is not None]


class _Clauses(Transformer):
    """A tree of `grammar.lark` -> its clauses. A deed or state is a clause, which lacks its subjects where a rule above adds them."""

    def start(self, children: list) -> list[Clause]:
        clauses, apart = list[Clause](), True
        for child in children:
            if isinstance(child, bool):
                apart = child
            else:
                clauses += [replace(clause, apart=apart) for clause in child]
        return clauses

    def bare(self, _: list) -> bool:
        return False

    def apart(self, _: list) -> bool:
        return True

    def _last(self, children: list) -> Any:
        return children[-1]

    def _nothing(self, _: list) -> None:
        return None

    ensured = statement = _last
    asking = grip = _nothing

    def order(self, children: list) -> list[Clause]:
        return [replace(clause, form=ORDER) for clause in children[-1]]

    def forbidden(self, children: list) -> list[Clause]:
        return _denied(self.order(children))

    # Deeds and states.

    def _does(self, deed: str, children: list) -> Any:
        things = _without_tokens(children)
        return [Clause(deed, things[0], done=True)] if things else Clause(deed, ())

    opens, closes = partialmethod(_does, "open"), partialmethod(_does, "closed")
    starts, stops = partialmethod(_does, "on"), partialmethod(_does, "off")
    unlocks, locks = partialmethod(_does, "unlocked"), partialmethod(_does, "locked")
    takes = partialmethod(_does, "held")

    def inside(self, children: list) -> Clause:
        return Clause("inside", (), children[-1])

    def on_top(self, children: list) -> Clause:
        return Clause("on_top", (), children[-1])

    def inside_it(self, _: list) -> Clause:
        return Clause("inside", (), Phrase(refers=IT))

    def whither(self, children: list) -> Clause:
        return Clause("whither", (), children[-1])

    def puts(self, children: list) -> Any:
        *things, where = _without_tokens(children)
        return [replace(where, subjects=things[0], done=True)] if things else where

    def refused(self, children: list) -> Clause:
        return replace(children[-1], negated=True)

    def states(self, children: list) -> list[Clause]:
        return _without_tokens(children)

    # What things they are said of.

    def has(self, children: list) -> list[Clause]:
        things, states = _without_tokens(children)
        return [replace(state, subjects=things) for state in states]

    wish = has

    def bare_state(self, children: list) -> list[Clause]:
        return [replace(clause, form=BARE) for clause in self.has(children)]

    def is_not(self, children: list) -> list[Clause]:
        return _denied(self.has(children))

    unwished = is_not

    def goes(self, children: list) -> list[Clause]:
        things, where = _without_tokens(children)
        return [replace(where, subjects=things)]

    # Phrases.

    def things(self, children: list) -> tuple[Phrase, ...]:
        phrases = _without_tokens(children)
        return tuple(phrase.completed(phrases[-1]) for phrase in phrases)

    def none(self, children: list) -> tuple[Phrase, ...]:
        return (replace(children[-1], count=NONE),)

    def noun_phrase(self, children: list) -> Phrase:
        own = [child for child in children if isinstance(child, Phrase)]
        said = [*own, *(child[0] for child in children if isinstance(child, tuple))]
        return Phrase(sum((part.nouns for part in said), ()), sum((part.attributes for part in said), ()), own[-1].count)

    def thing(self, children: list) -> Phrase:
        *count, phrase = _without_tokens(children)
        return replace(phrase, count=count[0]) if count else phrase

    def one(self, children: list) -> Phrase:
        return replace(self.noun_phrase(children), refers=AGAIN, count=ONE)

    def tail(self, children: list) -> tuple[Phrase]:
        return (children[-1],)

    def side(self, children: list) -> Phrase:
        return _without_tokens(children)[0]

    def partial(self, children: list) -> Phrase:
        return self.noun_phrase(_without_tokens(children))

    def it(self, _: list) -> Phrase:
        return Phrase(refers=IT)

    def them(self, _: list) -> Phrase:
        return Phrase(count=THE, refers=THEM)

    def name(self, children: list) -> Phrase:
        return Phrase(name=str(children[-1]))

    def all(self, _: list) -> str:
        return ALL

    def both(self, _: list) -> str:
        return BOTH

    def any(self, _: list) -> str:
        return ANY

    def attribute(self, children: list) -> Phrase:
        return Phrase(attributes=(str(children[-1]),))

    def singular(self, children: list) -> Phrase:
        return Phrase(nouns=(str(children[-1]),))

    def plural(self, children: list) -> Phrase:
        return Phrase(nouns=(str(children[-1]),), count=THE)

    pronoun = listed = _last
    unknown = singular
    the = _nothing
