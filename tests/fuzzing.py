"""Damage with structure: what a hostile or broken file may hold instead of what was written, as pure functions of a generator."""

import io
import json
import random
import re
import resource
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

STRANGE = (
    None, True, False, -1, 0, 1, 2**31, 2**63, -(2**63), 10**30, 10**399, 0.5, -0.0, 1e308, "", "x", "0", "${oc.env:HOME}", "../../passwd",
    "a\x00b", "\x1b[2J", "\u2028", "é" * 40, "y" * 10_000, [], {}, [[]], [None], {"": None}, [1, 2, 3], {"x": {"y": [1]}}, ["a", 1, None],
)  # fmt: skip
RAW = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, '"\\ud800"', "[" * 5000, '{"a":' * 3000, "01", "'x'", "", "\ufeff1")
"""What only a text can hold."""
GROWTH_BYTES = 1 << 30
"""What reading a file may ask for at most."""
PYTHONS_OWN = re.compile(
    r"Traceback|not supported between|has no attribute|object is not|NoneType|unexpected keyword|positional argument|unhashable"
    r"|not subscriptable|invalid literal|could not convert|codec can't|out of range|Error\(|not iterable|unsupported operand"
)
"""Words of Python that no user should have to read."""


def bytes_changed(content: bytes, rng: random.Random) -> bytes:
    """Flipped, cut off, doubled, left out, overwritten or appended somewhere."""
    at, to = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    to = min(to, at + 400)
    return rng.choice(
        (
            lambda: content[:at] + bytes([content[at % len(content)] ^ (1 << rng.randrange(8))]) + content[at + 1 :],
            lambda: content[:at],
            lambda: content[:to] + content[at:],
            lambda: content[:at] + content[to:],
            lambda: content[:at] + rng.randbytes(to - at) + content[to:],
            lambda: content + rng.randbytes(rng.randrange(1, 100)),
            lambda: content[:at] + rng.choice((b"\xff\xff\xff\xff", b"\x00" * 8, b"\xff" * 8)) + content[at + 4 :],
        )
    )()


def value_changed(value: object, rng: random.Random) -> object:
    """The same JSON with one value swapped, removed, doubled, renamed or nested, anywhere."""
    if isinstance(value, dict | list) and value and rng.random() < 0.9:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = rng.choice(keys)
        copy = value.copy()
        if rng.random() < 0.7:
            copy[key] = value_changed(copy[key], rng)
        elif rng.random() < 0.5:
            del copy[key]
        elif isinstance(copy, dict):
            copy[rng.choice(("", "x", key.upper(), key + " "))] = copy.pop(key)
        else:
            copy.insert(key, copy[key])
        return copy
    return rng.choice(
        (
            lambda: rng.choice(STRANGE),
            lambda: [value],
            lambda: {"x": value},
            lambda: str(value),
            lambda: -value if isinstance(value, int) else 7,
        )
    )()


def json_changed(content: bytes, rng: random.Random) -> bytes:
    """The text of a changed value, now and then with something that is no JSON, or with changed bytes."""
    kind = rng.random()
    if kind < 0.15:
        return bytes_changed(content, rng)
    value = json.loads(content)
    if kind < 0.3:
        mark = "@@@"
        text = json.dumps(_marked(value, mark, rng))
        return text.replace(json.dumps(mark), rng.choice(RAW), 1).encode()
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        value = value_changed(value, rng)
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode(errors="surrogatepass")


def lines_changed(content: bytes, rng: random.Random) -> bytes:
    """One line of JSON lines changed, doubled, left out or moved, or bytes anywhere."""
    lines = content.splitlines()
    at = rng.randrange(len(lines))
    kind = rng.random()
    if kind < 0.2:
        return bytes_changed(content, rng)
    if kind < 0.7:
        lines[at] = json_changed(lines[at], rng)
    elif kind < 0.8:
        lines.insert(rng.randrange(len(lines)), lines[at])
    elif kind < 0.9:
        del lines[at]
    else:
        rng.shuffle(lines)
    return b"\n".join(lines) + b"\n"


