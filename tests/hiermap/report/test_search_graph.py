"""The drawing of the search graph."""

import io

import networkx
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from hiermap.report.pictures import COLOURS
from hiermap.report.search_graph import MAX_NODES, _layers, _shown, graph_png


def tree(branching: int, depth: int, primitive: str = "pull") -> networkx.DiGraph:
    graph = networkx.balanced_tree(branching, depth, create_using=networkx.DiGraph)
    for node, steps in networkx.single_source_shortest_path_length(graph, 0).items():
        graph.nodes[node].update(progress=1.0 / (1 + node), depth=steps, on_plan=False, solved=False)
    networkx.set_edge_attributes(graph, {edge: {"primitive": primitive, "success": 0.5} for edge in graph.edges})
    return graph


def with_plan(graph: networkx.DiGraph, *path: int) -> networkx.DiGraph:
    networkx.set_node_attributes(graph, {node: True for node in path}, "on_plan")
    graph.nodes[path[-1]]["solved"] = True
    return graph


def strong(picture: bytes, primitive: str) -> int:
    """Pixels in the full colour of a primitive."""
    image = imread(io.BytesIO(picture))[..., :3]
    return int((np.abs(image - to_rgb(COLOURS[primitive])) < 0.01).all(axis=-1).sum())


def test_only_the_edges_of_the_plan_are_drawn_in_full_colour() -> None:
    assert strong(graph_png(tree(2, 2)), "pull") == 0
    drawn = graph_png(with_plan(tree(2, 2), 0, 1, 3))
    assert strong(drawn, "pull") > 1000
    assert strong(drawn, "push") == 0


def test_more_edges_leave_more_ink() -> None:
    few, many = (imread(io.BytesIO(graph_png(tree(width, 2))))[..., :3] for width in (1, 3))
    assert (many.min(axis=-1) < 0.95).mean() > (few.min(axis=-1) < 0.95).mean()


def test_a_large_graph_keeps_the_plan_and_what_leads_to_what_is_drawn() -> None:
    graph = with_plan(tree(3, 6), 0, 3, 12, 39, 120, 363, 1092)
    shown = _shown(graph)
    assert MAX_NODES <= len(shown) < MAX_NODES + 8 * 6
    assert {0, 3, 12, 39, 120, 363, 1092} <= set(shown)
    assert [node for node in shown if shown.in_degree(node) == 0] == [0]
    assert graph_png(graph).startswith(b"\x89PNG")


def test_siblings_stand_together_in_their_parents_order() -> None:
    assert _layers(tree(2, 2)) == {0: [0], 1: [1, 2], 2: [3, 4, 5, 6]}


def test_the_same_graph_gives_the_same_bytes_whatever_the_order_of_its_edges() -> None:
    assert graph_png(tree(2, 3)) == graph_png(tree(2, 3))


def test_an_empty_graph_can_be_drawn() -> None:
    assert graph_png(networkx.DiGraph()).startswith(b"\x89PNG")
