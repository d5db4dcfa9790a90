"""What a person sees and can do with prompts that wait to be sent."""

import asyncio

import pytest
from msgspec.structs import replace

from chatforge_tui.config.settings import UiSettings
from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import ProxyRefused, StoreUnavailable, Unreachable
from chatforge_tui.sessions import EngineSettings
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.ui.terminal_input import KeyReader
from tests.fakes.scripted_endpoint import echo
from tests.ui.program import running

ASKS = EngineSettings(keeps_unsent=True, max_retries=0)
GOES = EngineSettings(keeps_unsent=True, max_retries=0, sends_unsent=True, unsent_pauses_s=(0.05, 0.1))
WAITS = "Waits to be sent."


class Network:
    def __init__(self):
        self.is_up = False

    def __call__(self, request):
        return echo(request) if self.is_up else [Unreachable("The agent is away.", retryable=True)]


async def command(program, text):
    await program.type(text)
    await program.pilot.press("enter")


async def unsent(program, *prompts):
    for number, prompt in enumerate(prompts, 1):
        await command(program, prompt)
        await program.until(lambda number=number: len(program.front.unsent) == number)
    await program.sees("not sent")


async def test_a_prompt_that_cannot_leave_is_marked_and_goes_when_it_is_told_to(home):
    network = Network()
    async with running(home, script=network, engine=ASKS) as program:
        await unsent(program, "first words", "second words")
        assert "Not sent: The agent is away." in program.text
        assert WAITS in program.text
        assert "/send sends what waits" in program.text
        assert "↑ first words" in program.text
        network.is_up = True
        await command(program, "/send")
        pane = program.front
        await program.until(lambda: not pane.unsent and pane.state is TurnState.COMPLETE)
        await program.sees("Enter send")
        assert WAITS not in program.text
        assert [wire.request.prompt.text for wire in program.endpoints.wires][-2:] == ["first words", "second words"]


@pytest.mark.parametrize("words", ["/retry", "/continue"])
async def test_trying_again_sends_what_waits_and_makes_no_second_turn(home, words):
    network = Network()
    async with running(home, script=network, engine=ASKS) as program:
        await unsent(program, "first words")
        network.is_up = True
        await command(program, words)
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert program.front.prompts == ["first words"]


async def test_the_last_prompt_that_waits_comes_back_into_the_composer(home):
    async with running(home, script=Network(), engine=ASKS) as program:
        await unsent(program, "first words", "second words")
        await program.pilot.press("alt+e")
        await program.until(lambda: program.app.main.composer.text == "second words")
        assert WAITS not in program.text
        assert program.front.prompts == ["first words"]
        await program.pilot.press("alt+e")
        await program.sees("Something else stands in the prompt")
        assert len(program.front.unsent) == 1


@pytest.mark.parametrize("refuses", [False, True], ids=["taken back", "refused"])
async def test_what_was_typed_while_a_prompt_came_back_stands_behind_it(home, refuses):
    class Slow(MemoryStore):
        """Takes its time over one prompt."""

        is_slow = False

        async def drop_turn(self, head):
            await self.wait()
            return await super().drop_turn(head)

        async def begin_turn(self, head, session):
            await self.wait()
            await super().begin_turn(head, session)

        async def wait(self):
            while self.is_slow:
                await asyncio.sleep(0.005)
                if refuses and not self.is_slow:
                    message = "The disk is full."
                    raise StoreUnavailable(message)

    store = Slow()
    async with running(home, script=Network(), engine=ASKS, store=store) as program:
        await unsent(program, "first words")
        store.is_slow = True
        await (command(program, "second words") if refuses else program.pilot.press("alt+e"))
        await program.type("typed")
        store.is_slow = False
        expected = f"{'second' if refuses else 'first'} words\ntyped"
        await program.until(lambda: program.app.main.composer.text == expected)
        assert program.front.draft == expected


async def test_a_prompt_can_be_removed_and_an_empty_session_teaches_again(home):
    store = MemoryStore()
    async with running(home, script=Network(), engine=ASKS, store=store) as program:
        await unsent(program, "first words")
        await command(program, "/drop")
        await program.sees("nothing of it was sent")
        await program.until(lambda: program.front.is_empty)
        await command(program, "/drop")
        await program.sees("No prompt waits here.")
        assert not any(store._turns.values())


