"""Compiled code is kept on disk, but not longer than the sources that it was made of."""

import importlib.util

from hiermap.primitives import compiled as module

SOURCE = "from hiermap.primitives.compiled import compiled\n\n\n@compiled\ndef twice(x):\n    return 2 * x\n"


def hits_and_misses(path):
    spec = importlib.util.spec_from_file_location("kept", path)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert fresh.twice(21) == 42
    return sum(fresh.twice.stats.cache_hits.values()), sum(fresh.twice.stats.cache_misses.values())


def test_code_is_compiled_once_and_again_when_another_source_has_changed(tmp_path, monkeypatch):
    path = tmp_path / "kept.py"
    path.write_text(SOURCE)
    assert hits_and_misses(path) == (0, 1)
    assert hits_and_misses(path) == (1, 0)
    monkeypatch.setattr(module, "STAMP", (*module.STAMP, ("laws.py", 0, 0)))
    assert hits_and_misses(path) == (0, 1)
