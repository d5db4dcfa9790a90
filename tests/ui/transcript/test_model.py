"""The model: what it makes of turns and changes, folds, heights, places."""

import random
import tracemalloc

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import (
    HeadChanged,
    PartAdded,
    PartDropped,
    PartReplaced,
    TextAppended,
    TurnBegan,
    TurnRemoved,
)
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
from chatforge_tui.domain.turn import FIRST_UNSENT, Prompt, TurnProblem, TurnState, Usage
from chatforge_tui.ui.transcript.extract import text_between
from chatforge_tui.ui.transcript.layouts import KEPT_CHARACTERS, KEPT_LAYOUTS
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.search import Query, Search
from chatforge_tui.ui.transcript.turn_layout import QUIET_S
from chatforge_tui.ui.transcript.viewport import line_number, move, place_at, settle
from tests.ui.transcript.turns import NOW, SESSION, all_lines, began, changed, ended, model_of, text_of, turn, waiting

LONG = "A paragraph of some words that is wrapped at sixty columns, so it takes more than a line.\n\n" * 12


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


def test_streamed_and_loaded_look_the_same():
    whole = turn(0, "", ReasoningPart(0, "hm *yes*", 2.0), TextPart(1, LONG), ToolPart(2, "c", "t", ToolState.DONE))
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(ReasoningPart(0, ""))))
    for text in ("hm ", "*yes*"):
        model.apply(changed(0, TextAppended(0, text)))
        all_lines(model)
    model.apply(changed(0, PartReplaced(ReasoningPart(0, "hm *yes*", 2.0)), PartAdded(TextPart(1, ""))))
    for begin in range(0, len(LONG), 17):
        model.apply(changed(0, TextAppended(1, LONG[begin : begin + 17])))
        all_lines(model)
    model.apply(changed(0, PartAdded(ToolPart(2, "c", "t"))))
    all_lines(model)
    model.apply(ended(whole))
    assert all_lines(model) == all_lines(model_of(whole))


def test_laid_out_blocks_survive_the_end_of_the_turn():
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, LONG))))
    before = all_lines(model)
    model.apply(ended(turn(0, LONG)))
    after = all_lines(model)
    assert sum(any(line is other for other in before) for line in after) > len(after) // 2


def test_a_final_answer_that_replaces_the_streamed_one_is_what_is_shown():
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, "draft")), PartAdded(NoticePart(1, NoticeLevel.INFO, "gone"))))
    all_lines(model)
    model.apply(changed(0, PartReplaced(TextPart(0, "the real answer")), PartDropped(1)))
    assert text_of(model)[4].startswith("the real answer")
    model.apply(ended(turn(0, "another")))
    assert text_of(model)[4:] == ["another"]


@pytest.mark.parametrize("seed", range(8))
def test_texts_that_grow_side_by_side_are_laid_out_as_the_whole(seed):
    chance = random.Random(seed)
    model, texts = model_of(turn(0, "before")), [""]
    model.apply(began(1))
    model.apply(changed(1, PartAdded(TextPart(0, ""))))
    for _ in range(150):
        if len(texts) < 4 and not chance.randrange(20):
            texts.append("begins ")
            model.apply(changed(1, PartAdded(TextPart(len(texts) - 1, "begins "))))
        part, piece = chance.randrange(len(texts)), chance.choice(PIECES)
        texts[part] += piece
        model.apply(changed(1, TextAppended(part, piece)))
        if chance.randrange(3):
            settle(model, chance.choice((5, 20, 60)))
    model.apply(changed(1, PartAdded(ToolPart(len(texts), "c", "t", ToolState.DONE))))
    whole = turn(1, "", *(TextPart(*each) for each in enumerate(texts)), ToolPart(len(texts), "c", "t", ToolState.DONE))
    assert model.answer(1) == whole.answer
    lines = text_of(model)
    for text in texts:
        assert not (words := text.split()) or any(words[-1].strip("*`#[]") in line for line in lines[-400:])
    model.apply(ended(whole))
    assert text_of(model) == text_of(model_of(turn(0, "before"), whole))


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


