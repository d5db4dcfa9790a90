"""Every seed of the fuzzers and every input that once broke something passes its target."""

import pytest

from tests.fuzz.__main__ import FOUND
from tests.fuzz.targets import SEEDS, TARGETS

INPUTS = [(name, seed) for name, seeds in SEEDS.items() for seed in seeds]
INPUTS += [(path.name.partition("-")[0], path.read_bytes()) for path in sorted(FOUND.glob("*-*"))]


@pytest.mark.parametrize(("name", "data"), INPUTS, ids=[f"{name}-{at}" for at, (name, _) in enumerate(INPUTS)])
def test_an_input_passes_its_target(name, data):
    TARGETS[name](data)
