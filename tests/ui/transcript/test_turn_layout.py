"""What a turn looks like: who speaks, its parts, what runs in it and how it ended."""

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, PartAdded, TextAppended, TurnRemoved
from chatforge_tui.domain.form import Form, FormField
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    PlanPart,
    QuestionKind,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.search import FoundIn, SearchHit
from chatforge_tui.domain.turn import Prompt, TurnProblem, TurnState, Usage
from chatforge_tui.ui.transcript.extract import text_between
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.search import Query, Search
from chatforge_tui.ui.transcript.turn_layout import QUIET_S
from chatforge_tui.ui.transcript.viewport import settle
from tests.ui.transcript.turns import NOW, SESSION, began, changed, ended, model_of, text_of, turn, waiting


def test_a_turn_shows_who_speaks_what_was_said_and_how_long_it_took():
    whole = turn(0, "The *answer*")
    whole = replace(whole, head=replace(whole.head, first_output=NOW - 10, usage=Usage(output_tokens=840)))
    lines = text_of(model_of(whole))
    assert lines[0].startswith("You")
    assert lines[1:3] == ["question 0", ""]
    assert lines[3].startswith("agent")
    assert lines[3].endswith("0:41 · 84 t/s")
    assert lines[4:] == ["The answer"]


def test_parts_are_drawn_in_their_order_with_one_line_parts_close_together():
    model = model_of(
        turn(
            0,
            "",
            ReasoningPart(0, "hm", 6.2),
            ToolPart(1, "c", "argocd.diff", ToolState.DONE, '{"a": 1}', "same", 0.8),
            TextPart(2, "Found it."),
            NoticePart(3, NoticeLevel.STATUS, "looking"),
            FilePart(4, "a.txt", "text/plain", data=b"12345"),
        )
    )
    assert text_of(model)[4:] == [
        "▸ Reasoning  6.2 s",
        "▸ argocd.diff  0.8 s",
        "",
        "Found it.",
        "",
        "· looking",
        "File a.txt  text/plain · 5 bytes",
    ]


def test_unfolding_shows_what_a_tool_took_and_gave():
    model = model_of(turn(0, "", ToolPart(0, "c", "t", ToolState.DONE, '{"a":[1]}', "one\ntwo", 1.0)))
    assert model.fold_all() is False
    assert text_of(model)[4:] == [
        "▾ t  1.0 s", "│ takes", "│ {", '│   "a": [', "│     1", "│   ]", "│ }", "│ gives", "│ one", "│ two",
    ]  # fmt: skip
    assert model.fold_all() is True
    assert text_of(model)[4:] == ["▸ t  1.0 s"]


def test_a_fold_of_one_part_is_its_own_and_survives_a_reload():
    turns = [turn(0, "", ReasoningPart(0, "first", 1.0), ReasoningPart(1, "second", 1.0))]
    model = model_of(*turns)
    assert model.toggle_fold(0, 1)
    expected = ["▸ Reasoning  1.0 s", "", "▾ Reasoning  1.0 s", "│ second"]
    assert text_of(model)[4:] == expected
    model.load(turns)
    assert text_of(model)[4:] == expected
    assert not model.toggle_fold(0, 7)


def test_a_plan_shows_its_steps_and_begins_folded_when_a_dock_shows_it():
    steps = (PlanStep("Find", StepStatus.COMPLETED, "github"), PlanStep("Apply", StepStatus.IN_PROGRESS))
    model = model_of(turn(0, "", PlanPart(0, Plan(steps))))
    assert text_of(model)[4:] == ["▾ Plan  1 of 2", "  ✓ Find  github", "  ● Apply"]
    model.plans_folded = True
    assert text_of(model)[4:] == ["▸ Plan  1 of 2"]


def test_text_that_became_a_plan_is_not_shown_twice():
    model = model_of(turn(0, "", TextPart(0, "⟦1. Find⟧", is_plan_source=True), TextPart(1, "Then.")))
    assert text_of(model)[4:] == ["Then."]


