"""The program that makes the README's pictures works on the program as it is."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshots_make", ROOT / "screenshots" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts_of(file: Path) -> list[str]:
    elements = ElementTree.fromstring(file.read_text(encoding="utf-8")).iter("{http://www.w3.org/2000/svg}text")
    return [(element.text or "").replace("\xa0", " ") for element in elements]


async def test_a_picture_shows_the_program_on_its_built_in_agent(make: ModuleType, tmp_path: Path) -> None:
    picture = next(picture for picture in make.PICTURES if picture.name == "form")

    texts = texts_of(await make.make(picture, tmp_path))

    assert "Ask me something" in texts
    assert "What would you like to read?" in texts
    assert "Send answers" in texts
    assert all(text == text.strip() and "  " not in text for text in texts), "blanks are places, not text"


def test_every_picture_that_the_readme_shows_is_there_and_can_be_made(make: ModuleType) -> None:
    shown = set(re.findall(r"screenshots/(\w+)\.svg", (ROOT / "README.md").read_text(encoding="utf-8")))

    drawn_by_the_bench = {"bench"}
    assert shown > drawn_by_the_bench
    assert shown - drawn_by_the_bench <= {picture.name for picture in make.PICTURES}
    for name in shown:
        assert texts_of(ROOT / "screenshots" / f"{name}.svg")