def test_changes_of_an_unknown_turn_change_nothing():
    model = model_of(turn(0, "a"))
    version = model.version
    model.apply(changed(9, TextAppended(0, "late")))
    assert model.version == version
    assert text_of(model)[-1] == "a"


def test_a_part_that_runs_counts_its_seconds():
    moment = [NOW]
    model = TranscriptModel(clock=lambda: moment[0])
    model.apply(began(0))
    model.apply(changed(0, PartAdded(ReasoningPart(0, "x")), PartAdded(ToolPart(1, "c", "tool"))))
    assert [line.split("  ", 1)[1] for line in text_of(model)[-2:]] == ["0 s", "⠋ 0 s"]
    moment[0] += 3
    assert [line.split("  ", 1)[1] for line in text_of(model)[-2:]] == ["3 s", "⠋ 3 s"]


def test_heights_add_up_to_what_is_laid_out():
    model = model_of(*(turn(number, LONG) for number in range(8)))
    lines = all_lines(model)
    assert model.height == len(lines)
    assert [model.top_of(at) for at in range(3)] == [0, *(model.top_of(at) for at in (1, 2))]
    for number in (0, 1, 57, len(lines) - 1):
        assert line_number(model, place_at(model, number)) == number


def test_walking_line_by_line_meets_every_line_once_in_both_directions():
    model = model_of(*(turn(number, LONG) for number in range(3)))
    count = len(all_lines(model))
    place, down = Place(), [Place()]
    while (below := move(model, place, 1)) != place:
        place = below
        down.append(place)
    assert len(down) == count == len(set(down))
    up = [place]
    while (above := move(model, up[-1], -1)) != up[-1]:
        up.append(above)
    assert up == down[::-1]
    assert move(model, Place(), 37) == down[37]
    assert move(model, down[37], -37) == down[0]


def test_nothing_far_from_the_view_is_laid_out():
    model = model_of(*(turn(number, LONG) for number in range(1000)))
    settle(model, 40)
    laid_out = [at for at in range(1000) if model.known_layout(at) is not None]
    assert laid_out
    assert min(laid_out) > 990


def test_what_is_in_view_stays_while_heights_above_turn_out_other_than_estimated():
    model = model_of(*(turn(number, LONG * (number % 3 + 1) + "```\n" + "x\n" * 30 + "```") for number in range(40)))
    model.follows = False
    model.top = place_at(model, 900)
    before = [row.line.text for row in settle(model, 20).rows]
    for at in range(40):
        layout = model.prepared(at)
        for piece in range(len(layout.flow)):
            layout.lay_out(piece, model.page)
        model.set_height(at, layout.height)
    window = settle(model, 20)
    assert [row.line.text for row in window.rows] == before
    assert window.first == line_number(model, window.rows[0].place)


def test_the_readers_place_survives_reflows_and_a_restart():
    turns = [turn(number, LONG + f"\n\nmarker{number} of this turn\n\n" + LONG) for number in range(30)]
    model = model_of(*turns)
    model.follows = False
    lines = {line.text: at for at, line in enumerate(all_lines(model))}
    model.top = place_at(model, lines["marker17 of this turn"])
    settle(model, 20)
    stored = model.anchor
    assert len(stored) < 60
    for width in (30, 97, 41, 60):
        model.fit(Page(width), model.marks)
        assert settle(model, 20).rows[0].line.text.startswith("marker17 of this turn"[: width - 10])
    restarted = TranscriptModel(clock=lambda: NOW)
    restarted.anchor = stored
    restarted.load(turns)
    restarted.fit(Page(35), restarted.marks)
    assert settle(restarted, 20).rows[0].line.text.startswith("marker17")
    assert restarted.anchor == stored