def test_separate_texts_stand_below_each_other_are_copied_so_and_found_each_for_itself():
    parts = (TextPart(0, "The end"), TextPart(1, "Start and restart", is_separate=True))
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, *map(PartAdded, parts)))
    assert text_of(model)[4:7] == ["The end", "", "Start and restart▌"]
    assert model.answer(0) == "The end\n\nStart and restart"
    whole = turn(0, "", *parts)
    model.apply(ended(whole))
    assert model.answer(0) == whole.readable_answer == "The end\n\nStart and restart"
    search = Search(Query("start"), model)
    for number, offset in enumerate((len("The end\n\n"), len("The end\n\nStart and re"))):
        hit = SearchHit(SESSION, "", FoundIn.ANSWER, "", 0, 0, 0.0, whole.head.turn_id, offset)
        assert search.number_of(hit, 0, model) == number


def test_a_question_is_marked_and_names_its_fields():
    form = Form((FormField("env", "Environment", required=True), FormField("note")))
    model = model_of(turn(0, "", QuestionPart(0, QuestionKind.INPUT, "Which **one**?", form), state=TurnState.WAITING))
    assert text_of(model)[4:] == [
        "◆ The agent asks", "Which one?", "Environment · note", "", "◆ Waiting for your answer.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (TurnState.FAILED, ["✕ It broke.", "  /retry tries again."]),
        (TurnState.INTERRUPTED, ["↯ It broke.", "  /retry tries again."]),
        (TurnState.ABORTED, ["× It broke.", "  /retry tries again."]),
    ],
)
def test_a_turn_that_ended_badly_says_what_happened_and_what_to_do(state, expected):
    model = model_of(turn(0, "so far", state=state, problem=TurnProblem("k", "It broke.", "/retry tries again.")))
    assert text_of(model)[4:] == ["so far", "", *expected]


def test_what_went_wrong_hangs_behind_its_mark_when_it_takes_several_lines():
    problem = TurnProblem("k", "broken " * 30, "again " * 30)
    model = model_of(turn(0, "so far", state=TurnState.FAILED, problem=problem))
    first, *others = text_of(model)[6:]
    assert first.startswith("✕ broken")
    assert len(others) >= 3
    assert all(line.startswith(("  broken", "  again")) for line in others)


def test_an_answer_cut_off_by_the_limit_says_so():
    assert "limit of tokens" in text_of(model_of(turn(0, "half", finish_reason="length")))[-1]


def test_control_characters_from_anyone_are_made_visible():
    evil = "\x1b]52;c;x\x07"
    model = model_of(
        turn(
            0,
            "",
            TextPart(0, evil),
            ToolPart(1, "c", evil, ToolState.DONE, evil, evil),
            NoticePart(2, NoticeLevel.WARNING, evil),
            FilePart(3, evil, evil, evil),
            QuestionPart(4, QuestionKind.AUTH, evil, Form((FormField(evil),))),
            ReasoningPart(5, evil, 1.0),
            PlanPart(6, Plan((PlanStep(evil, agent=evil),))),
            prompt=evil,
            state=TurnState.FAILED,
            problem=TurnProblem("k", evil, evil),
        )
    )
    model.agent = evil
    model.fold_all()
    text = "".join(text_of(model))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.count("␛") >= 12


def test_a_question_waits_for_an_answer_until_the_session_goes_on():
    said = f"{model_of().marks.waiting} Waiting for your answer."
    model = model_of(turn(0, "Which one?", state=TurnState.WAITING), waiting(9))
    assert said in text_of(model)
    model.apply(began(1))
    assert said not in text_of(model)
    model.apply(TurnRemoved(began(1).turn.head.session_id, began(1).turn.head.turn_id))
    assert said in text_of(model)
    assert said not in text_of(model_of(turn(0, "Which one?", state=TurnState.WAITING), turn(1, "That one.")))


