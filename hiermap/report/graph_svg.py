"""The search graph as an SVG drawing: laid out by depth, the chosen path on top."""

from collections.abc import Hashable, Mapping, Sequence
from html import escape
from itertools import pairwise

import networkx

from hiermap.report.pictures import COLOURS

MAX_NODES = 240
"""More circles than this no longer read; the chosen path and the nodes nearest the goal stay."""
COLUMN, ROW, MARGIN, RADIUS = 150, 26, 46, 6
"""Pixels between depths, between nodes of one depth, around the drawing, and of a node."""
MAX_HEIGHT = 1100
"""Rows move closer together before the drawing grows taller than this [px]."""

Place = Mapping[Hashable, tuple[float, float]]


def graph_svg(graph: networkx.DiGraph, path: Sequence[Hashable] = ()) -> str:
    """An SVG element showing `graph`; `path` holds the chosen nodes from the root on.

    Node attributes used where present: `depth`, `progress` in [0, 1]. Edge attributes: `primitive`,
    `row`, `column`, `success` in [0, 1]. Hovering a node or edge shows them.
    """
    if graph.number_of_nodes() == 0:
        return "<p>The search graph is empty.</p>"
    depths = _depths(graph)
    kept = _kept(graph, path, depths)
    place, width, height = _layout(graph, path, depths, kept)
    chosen = set(pairwise(path))
    edges = sorted((edge for edge in graph.edges if edge[0] in kept and edge[1] in kept), key=lambda edge: edge in chosen)
    parts = [_edge(graph.edges[edge], place[edge[0]], place[edge[1]], edge in chosen) for edge in edges]
    parts += [_node(graph.nodes[node], place[node], node in path, node == path[-1] if path else False) for node in kept]
    parts += [_depth_label(depth, place, depths) for depth in sorted({depths[node] for node in kept})]
    hidden = graph.number_of_nodes() - len(kept)
    if hidden:
        parts.append(
            f'<text x="{MARGIN}" y="{height - 6}" class="note">{hidden} more nodes, all farther from the goal, are not drawn</text>'
        )
    style = "max-width:100%;height:auto"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 {width} {height}" width="{width}" style="{style}" role="img">'
        + "".join(parts)
        + "</svg>"
    )


def _depths(graph: networkx.DiGraph) -> dict[Hashable, int]:
    if all("depth" in data for _, data in graph.nodes(data=True)):
        return {node: int(data["depth"]) for node, data in graph.nodes(data=True)}
    roots = [node for node in graph if graph.in_degree(node) == 0] or [next(iter(graph))]
    depths: dict[Hashable, int] = {}
    for root in roots:
        for node, depth in networkx.single_source_shortest_path_length(graph, root).items():
            depths[node] = min(depth, depths.get(node, depth))
    return {node: depths.get(node, 0) for node in graph}


def _kept(graph: networkx.DiGraph, path: Sequence[Hashable], depths: Mapping[Hashable, int]) -> list[Hashable]:
    """The chosen path first, then nodes by progress, each with its ancestors so that no drawn node floats."""
    kept: dict[Hashable, None] = dict.fromkeys(path)
    for node in sorted(graph, key=lambda node: -float(graph.nodes[node].get("progress", 0.0))):
        if len(kept) >= MAX_NODES:
            break
        while node not in kept:
            kept[node] = None
            parents = [parent for parent in graph.predecessors(node) if depths[parent] < depths[node]]
            if not parents:
                break
            node = parents[0]
    return list(kept)


def _layout(
    graph: networkx.DiGraph, path: Sequence[Hashable], depths: Mapping[Hashable, int], kept: Sequence[Hashable]
) -> tuple[dict[Hashable, tuple[float, float]], int, int]:
    columns: dict[int, list[Hashable]] = {}
    for node in kept:
        columns.setdefault(depths[node], []).append(node)
    tallest = max(map(len, columns.values()))
    row = min(ROW, MAX_HEIGHT / tallest)
    height = int(max(tallest * row, 120) + 2 * MARGIN)
    place: dict[Hashable, tuple[float, float]] = {}
    for depth in sorted(columns):
        nodes = sorted(columns[depth], key=lambda node: (_parent_height(graph, node, place), node not in path))
        top = height / 2 - (len(nodes) - 1) * row / 2
        for index, node in enumerate(nodes):
            place[node] = (MARGIN + depth * COLUMN, top + index * row)
    return place, 2 * MARGIN + max(columns) * COLUMN + 40, height


def _parent_height(graph: networkx.DiGraph, node: Hashable, place: Place) -> float:
    heights = [place[parent][1] for parent in graph.predecessors(node) if parent in place]
    return min(heights, default=0.0)


def _edge(data: Mapping, start: tuple[float, float], end: tuple[float, float], chosen: bool) -> str:
    primitive = str(data.get("primitive", ""))
    colour = "rgb({},{},{})".format(*COLOURS.get(primitive, (120, 120, 120)))
    success = float(data.get("success", 1.0))
    width, opacity = (4.0, 1.0) if chosen else (0.8 + 1.2 * success, 0.15 + 0.35 * success)
    bend = (start[0] + end[0]) / 2
    curve = f"M{start[0]:.1f},{start[1]:.1f} C{bend:.1f},{start[1]:.1f} {bend:.1f},{end[1]:.1f} {end[0]:.1f},{end[1]:.1f}"
    hint = escape(f"{primitive} at cell ({data.get('row', '?')}, {data.get('column', '?')}), success {success:.2f}")
    line = (
        f'<path d="{curve}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" opacity="{opacity:.2f}"><title>{hint}</title></path>'
    )
    if not chosen:
        return line
    x, y = bend, (start[1] + end[1]) / 2
    return line + f'<text x="{x:.0f}" y="{y - 8:.0f}" class="step" fill="{colour}">{escape(primitive)} {success:.2f}</text>'


def _node(data: Mapping, at: tuple[float, float], chosen: bool, last: bool) -> str:
    progress = float(data.get("progress", 0.0))
    shade = int(235 - 190 * progress)
    fill = f"rgb({shade},{int(240 - 70 * progress)},{shade})"
    hint = escape(", ".join(f"{key} {_short(value)}" for key, value in data.items()))
    ring = (
        '<circle cx="{:.1f}" cy="{:.1f}" r="{}" fill="none" stroke="#1b7f3b" stroke-width="2.5"/>'.format(*at, RADIUS + 5) if last else ""
    )
    outline = "#111" if chosen else "#8a8f98"
    return (
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{RADIUS}" fill="{fill}" stroke="{outline}" stroke-width="{2 if chosen else 1}">'
        f"<title>{hint}</title></circle>{ring}"
    )


def _depth_label(depth: int, place: Place, depths: Mapping[Hashable, int]) -> str:
    x = next(at[0] for node, at in place.items() if depths[node] == depth)
    return f'<text x="{x:.0f}" y="16" class="note" text-anchor="middle">{"now" if depth == 0 else f"step {depth}"}</text>'


def _short(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