async def test_a_prompt_waits_for_the_end_of_the_running_answer(home):
    async with running(home, engine=ASKS) as program:
        pane = await program.send("one")
        wire = await program.wire(pane)
        await program.say(wire, Accepted("fake"), TextDelta("so far"))
        await program.sees("Alt+Q waits")
        await program.type("two")
        reader = KeyReader()
        for event in [*reader.take(b"\x1bq"), *reader.silence(), *reader.take(b"x")]:  # the x is for the next prompt
            program.app.post_message(event)
        await program.sees(WAITS)
        await program.until(lambda: program.app.main.composer.text == "x")
        assert [turn.prompt.text for turn in pane.unsent.values()] == ["two"]
        assert pane.is_live
        await program.say(wire, TextDelta(" and on"), Finished())
        await program.until(lambda: len(program.endpoints.wires) == 2)
        await program.say(program.endpoints.wires[1], Accepted("fake"), TextDelta("the second"), Finished())
        await program.sees("the second")
        await program.until(lambda: pane.state is TurnState.COMPLETE)
        assert "so far and on" in program.text
        assert WAITS not in program.text


async def test_with_the_setting_enter_queues_too_and_the_command_takes_its_prompt(home):
    async with running(home, engine=ASKS, ui=UiSettings(enter="queue")) as program:
        pane = await program.send("one")
        wire = await program.wire(pane)
        await program.say(wire, Accepted("fake"), TextDelta("so far"))
        await program.sees("sends when this answer is done")
        await command(program, "two")
        await command(program, "/queue three")
        await program.until(lambda: len(pane.unsent) == 2)
        await command(program, "/queue")
        await program.sees("takes the prompt")
        assert pane.turn.prompt.text == "one"
        assert pane.is_live


async def test_what_waits_is_there_after_a_restart(home):
    store, network = MemoryStore(), Network()
    async with running(home, script=network, engine=ASKS, store=store) as program:
        await unsent(program, "first words")
    async with running(home, script=network, engine=ASKS, store=store) as program:
        await program.sees("Not sent: The agent is away.")
        assert "↑ first words" in program.text
        network.is_up = True
        await command(program, "/send")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)


async def test_a_try_by_itself_does_not_move_the_reader(home):
    network = Network()
    async with running(home, script=network, engine=GOES, size=(80, 24)) as program:
        network.is_up = True
        await command(program, "\n\n".join(f"line {number}" for number in range(60)))
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        network.is_up = False
        await command(program, "later")
        await program.until(lambda: program.front.state is TurnState.UNSENT)
        await program.pilot.press("pageup")
        await program.pilot.press("pageup")
        await program.until(lambda: "later" not in program.text.split("─")[0] and not program.front.transcript.follows)
        tries, shown = len(program.endpoints.wires), program.text.splitlines()[2:15]
        await program.until(lambda: len(program.endpoints.wires) >= tries + 3)
        await program.pilot.pause()
        assert program.text.splitlines()[2:15] == shown
        network.is_up = True
        await program.until(lambda: program.front.state is TurnState.COMPLETE)


async def test_what_goes_by_itself_says_so_and_what_was_left_to_the_user_does_not(home):
    network = Network()
    async with running(home, script=network, engine=GOES, outbox="auto", size=(80, 24)) as program:
        await unsent(program, "first words")
        assert "Goes by itself when it answers · /send · Alt+E edits · /drop" in program.text
        network.is_up = True
        pane = program.front
        await program.until(lambda: not pane.unsent and pane.state is TurnState.COMPLETE)
        network.is_up = False
        await unsent(program, "second words")
        assert "Goes by itself" in program.text
        pane.turn = replace(pane.turn, state=TurnState.FAILED)
        await program.until(lambda: "/send sends what waits" in program.text)


async def test_what_a_proxy_refuses_is_not_said_to_go_by_itself(home):
    refusal = ProxyRefused("proxy.example wants a user name and password.")
    async with running(home, script=lambda _: [refusal], engine=GOES, outbox="auto", size=(80, 24)) as program:
        await unsent(program, "first words")
        assert "Goes by itself" not in program.text
        assert "/send sends what waits" in program.text


async def test_who_only_watches_a_session_is_told_that_prompts_wait_in_it(home):
    async with running(home, size=(80, 24)) as program:
        pane = program.front
        program.app.book.put(replace(pane.head, held_by="pid 13942 (/dev/pts/0)", unsent=1))
        program.app.main.redraw()
        await program.sees("1 prompt waits to be sent, shown only in pid 13942 (/dev/pts/0)")
        assert "Alt+O takes it" in program.text
        program.app.book.put(replace(pane.head, unsent=2))
        program.app.main.redraw()
        await program.sees("2 prompts wait to be sent, shown only in pid 13942")


async def test_the_tab_of_a_hidden_session_shows_that_something_waits(home):
    async with running(home, script=Network(), engine=ASKS) as program:
        await unsent(program, "first words")
        hidden = program.front
        await program.open()
        assert program.text.splitlines()[0].lstrip().startswith("↑ first words")
        assert hidden.unread == 0
