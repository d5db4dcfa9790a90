"""How fast the agent speaks: on a schedule, and without losing a character."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.guide.pace import Pace


@given(st.text())
def test_the_words_of_a_text_are_the_text(text: str) -> None:
    async def spoken() -> str:
        return "".join([piece async for piece in Pace(waits=False).words(text)])

    assert asyncio.run(spoken()) == text


async def test_a_text_comes_word_by_word() -> None:
    assert [piece async for piece in Pace(waits=False).words("one two\n\nthree ")] == ["one", " two", "\n\nthree", " "]


async def test_pieces_keep_to_the_schedule() -> None:
    clock = asyncio.get_running_loop().time
    begin = clock()

    pieces = [(clock() - begin, piece) async for piece in Pace().timed(map(str, range(10)), 200)]

    assert "".join(piece for _, piece in pieces) == "0123456789"
    for moment, piece in pieces:
        assert moment >= int(piece[-1]) / 200 - 0.002


@pytest.mark.timeout(10)
async def test_what_is_late_comes_joined_and_not_later() -> None:
    """A listener that takes 20 ms for each piece hears a thousand pieces a second as few long ones."""
    heard: list[str] = []
    async for piece in Pace().timed(("x" for _ in range(100)), 1000):
        heard.append(piece)
        await asyncio.sleep(0.02)

    assert "".join(heard) == "x" * 100
    assert len(heard) < 50
