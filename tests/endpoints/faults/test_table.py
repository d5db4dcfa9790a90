"""The table of faults is complete, and every fault in it has its tests."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.endpoints.faults.table import FAULTS

TESTS = Path(__file__).parents[2]


def find_tests(path: Path) -> dict[str, set[str]]:
    """Return the names of a module's tests, with those of their parameters."""
    found = ast.walk(ast.parse(path.read_text("utf-8")))
    functions = (node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {each.name: {each.arg for each in each.args.args} for each in functions if each.name.startswith("test_")}


def numbers(name: str) -> set[int]:
    """Return the faults that the name of a test names."""
    if span := re.match(r"test_f(\d+)_to_f(\d+)_", name):
        return set(range(int(span[1]), int(span[2]) + 1))
    prefix = re.match(r"test_((?:f\d+_)+)", name)
    return {int(number) for number in re.findall(r"\d+", prefix[1])} if prefix else set()


def test_the_list_is_complete():
    assert list(FAULTS) == list(range(1, 49))


@pytest.mark.parametrize("number", FAULTS)
def test_each_fault_has_tests_against_every_adapter_or_where_it_is_decided(number):
    own = {name: takes for path in Path(__file__).parent.glob("test_*.py") for name, takes in find_tests(path).items()}
    against_all = [name for name, takes in own.items() if number in numbers(name) and "dialect" in takes]
    for place in FAULTS[number].elsewhere:
        path, _, pattern = place.partition("::")
        assert any(fnmatch(name, pattern) for name in find_tests(TESTS / path)), place
    assert against_all or FAULTS[number].elsewhere


def test_every_test_of_a_fault_is_of_one_in_the_list():
    for path in Path(__file__).parent.glob("test_*.py"):
        for name in find_tests(path):
            assert numbers(name) <= set(FAULTS), name