def test_a_live_turn_says_what_it_waits_for_and_shows_a_cursor_where_it_writes():
    model = model_of()
    model.apply(began(0))
    assert text_of(model)[-1].endswith("Waiting for the first words")
    head = turn(0, state=TurnState.CONNECTING).head
    model.apply(changed(0, HeadChanged(replace(head, retry_at=NOW + 3))))
    assert text_of(model)[-1].endswith("Trying again in 3 s")
    busy = TurnProblem("rate-limited", "It takes no more\nrequests\x1b[2J (429)")
    model.apply(changed(0, HeadChanged(replace(head, retry_at=NOW + 3, problem=busy))))
    assert "Trying again in 3 s: It takes no more" in text_of(model)[-1]
    assert "\x1b" not in text_of(model)[-1]
    model.apply(changed(0, HeadChanged(replace(head, state=TurnState.STREAMING)), PartAdded(TextPart(0, "Hel"))))
    assert text_of(model)[-1] == "Hel▌"
    model.apply(ended(turn(0, "Hello")))
    assert text_of(model)[-1] == "Hello"


def test_a_part_that_runs_counts_its_seconds():
    moment = [NOW]
    model = TranscriptModel(clock=lambda: moment[0])
    model.apply(began(0))
    model.apply(changed(0, PartAdded(ReasoningPart(0, "x")), PartAdded(ToolPart(1, "c", "tool"))))
    assert [line.split("  ", 1)[1] for line in text_of(model)[-2:]] == ["0 s", "⠋ 0 s"]
    moment[0] += 3
    assert [line.split("  ", 1)[1] for line in text_of(model)[-2:]] == ["3 s", "⠋ 3 s"]


def test_an_answer_that_stands_still_says_so_until_something_comes():
    now = NOW
    model = TranscriptModel(clock=lambda: now)
    model.fit(Page(60), model.marks)
    live = turn(0, state=TurnState.STREAMING)
    model.load([live])
    model.apply(changed(0, PartAdded(TextPart(0, "So far"))))
    assert text_of(model)[-1] == "So far▌"
    now += QUIET_S - 1
    model.begin_frame()
    assert text_of(model)[-1] == "So far▌"
    assert model.quiet_s(now) == 0
    now += 4
    model.begin_frame()
    assert text_of(model)[-3:] == ["So far▌", "", "Nothing new for 23 s"]
    assert model.quiet_s(now) == 23

    whole = replace(live, parts=(TextPart(0, "So far"),))
    model.leave()
    model.load([whole])
    model.enter()
    assert model.quiet_s(now) == 23, "read again, and nothing had come"
    model.load([replace(live, parts=(TextPart(0, "So far so good"),))])
    assert model.quiet_s(now) == 0
    assert text_of(model)[-1] == "So far so good▌"

    now += 30
    model.apply(changed(0, TextAppended(0, " and on")))
    assert text_of(model)[-1] == "So far so good and on▌"
    now += 30
    model.apply(ended(replace(whole, head=replace(whole.head, state=TurnState.COMPLETE))))
    assert "Nothing new" not in "\n".join(text_of(model))


@pytest.mark.parametrize("text", ["word " * 40_000, "x" * 200_000, "a row\n" * 40_000], ids=["line", "word", "rows"])
def test_a_long_prompt_is_laid_out_where_it_is_looked_at(text):
    whole = turn(0, "Answer.")
    model = model_of(replace(whole, head=replace(whole.head, prompt=Prompt(text))))
    settle(model, 30)
    pieces = model.prepared(0).flow
    assert sum(len(piece.source) for piece in pieces if piece.lines is not None) < 20_000
    assert sum(len(piece.source) + 1 for piece in pieces) >= len(text)
    assert text_between(model, Place(0), 0, Place(model.turns, 0, 0), -1).count(text.strip()) == 1