def archive_changed(content: bytes, rng: random.Random) -> bytes:
    """An `.npz` with another header, array, description or list of arrays whose checks are right, or changed bytes."""
    if rng.random() < 0.3:
        return bytes_changed(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name, other = rng.choice(list(parts)), rng.choice(list(parts))
    kind = rng.random()
    if kind < 0.6:
        parts[name] = _header_changed(parts[name], rng)
    elif kind < 0.7:
        parts[name] = parts[other]
    elif kind < 0.8:
        parts[name] = bytes_changed(parts[name], rng)
    elif kind < 0.85:
        del parts[name]
    elif kind < 0.9:
        parts[rng.choice(("x.npy", "../x.npy", "y", "meta"))] = parts[name]
    else:
        parts["meta.npy"] = _text_array(json_changed(_text_of(parts["meta.npy"]).encode(), rng).decode(errors="replace"))
    buffer = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, *[zipfile.ZIP_DEFLATED] * 30, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for part, data in parts.items():
            archive.writestr(part, data)
    return buffer.getvalue()


def tensors_changed(content: bytes, rng: random.Random) -> bytes:
    """A safetensors file with another header of the right length, or changed bytes."""
    length = int.from_bytes(content[:8], "little")
    header, data = content[8 : 8 + length], content[8 + length :]
    if rng.random() < 0.4:
        return bytes_changed(content, rng)
    header = json_changed(header, rng)
    return rng.choice((len(header), len(header), 2**63, 2**31, 0)).to_bytes(8, "little") + header + data


@contextmanager
def little_memory() -> Iterator[None]:
    """In here whoever asks for more than `GROWTH_BYTES` on top of what this process has gets a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + GROWTH_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


Changed = Callable[[bytes, random.Random], bytes]
CHANGES: Mapping[str, Changed] = {
    "bytes": bytes_changed,
    "json": json_changed,
    "lines": lines_changed,
    "archive": archive_changed,
    "tensors": tensors_changed,
}


def _marked(value: object, mark: str, rng: random.Random) -> object:
    if isinstance(value, dict | list) and value and rng.random() < 0.9:
        key = rng.choice(list(value) if isinstance(value, dict) else list(range(len(value))))
        copy = value.copy()
        copy[key] = _marked(copy[key], mark, rng)
        return copy
    return mark


def _header_changed(array: bytes, rng: random.Random) -> bytes:
    """A `.npy` of version 1, 2 or 3 with another type, order or shape, its length told rightly."""
    end = 10 + int.from_bytes(array[8:10], "little")
    header = array[10:end].decode("latin-1")
    size = rng.choice(("-1", "0", "1", "3", str(2**31), str(2**62), str(10**30), "1" * 90, "1.5", "True", "(1,)"))
    dtype = rng.choice(
        ("<f8", ">f4", "|O", "<U9999999", "|V8", "<M8[s]", "|S0", "<U0", "|b1", "<u2", "|u1", "<f16", "<c16", "x", "('<f4', (9,))")
    )
    shapes = re.findall(r"\d+(?=[,)])", header) or ["0"]
    header = rng.choice(
        (
            lambda: header.replace(rng.choice(shapes), size, 1),
            lambda: re.sub(
                r"\([^)]*\)", rng.choice(("()", f"({size},)", f"({size}, {size})", f"(0, {size})", "(" * 200 + ")" * 200)), header, count=1
            ),
            lambda: re.sub(r"'descr': '[^']*'", f"'descr': '{dtype}'", header),
            lambda: header.replace("False", rng.choice(("True", "None", "1"))),
            lambda: rng.choice(("", "{}", "{'descr': ", "__import__('os').getcwd()", "{'a': 1}", "\t\x0c\\", "[" * 9000, "'" * 3)),
        )
    )()
    raw = header.encode("latin-1")[:60000]
    version = rng.choice((1, 1, 1, 1, 2, 3, 9))
    return b"\x93NUMPY" + bytes([version, 0]) + len(raw).to_bytes(2 if version == 1 else 4, "little") + raw + array[end:]


def _text_of(array: bytes) -> str:
    return array[10 + int.from_bytes(array[8:10], "little") :].decode("utf-32-le").rstrip("\0")


def _text_array(text: str) -> bytes:
    header = f"{{'descr': '<U{max(1, len(text))}', 'fortran_order': False, 'shape': (1,), }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + (text or "\0").encode("utf-32-le", "replace")
