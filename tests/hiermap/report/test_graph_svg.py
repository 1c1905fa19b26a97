"""The drawing of the search graph."""

import xml.etree.ElementTree as ElementTree

import networkx

from hiermap.report.graph_svg import MAX_NODES, graph_svg


def tree(branching: int, depth: int) -> networkx.DiGraph:
    graph = networkx.balanced_tree(branching, depth, create_using=networkx.DiGraph)
    for node in graph:
        graph.nodes[node]["progress"] = 1.0 / (1 + node)
    networkx.set_edge_attributes(graph, "pull", "primitive")
    return graph


def circles(svg: str) -> int:
    return sum(element.tag.endswith("circle") for element in ElementTree.fromstring(svg).iter())


def test_every_node_of_a_small_graph_is_drawn_and_the_last_of_the_path_is_ringed() -> None:
    assert circles(graph_svg(tree(2, 2), path=[0, 1, 3])) == 7 + 1


def test_a_large_graph_keeps_the_chosen_path_and_says_what_is_left_out() -> None:
    svg = graph_svg(tree(3, 6), path=[0, 3, 12, 39, 120, 363, 1092])
    assert MAX_NODES <= circles(svg) <= MAX_NODES + 8
    assert svg.count('class="step"') == 6
    assert "more nodes" in svg


def test_names_from_outside_are_escaped() -> None:
    graph = networkx.DiGraph()
    graph.add_edge("a", "b", primitive="<script>")
    assert "<script>" not in graph_svg(graph)


def test_an_empty_graph_says_so() -> None:
    assert "empty" in graph_svg(networkx.DiGraph())
