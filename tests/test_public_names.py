"""What users import from hiermap is there, typed and versioned."""

import tomllib
from pathlib import Path

import pytest

import hiermap

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", hiermap.__all__)
def test_every_public_name_can_be_imported(name):
    value = getattr(hiermap, name)
    assert not callable(value) or value.__doc__


def test_the_version_is_the_one_of_the_project():
    assert hiermap.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_package_says_it_is_typed():
    assert (ROOT / "hiermap" / "py.typed").exists()
