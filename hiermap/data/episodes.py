"""Episodes on disk: one immutable `.npz` per kitchen seed, written in one step and read without trust.

Letters: `V` views, `T` transitions between them, `N` things, `J` joints, `P, R, H, W` as in `hiermap.worlds.base`.
"""

import io
import json
import math
import re
import sys
import zipfile
import zlib
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NotRequired, Self, TypedDict, get_type_hints

import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.system.files import write_atomically
from hiermap.worlds.errors import DataError
from hiermap.worlds.legend import FIRST, Legend
from hiermap.worlds.records import Amount, Count, check, parse_json, shown

NOT_APPLICABLE = 255
"""In truth and steps arrays: the predicate makes no sense there, or lies beyond the cap."""
SOURCES = ("play", "rules", "wide", "fixtures", "toy")
FILE_NAME = re.compile(rf"({'|'.join(SOURCES)})-(\d{{9}})\.npz")
"""source-seed.npz: the name decides who has done what, so a seed cannot be stored twice."""
LABELS, ALL_THE_ROOM, MIDDLES, FAR_BARS, WHOLE_FRONTS = 8, 8, 7, 6, 2
"""How maps are labelled: since 2 those of wide kitchens tell of the whole fronts of drawers, since 4 of the whole faces of doors, since 6
of bars that stand far off their fronts, since 7 of all cells of a thing by which its middle is grasped, since 8 of all the room to set
things down."""
MAX_BYTES = 1 << 28
"""A larger shard (256 MiB, compressed or not) is not ours: an episode needs a few."""
MAX_LISTING = 1 << 16
"""Bytes of an archive's list of its arrays, of which an episode needs two thousand."""
MAX_SIZE = 1 << 20
"""No axis of an array is longer; one without elements could tell any length."""
HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<|](?:b1|[iu][1248]|f[248]|U[1-9]\d{0,6}))', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,100})\), \} *\n",
    re.DOTALL,
)
"""How every `.npy` begins that numpy writes of numbers, truths or text: length, type, order and shape."""
REMEDY = "copy it again, or set it aside and collect its seed again"
ARCHIVE_ERRORS = (OSError, ValueError, LookupError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What zipfile raises on damaged or foreign bytes."""


class EpisodeMeta(TypedDict):
    """What `Episode.meta` holds; older episodes have less."""

    seed: Count
    source: str
    joints: list[str]
    family: NotRequired[str]
    walks: NotRequired[str]
    versions: NotRequired[dict[str, str]]
    calibration_error_px: NotRequired[Amount]
    flags: NotRequired[list[str]]
    legend: NotRequired[dict]
    labels: NotRequired[Count]


@dataclass(frozen=True, eq=False)
class Episode:
    """One kitchen's walk; each array with its dtype and shape, where w is W packed to bytes, U and B count the legend's predicates.

    Attributes:
        rgb, depth_mm: of every view; depth in units of 0.1 mm, 0 where invalid.
        holding: whether the hand held something.
        maps_packed: oracle maps, `np.packbits` along columns.
        fractions: true articulation in [0, 1]; joint names in `meta["joints"]`.
        before, after: view indices; several transitions may share `before`.
        primitive, cell, rotation: the action; the cell as (row, column).
        point_world, normal_world: its metric command [m].
        effect: the judge's word that the primitive had its effect.
        succeeded, reason, duration, displacement: what the program reported ([s], [m] or [rad]).
        names, kinds: of the things.
        masks_packed: their cells in view 0 (`masks` unpacks).
        unary, binary: truth per kind in the legend, the latter of (thing, place); 255 not applicable.
        steps_unary, steps_binary: least primitives to make it hold; 255 not applicable or beyond the cap.
        goals: whole goals as (kind of `legend.unary + legend.binary`, thing, place) per predicate, -1 for none; G may be 0.
        goal_steps: least primitives from every view to each goal; 255 beyond the cap.
        meta: seed, family, source, walks, versions, calibration_error_px, joints, flags, legend, labels.
    """

    rgb: Annotated[np.ndarray, "u1", "VHW3"]
    depth_mm: Annotated[np.ndarray, "u2", "VHW"]
    holding: Annotated[np.ndarray, "u1", "V"]
    maps_packed: Annotated[np.ndarray, "u1", "VPRHw"]
    fractions: Annotated[np.ndarray, "f4", "VJ"]
    before: Annotated[np.ndarray, "i2", "T"]
    after: Annotated[np.ndarray, "i2", "T"]
    primitive: Annotated[np.ndarray, "i1", "T"]
    cell: Annotated[np.ndarray, "i2", "T2"]
    rotation: Annotated[np.ndarray, "i1", "T"]
    point_world: Annotated[np.ndarray, "f4", "T3"]
    normal_world: Annotated[np.ndarray, "f4", "T3"]
    effect: Annotated[np.ndarray, "b1", "T"]
    succeeded: Annotated[np.ndarray, "b1", "T"]
    reason: Annotated[np.ndarray, "U16", "T"]
    duration: Annotated[np.ndarray, "f4", "T"]
    displacement: Annotated[np.ndarray, "f4", "T"]
    names: Annotated[np.ndarray, "U24", "N"]
    kinds: Annotated[np.ndarray, "U16", "N"]
    masks_packed: Annotated[np.ndarray, "u1", "NHw"]
    unary: Annotated[np.ndarray, "u1", "VNU"]
    binary: Annotated[np.ndarray, "u1", "VNNB"]
    steps_unary: Annotated[np.ndarray, "u1", "VNU"]
    steps_binary: Annotated[np.ndarray, "u1", "VNNB"]
    goals: Annotated[np.ndarray, "i1", "GQ3"]
    goal_steps: Annotated[np.ndarray, "u1", "VG"]
    meta: Mapping[str, Any]

    @classmethod
    def of(cls, values: Mapping[str, Any], meta: Mapping[str, Any]) -> Self:
        """Every array from anything that makes one, in its dtype; without `goals` there are none."""
        values = {**_no_goals(len(values["rgb"])), **values}
        return cls(**{key: np.array(values[key], dtype) for key, (dtype, _) in SHAPES.items()}, meta=meta)

    @property
    def legend(self) -> Legend:
        """What `P`, `R`, `primitive`, `rotation`, `U` and `B` mean here."""
        return legend_of(self.meta)

    def masks(self) -> np.ndarray:
        """Cells of every thing in view 0, `[N, H, W]` bool."""
        return np.unpackbits(self.masks_packed, axis=-1, count=self.rgb.shape[2]).astype(bool)


SHAPES: Mapping[str, tuple[str, str]] = {
    name: kind.__metadata__ for name, kind in get_type_hints(Episode, include_extras=True).items() if hasattr(kind, "__metadata__")
}
"""Array -> (dtype, shape in letters)."""


def legend_of(meta: Mapping[str, Any]) -> Legend:
    """The legend that the meta of an episode names; DataError for what is none."""
    return Legend.from_dict(meta["legend"]) if "legend" in meta else FIRST


def tells_of(meta: Mapping[str, Any], legend: Legend) -> np.ndarray:
    """`[K]` bool, of which of a legend's bins the maps of an episode tell: of those of its own legend, unless it has older labels."""
    named = np.isin(np.arange(len(legend.bins)), legend_of(meta).bins_in(legend))
    if meta["source"] != "wide":
        return named
    effects = {(name, bin_.name): bin_.effect for name, spec in PRIMITIVES.items() for bin_ in spec.bins}
    since = {"grasp": MIDDLES, "place": ALL_THE_ROOM, "pull": FAR_BARS}
    needed = [WHOLE_FRONTS if effects.get(bin_) == "inward" else since.get(bin_[0], 1) for bin_ in legend.bins]
    return named & (meta.get("labels", 1) >= np.array(needed))


def file_name(source: str, seed: int) -> str:
    """The only name an episode may have: `source-seed.npz`."""
    name = f"{source}-{seed:09d}.npz"
    if not FILE_NAME.fullmatch(name):
        raise DataError(f"no episode can be named {name!r}; expected a source of {', '.join(SOURCES)} and a seed from 0 to 999999999")
    return name


def episode_path(directory: Path, name: str) -> Path:
    """The path of a named episode; DataError when the name would leave the directory or is not ours."""
    if not FILE_NAME.fullmatch(name):
        raise DataError(f"{name!r} is no episode's name; expected like 'rules-000000012.npz', directly inside {directory}")
    path = directory / name
    if path.is_symlink() and directory.resolve() not in path.resolve().parents:
        raise DataError(f"{name} links to {path.resolve()}, outside {directory}; copy the file itself")
    return path


def write_episode(directory: Path, name: str, episode: Episode) -> Path:
    """Check and write an episode; returns its path. Raises what `encode` and `store` raise."""
    return store(directory, name, encode(name, episode))


def encode(name: str, episode: Episode, left_out: Collection[str] = ()) -> bytes:
    """The content of an episode's file, without the arrays that are `left_out`; DataError if the record is inconsistent."""
    check_episode(episode, name)
    buffer = io.BytesIO()
    kept = {key: dtype for key, (dtype, _) in SHAPES.items() if key not in left_out}
    arrays = {key: np.asarray(getattr(episode, key)).astype(dtype, copy=False) for key, dtype in kept.items()}
    np.savez_compressed(buffer, meta=np.array([json.dumps(dict(episode.meta), sort_keys=True)]), **arrays)
    return buffer.getvalue()


def store(directory: Path, name: str, content: bytes) -> Path:
    """Write an episode's file atomically (temporary beside it, fsync, replace); returns its path.

    Raises DataError if the name leaves the directory or the disk is full; nothing half-written stays.
    """
    path = episode_path(directory, name)
    write_atomically(path, content)
    return path


def read_episode(path: str | Path) -> Episode:
    """Read and check one episode; DataError for anything truncated, foreign, pickled or inconsistent."""
    path = Path(path)
    return whole(*read_arrays(path), path.name)


def whole(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any], name: str) -> Episode:
    """The checked episode of arrays as `read_arrays` gives them; DataError if they are inconsistent."""
    episode = Episode(**{**_no_goals(len(np.atleast_1d(arrays["rgb"]))), **arrays}, meta=meta)
    check_episode(episode, name)
    return episode


