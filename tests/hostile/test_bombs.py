"""Answers that are dear to lay out: the program goes on, the text is kept, and the next answer comes."""

import asyncio
from pathlib import Path

import pytest

from tests.hostile.agent import says
from tests.hostile.checker import leaks
from tests.hostile.corpus import Case, bombs, collected
from tests.hostile.stage import Act, Run, Seen, Show, Stage, Tab

pytestmark = pytest.mark.timeout(400)

FROZEN_S = 6.0
"""Seconds within which a key must show an effect while a bomb is on the screen, on a machine that is busy with others;
what takes as long as its input is long squared takes minutes."""
ENOUGH = 2_000_000
"""Bytes of the one line of 50 MB that are sent here: beyond it the endpoint's own limits, which have tests of theirs, end
the turn."""
COLLECTED = [case for case in collected() if case.required == "cap"]
CASES = [*COLLECTED, *bombs()]


def act(case: Case) -> Act:
    text = case.text[:ENOUGH]
    pieces = [text[at : at + 50_000] for at in range(0, len(text), 50_000)]
    return Act(case.id, lambda: says(*pieces, "\n\n" + case.end), seconds=60)


async def echo(show: Show, case: str) -> None:
    """Type a letter and see how long it takes to be drawn, then scroll to the beginning and back."""
    loop = asyncio.get_running_loop()
    begin, at = len(show.terminal.raw), loop.time()
    show.terminal.press("Q")
    await show.terminal.wait_for_bytes(b"Q", begin, seconds=60)  # no other letter of the screen is a Q
    show.run.seen[f"{case} echo"] = Seen("", b"", loop.time() - at)
    show.terminal.press("backspace", "pageup", "ctrl+end")
    await show.terminal.until_quiet(0.05, seconds=60)


class Bombing(Stage):
    """Tries the keys after every case, in a tab of its own: what came before is no burden."""

    async def _play(self, show: Show, tabs) -> None:
        for index, tab in enumerate(tabs):
            if index:
                show.terminal.press("ctrl+pagedown")
                await show.terminal.until_quiet()
            for one in tab.acts:
                await show.perform(one)
                await echo(show, one.case)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home: Path = tmp_path_factory.mktemp("bombs") / "home"
    stage = Bombing(home, has_screen=False)
    return asyncio.run(
        stage.run([Tab("chat", [act(case)]) for case in CASES] + [Tab("chat", [Act("last", lambda: says("fine"))])])
    )


@pytest.fixture(scope="module")
def turns(run: Run):
    return asyncio.run(run.turns())


def test_the_program_survives_all_of_them_and_answers_on(run: Run, turns):
    print(*sorted(((seen.seconds, case) for case, seen in run.seen.items()), reverse=True)[:12], sep="\n")
    assert run.code == 0
    assert turns["last"].answer == "fine"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_keys_are_answered_while_it_is_on_the_screen(run: Run, case: Case):
    assert run.seen[f"{case.id} echo"].seconds < FROZEN_S


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_store_keeps_the_whole_text(turns, case: Case):
    assert turns[case.id].answer == f"{case.text[:ENOUGH]}\n\n{case.end}"


def test_not_one_byte_that_steers_reaches_the_terminal(run: Run):
    assert [str(leak) for leak in leaks(run.raw)[:5]] == []
