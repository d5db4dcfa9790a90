"""A question from an agent is a form in the pane and a mark on the tab."""

from textual.widgets import Checkbox, Input, Select, TextArea

from chatforge_tui.domain.events import Accepted, Finished, TextDelta, WaitingForUser
from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.widgets.form_panel import FormPanel
from tests.ui.program import Program, running

FORM = Form(
    (
        FormField("name", "Name", "How to call it", required=True, maximum=10),
        FormField("size", "Size", kind=FieldKind.SELECT, options=("small", "large"), required=True),
        FormField("count", "Count", kind=FieldKind.NUMBER, minimum=1, maximum=5),
        FormField("mail", "Mail", kind=FieldKind.EMAIL),
        FormField("notes", "Notes", kind=FieldKind.TEXTAREA, default="as ever"),
        FormField("pw", "Secret", kind=FieldKind.PASSWORD),
        FormField("sure", "Tell me", kind=FieldKind.BOOLEAN, default="true"),
    ),
    title="Make a repository",
    description="A few facts are missing.",
)


async def asked(program: Program, form: Form | None = FORM) -> Pane:
    pane = await program.send("make one")
    await program.say(await program.wire(pane), Accepted("fake"), WaitingForUser(QuestionKind.INPUT, "Which?", form))
    await program.until(lambda: pane.question is not None)
    await program.pilot.pause()
    return pane


def panel(program: Program) -> FormPanel:
    form = program.app.main.form
    assert form is not None
    return form


async def test_a_form_appears_without_taking_the_cursor_and_the_tab_says_so(home):
    async with running(home, size=(120, 50)) as program:
        await asked(program)
        await program.sees("Make a repository")
        await program.sees("◆ make one")

        assert program.app.focused is program.app.main.composer
        for label in ("Name", "Size", "Count", "Mail", "Notes", "Secret", "Tell me"):
            assert label in program.text


async def test_every_kind_of_field_is_answered_and_sent_as_one_prompt(home):
    async with running(home, size=(120, 50)) as program:
        pane = await asked(program)
        form = panel(program)
        entries = list(form.query(Input))
        entries[0].value, entries[1].value = "shop", "3"
        entries[2].value, entries[3].value = "ada@example.com", "s3cret"
        form.query_one(Select).value = "large"
        form.query_one(TextArea).text = "two\nlines"
        form.query_one(Checkbox).value = False
        await program.pilot.click("#form-send")
        await program.until(lambda: len(pane.prompts) == 2)

        prompt = (await program.wire(pane)).request.prompt
        assert prompt.form == {
            "name": "shop",
            "size": "large",
            "count": 3.0,
            "mail": "ada@example.com",
            "notes": "two\nlines",
            "pw": "s3cret",
            "sure": False,
        }
        assert "s3cret" not in prompt.text
        assert prompt.text.startswith("name: shop\nsize: large\ncount: 3\n")
        await program.until(lambda: program.app.main.form is None)
        await program.until(lambda: program.app.focused is program.app.main.composer)


async def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_sent(home):
    async with running(home, size=(120, 60)) as program:
        pane = await asked(program)
        form = panel(program)
        entries = list(form.query(Input))
        entries[0].value, entries[1].value, entries[2].value = "much too long a name", "9", "nobody"
        await program.pilot.click("#form-send")
        await program.sees("At most 10 characters.")
        await program.sees("This is needed.")
        await program.sees("At most 5.")
        await program.sees("not an e-mail address")

        assert len(pane.prompts) == 1
        assert program.app.focused is entries[0]


async def test_leaving_a_form_loses_nothing_neither_by_esc_nor_by_another_tab(home):
    async with running(home, size=(120, 50)) as program:
        pane = await asked(program)
        await program.pilot.press("tab", *"shop")
        await program.pilot.press("escape")
        assert program.app.focused is program.app.main.composer
        await program.open()
        await program.until(lambda: program.app.main.form is None)
        await program.show(pane.session_id)
        await program.until(lambda: program.app.main.form is not None and program.app.main.form.query(Input))

        assert panel(program).query(Input).first().value == "shop"


async def test_a_form_can_be_answered_in_words(home):
    async with running(home) as program:
        pane = await asked(program)
        await program.sees("Enter send the answer")
        await program.send("just call it shop")

        assert (await program.wire(pane)).request.prompt.text == "just call it shop"
        await program.until(lambda: program.app.main.form is None)


async def test_a_question_without_fields_is_answered_by_the_next_prompt(home):
    async with running(home) as program:
        pane = await asked(program, None)
        assert program.app.main.form is None
        await program.sees("Answer")
        await program.send("that one")
        wire = await program.wire(pane)
        await program.say(wire, Accepted("fake"), TextDelta("thanks"), Finished())
        await program.until(lambda: pane.state is TurnState.COMPLETE)


async def test_hostile_words_in_a_form_are_shown_and_not_obeyed(home):
    evil = "\x1b]52;c;eA==\x07[red]x[/nope]"
    form = Form(
        (
            FormField("a", evil, evil, placeholder=evil, default=evil),
            FormField("b", evil, kind=FieldKind.SELECT, options=(evil, "fine")),
            FormField("c", evil, kind=FieldKind.BOOLEAN),
            FormField("d", evil, evil, kind=FieldKind.TEXTAREA, default=evil),
        ),
        title=evil,
        description=evil,
    )
    async with running(home, size=(120, 60)) as program:
        await asked(program, form)
        await program.sees("[red]x[/nope]")

        assert "\x1b" not in program.text
        assert "\x07" not in program.text


async def test_yes_and_no_differ_by_more_than_their_colour(home):
    async with running(home, size=(120, 50)) as program:
        await asked(program)
        await program.sees("[x] Tell me")
        panel(program).query_one(Checkbox).toggle()
        await program.sees("[ ] Tell me")


async def test_the_transcript_does_not_list_again_what_the_form_asks(home):
    async with running(home, size=(120, 50)) as program:
        await asked(program)
        await program.sees("Name · Size · Count")
        assert sum(line.strip().startswith("Size") for line in program.text.splitlines()) == 1
