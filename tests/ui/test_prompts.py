"""Writing and sending."""

import pytest
from textual import events
from textual.widgets import Input

from chatforge_tui.config.settings import UiSettings
from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.ui.widgets.empty_state import Lesson
from tests.fakes.scripted_endpoint import echo
from tests.ui.program import Program, running


def composer(program: Program):
    return program.app.main.composer


async def test_enter_sends_what_was_typed_and_empties_the_prompt(home):
    async with running(home, script=echo) as program:
        await program.sees("Enter send")
        await program.pilot.press(*"hi", "enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)

        assert program.front.prompts == ["hi"]
        assert composer(program).text == ""


async def test_a_letter_that_comes_right_behind_enter_stays(home):
    async with running(home, script=echo) as program:
        await program.type("hi")
        for event in (events.Key("enter", "\r"), events.Key("x", "x")):
            program.app.post_message(event)
        await program.until(lambda: program.front.state is TurnState.COMPLETE)

        assert program.front.prompts == ["hi"]
        assert composer(program).text == program.front.draft == "x"


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter", "shift+\r"])
async def test_the_newline_keys_begin_a_line_and_send_nothing(home, key):
    async with running(home) as program:
        await program.pilot.press("a", key, "b")

        assert composer(program).text == "a\nb"
        assert program.front.is_empty


async def test_a_backslash_before_enter_begins_a_line(home):
    async with running(home) as program:
        await program.pilot.press("a", "backslash", "enter", "b")
        await program.until(lambda: composer(program).text == "a\nb")

        assert program.front.is_empty


async def test_the_prompt_grows_to_eight_lines_and_no_further(home):
    async with running(home) as program:
        await program.type("\n".join("x" * 12))
        await program.until(lambda: composer(program).size.height == 8)


async def burst(program: Program, text: str) -> None:
    """Deliver keys as a terminal without bracketed paste does: all at once."""
    for character in text:
        key = "enter" if character == "\n" else character
        composer(program).post_message(events.Key(key, "\r" if character == "\n" else character))


async def test_pasted_lines_without_brackets_do_not_send(home):
    async with running(home) as program:
        await burst(program, "one\ntwo\nthree\n")
        await program.until(lambda: composer(program).text == "one\ntwo\nthree\n")

        assert program.front.is_empty


async def test_a_line_and_enter_in_one_go_are_sent_as_if_typed(home):
    async with running(home, script=echo) as program:
        await burst(program, "hello\n")
        await program.until(lambda: program.front.prompts == ["hello"])


async def test_a_paste_is_cleaned_and_the_user_is_told(home):
    async with running(home) as program:
        composer(program).post_message(events.Paste("safe\x1b]52;c;eA==\x07\r\nline"))
        await program.until(lambda: "line" in composer(program).text)

        assert "\x1b" not in composer(program).text
        assert composer(program).text.startswith("safe␛]52")
        await program.sees("hidden or control characters")


async def test_up_and_down_at_the_edges_walk_through_earlier_prompts(home):
    async with running(home, script=echo) as program:
        for text in ("first", "second"):
            await program.send(text)
            await program.until(lambda: program.front.state is TurnState.COMPLETE)
        await program.type("being written")

        shown = []
        for key in ("up", "up", "down", "down"):
            await program.pilot.press(key)
            shown.append(composer(program).text)
        assert shown == ["second", "first", "second", "being written"]


async def test_an_earlier_prompt_is_found_by_searching(home):
    async with running(home, script=echo) as program:
        for text in ("deploy the shop", "what is new"):
            await program.send(text)
            await program.until(lambda: program.front.state is TurnState.COMPLETE)
        await program.pilot.press("ctrl+r")
        await program.sees("Earlier prompts")
        await program.pilot.press(*"shop", "enter")
        await program.until(lambda: composer(program).text == "deploy the shop")


async def test_a_prompt_sent_while_the_answer_runs_replaces_it_and_the_hint_says_so(home):
    async with running(home) as program:
        pane = await program.send("first")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("slow"))
        await program.sees("replaces the running answer")
        await program.send("second")

        wire = await program.wire(pane)
        await program.say(wire, Accepted("fake"), TextDelta("quick"), Finished())
        await program.until(lambda: pane.state is TurnState.COMPLETE)
        await program.sees("quick")
        assert pane.prompts == ["first", "second"]


async def test_an_unknown_command_is_told_and_stays_in_the_prompt(home):
    async with running(home) as program:
        await program.type("/nonsense")
        await program.pilot.press("enter")
        await program.sees("/nonsense is not a command")

        assert composer(program).text == "/nonsense"


async def test_two_slashes_send_a_prompt_that_begins_with_one(home):
    async with running(home, script=echo) as program:
        await program.send("//help me")

        assert program.front.prompts == ["/help me"]


