"""Pictures of views, maps and moments, drawn with numpy and Pillow alone."""

import base64
import io
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from hiermap.primitives.specs import PRIMITIVES

SCALE = 4
"""Screen pixels per cell: a 96 x 128 view becomes 384 x 512."""
SMALL_SCALE = 2
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "grasp": (46, 134, 222),
    "place": (39, 174, 96),
    "push": (230, 126, 34),
    "pull": (192, 57, 143),
    "rotate": (214, 178, 20),
}
"""One colour a primitive in every picture, apart in hue and readable over wood and steel."""
_GROUND = 0.5
"""How much of the view's colour stays under a map, so that the map reads first."""
_ARROWS = {
    ("push", 1): (0, -1),
    ("push", 2): (0, 1),
    ("push", 3): (1, 0),
    ("push", 0): (-1, 0),
    ("pull", 0): (1, 0),
    ("pull", 1): (1, 0),
}
"""(primitive, bin) -> direction on the picture (rows, columns); inward is away from the robot, so up the picture."""


def upscaled(image: np.ndarray, scale: int = SCALE) -> np.ndarray:
    """`image` `[H, W, ...]` with every cell repeated `scale` times along both axes."""
    return np.repeat(np.repeat(image, scale, axis=0), scale, axis=1)


def overlay(rgb: np.ndarray, heat: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """A dimmed grey view `[H, W, 3]` uint8 with `heat` `[H, W]` in [0, 1] laid over it in `colour`."""
    grey = rgb.astype(float).mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    ground = 255 * (1 - _GROUND) + _GROUND * grey
    weight = np.clip(heat, 0.0, 1.0)[..., None] ** 0.7
    return (ground * (1 - weight) + np.array(colour, float) * weight).round().astype(np.uint8)


def marked(image: np.ndarray, cell: tuple[int, int], scale: int, colour: tuple[int, int, int] = (220, 30, 40)) -> np.ndarray:
    """`image` (already upscaled by `scale`) with a ring and a cross at `cell`."""
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    y, x = ((np.array(cell) + 0.5) * scale).tolist()
    radius = 3.2 * scale
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(255, 255, 255), width=max(2, scale))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=max(1, scale // 2))
    for dx, dy in ((0.8, 0), (0, 0.8)):
        draw.line((x - dx * scale, y - dy * scale, x + dx * scale, y + dy * scale), fill=colour, width=max(1, scale // 2))
    return np.asarray(picture)


def action_picture(rgb: np.ndarray, primitive: str, cell: tuple[int, int], rotation_index: int, scale: int = SCALE) -> np.ndarray:
    """The view `[H, W, 3]` uint8, upscaled, with the chosen cell ringed in the primitive's colour and the direction of the motion."""
    image = marked(upscaled(rgb, scale), cell, scale, COLOURS[primitive])
    direction = _ARROWS.get((primitive, rotation_index))
    if direction is None:
        return image
    picture = Image.fromarray(image)
    start = (np.array(cell, float) + 0.5) * scale + 3.4 * scale * np.array(direction)
    end = start + 8 * scale * np.array(direction)
    side = np.array(direction)[::-1] * 2.2 * scale
    draw = ImageDraw.Draw(picture)
    for colour, width in (((255, 255, 255), scale + 2), (COLOURS[primitive], max(2, scale - 1))):
        draw.line((*start[::-1], *end[::-1]), fill=colour, width=width)
        back = end - 3 * scale * np.array(direction)
        for corner in (back + side, back - side):
            draw.line((*end[::-1], *corner[::-1]), fill=colour, width=width)
    return np.asarray(picture)


def outlined(image: np.ndarray, masks: Mapping[str, np.ndarray], scale: int) -> np.ndarray:
    """`image` (already upscaled by `scale`) with the edge of every mask `[H, W]` bool drawn and its name beside it."""
    result = image.copy()
    inks = [(230, 40, 60), (40, 110, 230), (20, 150, 80), (170, 60, 200), (230, 130, 20)]
    labels = []
    for index, (name, mask) in enumerate(masks.items()):
        large = np.pad(upscaled(np.asarray(mask, bool), scale), 2)
        inside = large[2:-2, 2:-2] & large[:-4, 2:-2] & large[4:, 2:-2] & large[2:-2, :-4] & large[2:-2, 4:]
        result[large[2:-2, 2:-2] & ~inside] = inks[index % len(inks)]
        rows, columns = np.nonzero(mask)
        if rows.size:
            labels.append((name.replace("_", " "), int(columns.mean()) * scale, int(rows.min()) * scale, inks[index % len(inks)]))
    picture = Image.fromarray(result)
    draw = ImageDraw.Draw(picture)
    for text, x, y, ink in labels:
        box = draw.textbbox((x, max(y - 14, 0)), text, anchor="mt")
        draw.rectangle((box[0] - 2, box[1] - 1, box[2] + 2, box[3] + 1), fill=(255, 255, 255))
        draw.text((x, max(y - 14, 0)), text, fill=ink, anchor="mt")
    return np.asarray(picture)


def best_over_rotations(maps: np.ndarray) -> np.ndarray:
    """`[P, H, W]`: the best orientation of maps `[P, R, H, W]` at every cell."""
    return np.asarray(maps).max(axis=1)


def map_panels(
    rgb: np.ndarray, heats: np.ndarray, chosen: tuple[str, tuple[int, int]] | None = None, scale: int = SMALL_SCALE
) -> dict[str, np.ndarray]:
    """Primitive -> its map `[H, W]` of `heats` `[P, H, W]` laid over the view, upscaled; `chosen` (primitive, cell) is ringed."""
    panels = {name: upscaled(overlay(rgb, heat, COLOURS[name]), scale) for name, heat in zip(PRIMITIVES, heats, strict=True)}
    if chosen is not None:
        panels[chosen[0]] = marked(panels[chosen[0]], chosen[1], scale)
    return panels


def map_strip(rgb: np.ndarray, heats: np.ndarray, chosen: tuple[str, tuple[int, int]] | None = None) -> np.ndarray:
    """The five panels side by side, each under its name: `[H * 2 + 16, P * (W * 2 + 4), 3]` uint8."""
    panels = map_panels(rgb, heats, chosen)
    gap = np.full((heats.shape[1] * SMALL_SCALE + 16, 4, 3), 255, np.uint8)
    return np.concatenate([part for name, panel in panels.items() for part in (_titled(panel, name, COLOURS[name]), gap)], axis=1)


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures of the same height with a white gap between."""
    gap = np.full((left.shape[0], 8, 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def png(image: np.ndarray) -> bytes:
    """PNG file content of an `[h, w, 3]` uint8 picture."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """`content` as a `data:` address, so that a page needs no other file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _titled(panel: np.ndarray, title: str, colour: tuple[int, int, int]) -> np.ndarray:
    bar = Image.new("RGB", (panel.shape[1], 16), (255, 255, 255))
    ImageDraw.Draw(bar).text((2, 2), title, fill=tuple(int(c * 0.75) for c in colour))
    return np.concatenate([np.asarray(bar), panel], axis=0)