@pytest.mark.parametrize("anchor", ["", "nonsense", "turn-9/0/0/0", "turn-0/x/0/0", "////", "turn-0/44/7/9999999"])
def test_an_anchor_that_means_nothing_is_no_error(anchor):
    model = model_of(turn(0, LONG))
    model.anchor = anchor
    assert settle(model, 10).rows


def test_layouts_long_unseen_are_dropped():
    model = model_of(*(turn(number, "short") for number in range(KEPT_LAYOUTS * 3)))
    model.follows = False
    for at in range(model.turns):
        model.prepared(at)
    assert sum(model.known_layout(at) is not None for at in range(model.turns)) <= KEPT_LAYOUTS
    assert text_of(model)[-1] == "short"


def test_layouts_of_long_turns_long_unseen_are_dropped_by_their_size():
    size = KEPT_CHARACTERS // 20
    model = model_of(*(turn(number, "x" * size) for number in range(80)))
    model.follows = False
    for at in range(model.turns):
        model.prepared(at)
        known = sum(model.known_layout(at) is not None for at in range(model.turns))
        assert known <= 26, "those beside the view, however long they are, and the one just made"
    assert model.known_layout(79) is not None


def test_a_view_that_leaves_keeps_no_layout_and_the_reader_finds_the_same_lines_again():
    model = model_of(*(turn(number, LONG) for number in range(30)))
    model.follows = False
    model.top = Place(12, 6, 1)
    before = settle(model, 20)
    model.leave()
    assert not any(model.known_layout(at) for at in range(model.turns))
    model.enter()
    after = settle(model, 20)
    assert after.rows == before.rows
    assert after.first == before.first


def test_what_began_while_the_view_was_elsewhere_stands_below_a_divider():
    model = model_of(turn(0, "seen"))
    model.leave()
    model.apply(began(1))
    model.apply(ended(turn(1, "unseen")))
    model.enter()
    lines = text_of(model)
    assert [at for at, line in enumerate(lines) if " new ─" in line] == [lines.index("seen") + 2]
    model.leave()
    model.enter()
    assert not any(" new ─" in line for line in text_of(model))


def test_ten_thousand_turns_cost_little_memory_beside_their_text():
    turns = [turn(number, LONG) for number in range(2000)]
    tracemalloc.start()
    model = model_of(*turns)
    settle(model, 40)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / len(turns) < 400


def test_loading_again_keeps_what_is_laid_out_and_takes_what_is_new():
    model = model_of(turn(0, LONG), turn(1, state=TurnState.STREAMING))
    model.apply(changed(1, PartAdded(TextPart(0, LONG))))
    before = all_lines(model)
    model.load([turn(0, LONG), turn(1, LONG + "and more", state=TurnState.STREAMING), turn(2, "new")])
    after = all_lines(model)
    kept = {id(line) for line in before}
    assert sum(id(line) in kept for line in after) > len(before) * 0.8
    assert any(line.text.endswith("and more▌") for line in after)
    assert after[-1].text == "new"
    model.load([turn(5, "other")])
    assert text_of(model)[-1] == "other"
    assert text_of(model) == text_of(model_of(turn(5, "other")))


def test_an_empty_model_has_nothing_in_view():
    model = model_of()
    assert settle(model, 20).rows == []
    assert model.anchor == ""
    assert model.fold_all() is False


def test_what_waits_to_be_sent_stands_at_the_end_and_says_so():
    lines = text_of(model_of(turn(0, "yes"), waiting(7)))
    assert lines[-2:] == ["later", "↑ Waits to be sent."]


def test_a_turn_that_begins_goes_before_what_waits():
    model = model_of(turn(0, "yes"), waiting(7))
    before = text_of(model)
    model.apply(TurnBegan(turn(1, "new")))
    assert [model.turn(at).head.ordinal for at in range(3)] == [0, 1, FIRST_UNSENT + 7]
    assert text_of(model) == text_of(model_of(turn(0, "yes"), turn(1, "new"), waiting(7)))
    assert len(text_of(model)) > len(before)
    assert model.top_of(3) == model.height


