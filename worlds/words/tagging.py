"""From a text to its words, each with the parts that it can play in a sentence."""

import re
from collections.abc import Sequence

from hiermap.worlds.words import lexicon


def tagged(text: str, names: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The words of a sentence about things of these names, each with every part that it can play in `grammar.lark`."""
    known, listed = lexicon.nouns(names), {name.lower(): name for name in names if len(lexicon.words_of(name)) > 1}
    tags, between = list[tuple[str, tuple[str, ...]]](), list[str]()
    for word in words(text, names):
        if word in (*lexicon.AND, lexicon.COMMA, *lexicon.PAUSES):
            between.append(word)
            continue
        if between and tags:
            tags.append(("and", (_between(between),)))
        between = []
        tags.append((listed.get(word, word), _parts(word, known, listed)))
    return tags


def unknown(text: str, names: Sequence[str]) -> list[str]:
    """The words of a sentence that nobody knows."""
    return [word for word, parts in tagged(text, names) if parts == (lexicon.NEW,)]


def words(text: str, names: Sequence[str]) -> list[str]:
    """The words and stops of a sentence that matter, in lower case; names as they are listed are one word."""
    text = text.lower().strip()
    text = re.sub(r"\?+\s*$", "" if re.search(r"\b(could|can|would|will) you\b", text) else " ?", text)
    for pattern, instead in lexicon.FOLDED:
        text = re.sub(pattern, instead, text)
    found = re.findall(r"\w+|[^\w\s]", text)
    empty = lexicon.EMPTY if lexicon.DENIALS & set(found) else lexicon.EMPTY | lexicon.MANNERS
    return _named([word for word in found if word not in empty], sorted(names, key=len, reverse=True))


def _named(found: list[str], names: Sequence[str]) -> list[str]:
    """Names that nobody would say otherwise, "left drawer 1" or "burner left", are put together where they are spelled out."""
    for name in names:
        parts = list(lexicon.words_of(name))
        if any(part.isdigit() for part in parts) or (len(parts) > 1 and parts[-1] in lexicon.ATTRIBUTES):
            for start in range(len(found) - len(parts), -1, -1):
                if found[start : start + len(parts)] == parts:
                    found[start : start + len(parts)] = [name]
    return found


def _between(found: Sequence[str]) -> str:
    """The part that everything between two words plays together."""
    if any(word in lexicon.PAUSES for word in found):
        return "PAUSE"
    if lexicon.COMMA not in found:
        return "AND"
    return "COMMA_AND" if any(word in lexicon.AND for word in found) else "COMMA"


def _parts(word: str, known: frozenset[str], listed: dict[str, str]) -> tuple[str, ...]:
    if word in listed:
        return (lexicon.NAME,)
    parts = lexicon.PARTS.get(word, ())
    if word in known:
        return (*parts, lexicon.NOUN)
    if lexicon.singular(word, known):
        return (*parts, lexicon.NOUNS)
    return parts or ((lexicon.NEW,) if word.isalpha() else ("SIGN",))