def read_arrays(path: Path, left_out: Collection[str] = ()) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of an episode's file, written without those `left_out`, and its meta; DataError for what is damaged or foreign."""
    episode_path(path.parent, path.name)
    try:
        arrays = {key: _array(key, content) for key, content in _contents(path, {*SHAPES, "meta"} - {*left_out}).items()}
        return arrays, parse_json("".join(map(str, arrays.pop("meta").ravel())))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); {REMEDY}") from error
    except ValueError as error:
        raise DataError(f"{path.name} is not a readable episode ({error}); {REMEDY}") from error


def _contents(path: Path, expected: Set[str]) -> dict[str, bytes]:
    """Array -> the bytes of its `.npy`; nothing is unpacked unless all that the archive lists may be there and is small enough."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.stat().st_size} bytes, expected at most {MAX_BYTES}")
    content = path.read_bytes()
    # What zipfile would look for, and loops over, wherever it is.
    if content[-22:-18] != b"PK\5\6" or content[-42:-38] == b"PK\6\7" or int.from_bytes(content[-10:-6], "little") > MAX_LISTING:
        raise ValueError("it is truncated, or something follows its end")
    try:
        return _unpacked(zipfile.ZipFile(io.BytesIO(content)), expected)
    except ARCHIVE_ERRORS as error:
        raise error if type(error) is ValueError else ValueError(f"its archive is damaged, {type(error).__name__}") from error


def _unpacked(opened: zipfile.ZipFile, expected: Set[str]) -> dict[str, bytes]:
    with opened as archive:
        parts = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if set(parts) | set(_no_goals(0)) != expected or len(parts) < len(archive.infolist()):
            missing, foreign = sorted(expected - set(parts)), sorted(set(parts) - expected)
            raise ValueError(f"missing {missing[:5]}, foreign {shown(foreign)}, or one twice: was it made by another version?")
        if (size := sum(info.file_size for info in parts.values())) > MAX_BYTES:
            raise ValueError(f"it would unpack to {size} bytes, expected at most {MAX_BYTES}")
        if not {info.compress_type for info in parts.values()} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError("it is packed in another way than numpy does")
        return {key: archive.read(info) for key, info in parts.items()}


def _array(key: str, content: bytes) -> np.ndarray:
    """The array of a `.npy`, whose header is matched and never evaluated; ValueError unless it fits what follows to the byte."""
    header = HEADER.match(content)
    if not header:
        raise ValueError(f"{key} has no header that an array of plain numbers or text has")
    kind, fortran, sizes = header[2].decode(), header[3] == b"True", [int(size) for size in re.findall(rb"\d+", header[4])]
    if int.from_bytes(header[1], "little") != header.end() - 10:
        raise ValueError(f"the header of {key} is of another length than it says")
    dtype, count = np.dtype(kind), math.prod(sizes)
    if count * dtype.itemsize != len(content) - header.end() or max(sizes, default=0) > MAX_SIZE:
        raise ValueError(f"{key} says {shown(sizes)} of {kind}, which {len(content) - header.end()} bytes are not")
    flat = np.frombuffer(content, dtype, offset=header.end())
    if dtype.kind == "b" and flat.view(np.uint8).max(initial=0) > 1:
        raise ValueError(f"{key} holds bytes that are neither true nor false")
    if dtype.kind == "U" and not _is_text(flat.view(np.uint32)):
        raise ValueError(f"{key} holds what is no text")
    return (flat.reshape(sizes[::-1]).T if fortran else flat.reshape(sizes)).copy()


def _is_text(codes: np.ndarray) -> bool:
    return bool((codes <= sys.maxunicode).all() and not ((codes >= 0xD800) & (codes < 0xE000)).any())


def _no_goals(views: int) -> dict[str, np.ndarray]:
    """What an episode from before there were whole goals holds of them."""
    return {"goals": np.zeros((0, 0, 3), np.int8), "goal_steps": np.zeros((views, 0), np.uint8)}


def check_episode(episode: Episode, name: str = "episode") -> None:
    """Raise DataError unless every array has its dtype, shape and range and the arrays agree with each other."""
    check(episode.meta, EpisodeMeta, f"{name}: meta")
    legend = episode.legend
    sizes = {"3": 3, "2": 2, "P": len(legend.primitives), "R": ROTATION_BINS, "U": len(legend.unary), "B": len(legend.binary)}
    for key, (dtype, letters) in SHAPES.items():
        array = np.asarray(getattr(episode, key))
        if array.dtype.kind != np.dtype(dtype).kind or array.dtype.itemsize > np.dtype(dtype).itemsize:
            raise DataError(f"{name}: {key} is {array.dtype}, expected {np.dtype(dtype)}")
        if array.ndim != len(letters):
            raise DataError(f"{name}: {key} has shape {array.shape}, expected [{', '.join(letters)}]")
        for letter, size in zip(letters, array.shape, strict=True):
            if letter == "W":
                sizes.setdefault("w", -(-size // 8))
            if size != sizes.setdefault(letter, size):
                raise DataError(f"{name}: {key} has shape {array.shape}, but {letter} is {sizes[letter]} elsewhere")
    _check_ranges(episode, name, sizes)


def _check_ranges(episode: Episode, name: str, sizes: Mapping[str, int]) -> None:
    if 0 in (sizes["V"], sizes["H"], sizes["W"]):
        raise DataError(f"{name}: no view, or none with a cell")
    for key, letter in {"before": "V", "after": "V", "primitive": "P", "rotation": "R"}.items():
        array, limit = getattr(episode, key), sizes[letter]
        if array.size and not (array.min() >= 0 and array.max() < limit):
            raise DataError(f"{name}: {key} spans {array.min()} to {array.max()}, expected 0 to {limit - 1}")
    kinds = sizes["U"] + sizes["B"]
    if not ((episode.goals >= -1) & (episode.goals < (kinds, sizes["N"], sizes["N"]))).all():
        raise DataError(f"{name}: goals name kinds or things that are not there; expected -1 to {kinds - 1} and to {sizes['N'] - 1}")
    if episode.cell.size and not ((episode.cell >= 0) & (episode.cell < (sizes["H"], sizes["W"]))).all():
        raise DataError(f"{name}: a cell lies outside the {sizes['H']} x {sizes['W']} frame")
    for key in ("fractions", "point_world", "normal_world", "duration", "displacement"):
        if not np.isfinite(getattr(episode, key)).all():
            raise DataError(f"{name}: {key} holds NaN or infinity")
    for key in ("unary", "binary"):
        if not np.isin(getattr(episode, key), (0, 1, NOT_APPLICABLE)).all():
            raise DataError(f"{name}: {key} must be 0, 1 or {NOT_APPLICABLE}")
    if len(episode.meta["joints"]) != sizes["J"]:
        raise DataError(f"{name}: meta names {shown(episode.meta['joints'])} for {sizes['J']} joints")
    match = FILE_NAME.fullmatch(name)
    if match and (episode.meta.get("source"), episode.meta.get("seed")) != (match[1], int(match[2])):
        raise DataError(f"{name} says it holds {episode.meta.get('source')} seed {episode.meta.get('seed')}; was it renamed?")
