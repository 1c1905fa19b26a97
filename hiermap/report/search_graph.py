"""The search graph as a drawing: by depth from left to right, the plan on top."""

from collections.abc import Hashable, Mapping, Sequence

import networkx
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hiermap.report.pictures import COLOURS, LABEL, content

MAX_NODES = 240
"""More nodes than this no longer read; the plan and the nodes nearest the goal stay, with all that leads to them."""
_COLUMN, _ROW, _DPI = 1.7, 0.17, 140
"""Inches between depths and between nodes of one depth, and dots per inch."""
_LOWEST, _HIGHEST = 2.5, 9.0
"""Rows move closer together before the drawing grows taller than this [inch]."""


def graph_png(graph: networkx.DiGraph) -> bytes:
    """A PNG file's content showing a graph as the planners leave it.

    Nodes (`depth`, `progress` in [0, 1], `on_plan`, `solved`) are greener the nearer to the goal, edges (`primitive`, `success` in [0, 1])
    wider the surer; the plan's stand out and are named.
    """
    shown = _shown(graph)
    layers = _layers(shown)
    height = min(max(max(map(len, layers.values())) * _ROW, _LOWEST), _HIGHEST)
    figure = Figure(figsize=(_COLUMN * (len(layers) + 1), height), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    place = {node: (depth, (len(layer) - 1) / 2 - row) for depth, layer in layers.items() for row, node in enumerate(layer)}
    for start, end, data in shown.edges(data=True):
        _draw_edge(axes, (place[start], place[end]), data, shown.nodes[start]["on_plan"] and shown.nodes[end]["on_plan"])
    _draw_nodes(axes, shown, place)
    axes.set_xticks(list(layers), ["now" if depth == 0 else f"step {depth}" for depth in layers])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if len(shown) < len(graph):
        axes.set_title(f"{len(graph) - len(shown)} more nodes, all farther from the goal, are not drawn", fontsize=9)
    return content(figure)


def _shown(graph: networkx.DiGraph) -> networkx.DiGraph:
    best = sorted(graph, key=lambda node: (not graph.nodes[node]["on_plan"], -graph.nodes[node]["progress"]))[:MAX_NODES]
    kept = {*best, *(above for node in best for above in networkx.ancestors(graph, node))}
    shown = graph.copy()
    shown.remove_nodes_from([node for node in graph if node not in kept])
    return shown


def _layers(graph: networkx.DiGraph) -> dict[int, list[Hashable]]:
    """Depth -> its nodes, siblings together and in their parents' order, so that no lines cross."""
    layers: dict[int, list[Hashable]] = {0: []}
    for node in networkx.dfs_preorder_nodes(graph):
        layers.setdefault(graph.nodes[node]["depth"], []).append(node)
    return layers


def _draw_edge(axes: Axes, ends: Sequence[tuple[float, float]], data: Mapping, chosen: bool) -> None:
    success, colour = data["success"], COLOURS[data["primitive"]]
    width, alpha = (4.0, 1.0) if chosen else (0.8 + 1.2 * success, 0.2 + 0.4 * success)
    x, y = zip(*ends, strict=True)
    axes.plot(x, y, color=colour, linewidth=width, alpha=alpha, zorder=2 if chosen else 1)
    if chosen:
        axes.text(sum(x) / 2, sum(y) / 2, f"{data['primitive']} {success:.2f}", color=colour, fontsize=9, **LABEL)


def _draw_nodes(axes: Axes, graph: networkx.DiGraph, place: Mapping[Hashable, tuple[float, float]]) -> None:
    x, y = ([place[node][axis] for node in graph] for axis in (0, 1))
    greens = [data["progress"] for _, data in graph.nodes(data=True)]
    rims = ["#1b7f3b" if data["solved"] else "#111111" if data["on_plan"] else "#8a8f98" for _, data in graph.nodes(data=True)]
    axes.scatter(x, y, s=60, c=greens, cmap="Greens", vmin=0.0, vmax=1.4, edgecolors=rims, linewidths=1.5, zorder=3)