async def test_retry_sends_the_last_prompt_once_more_and_only_when_asked(home):
    async with running(home) as program:
        pane = await program.send("try this")
        await program.say(await program.wire(pane), Accepted("fake"), StoreUnavailable("broken"))
        await program.until(lambda: not pane.is_live)
        assert len(program.endpoints.of(pane.session_id)) == 1

        await program.type("/retry")
        await program.pilot.press("enter")
        await program.until(lambda: pane.prompts == ["try this", "try this"])


class FullStore(MemoryStore):
    """A store that accepts no prompt."""

    async def begin_turn(self, head, session) -> None:
        raise StoreUnavailable("The disk is full.", hint="Make room and send again.")


async def test_a_prompt_that_could_not_be_kept_comes_back_into_the_prompt(home):
    async with running(home, store=FullStore()) as program:
        await program.type("precious words")
        await program.pilot.press("enter")
        await program.sees("The disk is full.")

        assert composer(program).text == "precious words"


async def test_tab_offers_examples_in_an_empty_session_one_after_another(home):
    async with running(home, lesson=lambda _: Lesson(("One?", "Two?", "Three?"))) as program:
        await program.sees("Tab Tab      Two?")
        shown = []
        for _ in range(4):
            await program.pilot.press("tab")
            shown.append(composer(program).text)

        assert shown == ["One?", "Two?", "Three?", "One?"]


async def test_control_c_copies_then_clears_then_stops_then_quits(home):
    async with running(home) as program:
        pane = await program.send("work")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("…"))
        await program.type("some words")
        composer(program).select_all()
        await program.pilot.press("ctrl+c")
        assert program.app.clipboard == "some words"
        composer(program).move_cursor((0, 0))
        await program.pilot.press("ctrl+c")
        assert composer(program).text == ""
        assert pane.is_live
        await program.pilot.press("ctrl+c")
        await program.until(lambda: pane.state is TurnState.ABORTED)
        await program.pilot.press("ctrl+c", "ctrl+c")
        await program.until(lambda: program.app._exit)


async def test_stopping_takes_two_presses_when_the_setting_says_so(home):
    async with running(home, ui=UiSettings(abort="double")) as program:
        pane = await program.send("work")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("…"))
        await program.until(lambda: pane.state is TurnState.STREAMING)
        await program.pilot.press("escape")
        await program.sees("Press Esc again")
        assert pane.is_live
        await program.pilot.press("escape")
        await program.until(lambda: pane.state is TurnState.ABORTED)


async def test_esc_in_the_prompt_is_done_there_and_goes_no_further(home):
    async with running(home) as program:
        pane = await program.send("work")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("…"))
        await program.until(lambda: pane.state is TurnState.STREAMING)
        key = events.Key("escape", "\x1b")
        await composer(program).on_key(key)
        assert key._stop_propagation
        await program.until(lambda: pane.state is TurnState.ABORTED)


async def test_the_transcript_is_searched_and_esc_gives_the_prompt_back(home):
    async with running(home, script=echo) as program:
        await program.send("needle in this haystack")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        await program.pilot.press("ctrl+f")
        await program.until(lambda: program.app.focused is not composer(program))
        await program.pilot.press(*"needle")
        await program.sees("of 2")
        await program.pilot.press("escape")
        await program.until(lambda: program.app.focused is composer(program))


async def test_an_editing_key_does_its_work_before_what_is_typed_behind_it(home):
    async with running(home, script=echo) as program:
        await program.type("old words")
        composer(program).post_message(events.Key("ctrl+u", "\x15"))
        await burst(program, "new\n")

        await program.until(lambda: program.front.prompts == ["new"])


async def test_a_new_prompt_is_seen_by_a_reader_who_had_scrolled_up(home):
    async with running(home) as program:
        first = await program.send("many lines")
        lines = TextDelta("\n".join(f"line {number}" for number in range(200)))
        await program.say(await program.wire(first), Accepted("fake"), lines, Finished())
        await program.until(lambda: first.state is TurnState.COMPLETE)
        await program.sees("line 199")
        await program.pilot.press("pageup")
        await program.until(lambda: "line 199" not in program.text)

        await program.send("and now this")

        await program.sees("and now this")


async def test_what_is_typed_right_behind_ctrl_n_is_for_the_new_session(home):
    async with running(home, script=echo) as program:
        first = program.front
        program.app.post_message(events.Key("x", "x"))
        for key in ("ctrl+n", *"hello", "enter"):
            program.app.post_message(events.Key(key, key if len(key) == 1 else None))

        await program.until(lambda: program.front is not first and program.front.state is TurnState.COMPLETE)

        assert program.front.prompts == ["hello"]
        assert first.is_empty
        assert first.draft == "x"


async def test_enter_chooses_what_fits_the_words_though_their_search_has_not_come_yet(home):
    async with running(home) as program:
        await program.pilot.press("ctrl+p")
        await program.sees("What do you want to do?")
        entry = program.app.screen.query_one(Input)
        with entry.prevent(Input.Changed):  # the words are there, what they lead to is still on its way
            entry.value = "another theme"
        await program.pilot.press("enter")
        await program.sees("Search themes")
