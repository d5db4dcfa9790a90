"""Choosing where a new session goes."""

from chatforge_tui.config.settings import EndpointSettings
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.ui.desk_app import DEFAULT_LESSON
from chatforge_tui.ui.widgets.empty_state import Lesson
from chatforge_tui.ui.widgets.tab_strip import TabStrip
from tests.ui.program import ENDPOINTS, running

OFFER = (EndpointRef("http://127.0.0.1:11434/v1", "openai-chat", "llama3"), "Ollama", "llama3, on this machine")


async def test_ctrl_n_opens_at_once_on_the_endpoint_of_the_session_in_front(home):
    async with running(home) as program:
        await program.type("/model big")
        await program.pilot.press("enter")
        await program.until(lambda: program.front.head.endpoint.model == "big")
        opened = await program.open()

        assert opened.head.endpoint == EndpointRef("platform", model="big")
        assert program.app.focused is program.app.main.composer


async def test_a_configured_endpoint_is_found_by_typing_and_takes_another_model(home):
    async with running(home) as program:
        await program.pilot.press("alt+n")
        await program.sees("qwen3")
        await program.pilot.press(*"local", "tab", *"gemma", "enter")
        await program.until(lambda: len(program.app.book.open) == 2)

        assert program.front.head.endpoint == EndpointRef("local", model="gemma")


async def test_the_name_that_was_typed_comes_before_names_that_only_hold_it(home, monkeypatch):
    monkeypatch.setitem(ENDPOINTS, "form", EndpointSettings(protocol="a2a", url="http://127.0.0.1:9"))
    async with running(home) as program:
        await program.pilot.press("alt+n")
        await program.sees("qwen3")
        await program.pilot.press(*"form", "enter")
        await program.until(lambda: len(program.app.book.open) == 2)

        assert program.front.head.endpoint == EndpointRef("form")


async def test_what_was_found_on_this_machine_is_offered(home):
    async with running(home, offers=lambda: [OFFER]) as program:
        await program.pilot.press("alt+n")
        await program.sees("llama3, on this machine")
        await program.pilot.press("down", "down", "enter")
        await program.until(lambda: len(program.app.book.open) == 2)

        assert program.front.head.endpoint == OFFER[0]


async def test_a_url_is_taken_with_a_protocol(home):
    async with running(home) as program:
        await program.pilot.press("alt+n")
        await program.sees("New session")
        await program.pilot.press(*"http://127.0.0.1:9/v1")
        await program.sees("as openai-chat")
        await program.pilot.press("enter")
        await program.until(lambda: len(program.app.book.open) == 2)

        assert program.front.head.endpoint == EndpointRef("http://127.0.0.1:9/v1", protocol="openai-chat")


async def test_a_search_without_result_says_what_was_searched(home):
    async with running(home) as program:
        await program.pilot.press("alt+n")
        await program.sees("qwen3")
        await program.pilot.press(*"nowhere")
        await program.sees("No endpoint is called “nowhere”.")
        await program.pilot.press("enter", "escape")
        await program.sees("Enter send")
        assert len(program.app.book.open) == 1


async def test_a_search_for_endpoints_that_fails_leaves_the_configured_ones(home):
    def fail():
        raise OSError("no network")

    async with running(home, offers=fail) as program:
        await program.pilot.press("alt+n")
        await program.sees("qwen3")
        await program.until(lambda: "Looking for agents" not in program.text)


async def test_what_is_known_of_an_endpoint_without_settings_comes_from_the_search(home):
    async with running(
        home, offers=lambda: [OFFER, (EndpointRef("built-in"), "Built-in agent", "not a model")]
    ) as program:
        program.app._sessions.open_on(EndpointRef("built-in"))
        await program.until(lambda: program.front.head.endpoint.name == "built-in")
        await program.pilot.press("alt+n")
        await program.sees("built-in  not a model")


async def test_an_endpoint_whose_certificate_is_not_checked_is_marked_on_every_tab_of_it(home, monkeypatch):
    careless = EndpointSettings(protocol="a2a", url="https://agents.example.com", verify=False)
    monkeypatch.setitem(ENDPOINTS, "platform", careless)
    async with running(home) as program:
        await program.sees("○ ! New session")
        assert "platform · certificate not checked" in program.text.splitlines()[-1]
        strip = program.app.screen.query_one(TabStrip).render_line(0)
        [mark] = [segment for segment in strip if segment.text == "! "]
        assert mark.style.color.name == program.app.theme_variables["error"].lower(), "red in every theme"

        program.app._sessions.open_on(EndpointRef("local"))
        await program.until(lambda: program.front.head.endpoint.name == "local")
        await program.pilot.pause()
        assert program.text.splitlines()[0].count("!") == 1
        assert "certificate" not in program.text.splitlines()[-1]


async def test_a_sentence_that_was_said_does_not_hide_a_dialog(home):
    async with running(home, notices=["Nothing is configured yet."]) as program:
        await program.sees("Nothing is configured yet.")
        await program.pilot.press("alt+n")
        await program.sees("New session")
        await program.until(lambda: "Nothing is configured yet." not in program.text)


async def test_what_is_to_be_known_of_an_endpoint_stands_on_the_page_of_its_new_sessions(home):
    note = "Nothing is configured yet, so this is not a model. Your own endpoints go into /somewhere/config.toml"
    lesson = Lesson(("Try this",), note)
    async with running(
        home, size=(80, 24), lesson=lambda of: lesson if of.name == "platform" else DEFAULT_LESSON
    ) as program:
        await program.sees("A new session with platform")
        await program.sees("Nothing is configured yet")
        for line in ("Try", "Keys", "all keys"):
            assert line in program.text, "nothing is covered"
        program.app._sessions.open_on(EndpointRef("local"))
        await program.sees("A new session with local")
        assert "Nothing is configured yet" not in program.text