def test_a_turn_that_is_taken_back_leaves_no_gap():
    for gone in range(3):
        turns = [turn(0, "a\n\nb"), turn(1, LONG), waiting(7)]
        model = model_of(*turns)
        text_of(model)
        model.apply(TurnRemoved(turns[gone].head.session_id, turns[gone].head.turn_id))
        del turns[gone]
        assert text_of(model) == text_of(model_of(*turns))
        assert model.turns == 2
        model.apply(TurnRemoved(turns[0].head.session_id, turns[0].head.turn_id))
        model.apply(TurnRemoved(turns[0].head.session_id, turns[0].head.turn_id))
        assert text_of(model) == text_of(model_of(turns[1]))


def test_a_reader_stays_at_the_line_when_turns_come_and_go_above():
    model = model_of(turn(0, "a"), waiting(7), waiting(8, LONG))
    text_of(model)
    model.follows, model.top = False, Place(2, 1, 0)
    model.apply(TurnBegan(turn(1, "new")))
    assert model.top == Place(3, 1, 0)
    model.apply(TurnRemoved(model.turn(1).head.session_id, model.turn(1).head.turn_id))
    assert model.top == Place(2, 1, 0)


def test_the_cursor_stays_in_its_turn_when_turns_come_and_go_above():
    model = model_of(turn(0, "a"), waiting(7), waiting(8, LONG))
    text_of(model)
    model.cursor = Place(2, 1, 0)
    model.apply(TurnBegan(turn(1, "new")))
    assert model.cursor == Place(3, 1, 0)
    model.apply(TurnRemoved(model.turn(1).head.session_id, model.turn(1).head.turn_id))
    assert model.cursor == Place(2, 1, 0)


def test_a_live_turn_before_what_waits_counts_its_seconds():
    live = turn(1, "")
    live = replace(live, head=replace(live.head, state=TurnState.STREAMING, ended=None))
    assert model_of(turn(0, "a"), live, waiting(7)).is_live
    assert not model_of(turn(0, "a"), waiting(7)).is_live


PIECES = (
    "word ",
    "**bold** ",
    "\n\n",
    "- item\n",
    "`code` ",
    "\n# head\n",
    "```\nx = 1\n",
    "```\n",
    "long " * 30,
    "[a]",
    "\n",
)


def something_else(chance: random.Random, model: TranscriptModel, part: int) -> int:
    """Do what is not more text for a part of turn 2; return the index of the part that grows from here on."""
    match chance.randrange(6):
        case 0:
            model.fit(Page(chance.choice((30, 60, 90))), model.marks)
        case 1:
            model.apply(changed(2, PartAdded(TextPart(part + 1, ""))))
            return part + 1
        case 2:
            thought = ReasoningPart(part + 1, "thought\n" * 9)
            model.apply(changed(2, PartAdded(thought), PartAdded(TextPart(part + 2, ""))))
            model.toggle_fold(model.turns - 1, part + 1)
            return part + 2
        case 3:
            model.fold_all()
        case 4:
            model.frame += 1
        case _:
            model.prepend([turn(-chance.randrange(10**6), "earlier")])
    return part


@pytest.mark.parametrize("seed", range(6))
def test_the_rows_that_are_kept_while_text_grows_are_those_that_would_be_collected_anew(seed):
    chance = random.Random(seed)
    model = model_of(turn(0, LONG), turn(1, "short"))
    model.apply(began(2))
    model.apply(changed(2, PartAdded(TextPart(0, ""))))
    part = 0
    for _ in range(250):
        part = something_else(chance, model, part) if not chance.randrange(8) else part
        model.apply(changed(2, TextAppended(part, chance.choice(PIECES))))
        height = chance.choice((20, 20, 20, 5, 60))
        rows = settle(model, height).rows
        for at in range(model.turns):
            if (layout := model.known_layout(at)) is not None:
                layout._kept = None
                for piece in layout.flow:
                    piece.rows = None
        assert rows == settle(model, height).rows


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
