"""Goals as people type them: clauses joined by "and", or JSON; an unknown name is answered with what can be asked."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate, asked

VOCABULARY = [
    Predicate("open", ("top_drawer",)),
    Predicate("closed", ("top_drawer",)),
    Predicate("inside", ("mug", "top_drawer")),
    Predicate("held", ("mug",)),
]


@given(st.lists(st.sampled_from(VOCABULARY), min_size=1), st.sampled_from([" and ", "; ", "  and\t"]))
def test_what_is_written_is_read(predicates: list[Predicate], between: str) -> None:
    assert asked(between.join(map(str, predicates)), VOCABULARY) == tuple(predicates)
    assert asked(json.dumps([[p.kind, *p.arguments] for p in predicates]), VOCABULARY) == tuple(predicates)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("[]", "nothing is asked for"),
        ("open the drawer", "not of the form"),
        ("open(top_drawer", "not of the form"),
        ("[1, 2]", "cannot be read"),
        ('[["open"]]', "takes 1 target"),
        ("[" * 5000, "cannot be read"),
        ("open(fridge)", r"no 'fridge' in this kitchen; it knows .*; held\(mug\)"),
        ("lift(mug)", "unknown predicate 'lift'"),
        ("inside(mug, fridge)", "no 'fridge'"),
    ],
)
def test_what_cannot_be_read_or_is_not_there_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        asked(text, VOCABULARY)


@given(st.text())
def test_any_text_is_a_goal_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert asked(text, VOCABULARY)
