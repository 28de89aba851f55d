"""What programs are made of is no work for the garbage collector: large programs take time in proportion."""

import gc
import importlib
import pkgutil

import msgspec
import pytest

import codeai.language.tree
import codeai.language.types
import codeai.model

MODULES = [
    "codeai.language.types",
    *(found.name for room in (codeai.language.tree, codeai.model) for found in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")),
]


@pytest.mark.parametrize("module", MODULES)
def test_trees_and_models_are_not_searched_for_circles(module: str) -> None:
    found = vars(importlib.import_module(module)).values()
    classes = [one for one in found if isinstance(one, type) and issubclass(one, msgspec.Struct) and one.__module__ == module]
    assert [one.__name__ for one in classes if one.__struct_config__.gc] == []


def test_a_type_is_not_searched_for_circles() -> None:
    assert not gc.is_tracked(codeai.language.types.List(item=codeai.language.types.Text()))
