"""What every SessionStore does: the one on disk and the one in memory."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chatforge_tui.domain.attachment import AttachedContent
from chatforge_tui.domain.changes import (
    HeadChanged,
    PartAdded,
    PartDropped,
    PartReplaced,
    PlanRecorded,
    TextAppended,
)
from chatforge_tui.domain.digest import attachment
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import ContextId, TaskId, new_request_id
from chatforge_tui.domain.merged import Merged
from chatforge_tui.domain.part import NoticeLevel, NoticePart, PlanPart, ReasoningPart, TextPart, ToolPart, ToolState
from chatforge_tui.domain.search import FoundIn
from chatforge_tui.domain.session import EndpointRef, SessionPatch
from chatforge_tui.domain.turn import Prompt, Turn, TurnState, Usage, unsent_ordinal
from chatforge_tui.errors import ContentLost, SessionBusy, UnknownSession
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import (
    CONTENTS,
    ODD_TEXT,
    a_full_session,
    a_full_turn,
    a_plan,
    a_session,
    a_turn,
    counted,
    ended,
    files,
    unknown_session,
    unknown_turn,
)
from tests.store.waiting import restart


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "data" / "store.db")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def two_programs(tmp_path):
    """Two stores that share what they keep, as two running programs do."""
    both = [SqliteStore(tmp_path / "data" / "store.db") for _ in range(2)]
    for store in both:
        await store.open()
    yield both
    for store in both:
        await store.close()


async def with_live_turn(store):
    session = a_session()
    await store.create_session(session)
    head = a_turn(session)
    await store.begin_turn(head, counted(session, 1, TurnState.QUEUED))
    return session, head


async def test_a_new_store_is_empty(store):
    assert await store.load_sessions() == []
    assert await store.load_sessions(trashed=True) == []


async def test_a_session_comes_back_whole_field_by_field(store):
    session = a_full_session()
    await store.create_session(session)
    await restart(store)
    assert await store.load_sessions() == [session]


async def test_open_sessions_come_by_position_then_closed_ones_newest_first(store):
    heads = [
        a_session(title="second", position=1),
        a_session(title="older", is_open=False, updated=5.0),
        a_session(title="first", position=0),
        a_session(title="newer", is_open=False, updated=9.0, position=0),
        a_session(title="third", position=2, updated=1.0),
    ]
    for head in heads:
        await store.create_session(head)
    assert [head.title for head in await store.load_sessions()] == ["first", "second", "third", "newer", "older"]


async def test_a_patch_changes_its_fields_and_no_others(store):
    session = a_full_session()
    await store.create_session(session)
    store.update_session(session.session_id, SessionPatch(draft="", unread=False), 1_800_000_000.0)
    expected = replace(session, draft="", unread=False, updated=1_800_000_000.0)
    assert await store.load_sessions() == [expected]


async def test_every_field_of_a_patch_is_kept(store):
    session = a_session()
    await store.create_session(session)
    patch = SessionPatch(
        title="Named",
        title_is_manual=True,
        position=4,
        is_open=False,
        is_active=True,
        draft=ODD_TEXT,
        anchor="turn:1:0",
        unread=True,
        endpoint=EndpointRef("other", "openai-chat", "small", "KEY"),
        context_id=ContextId("context-9"),
    )
    store.update_session(session.session_id, patch, 7.0)
    await restart(store)
    assert await store.load_sessions() == [replace(patch.apply_to(session), updated=7.0)]


@pytest.mark.parametrize("taken", [SessionPatch(context_id=ContextId("")), SessionPatch(waiting_task=TaskId(""))])
async def test_what_a_patch_takes_back_is_none_also_after_a_restart(store, taken):
    session = a_session(context_id=ContextId("c"), waiting_task=TaskId("t"))
    await store.create_session(session)
    store.update_session(session.session_id, taken, 7.0)
    expected = replace(taken.apply_to(session), updated=7.0)
    assert None in (expected.context_id, expected.waiting_task)
    assert await store.load_sessions() == [expected]
    await restart(store)
    assert await store.load_sessions() == [expected]


async def test_the_later_of_two_patches_wins(store):
    session = a_session()
    await store.create_session(session)
    for number in range(5):
        store.update_session(session.session_id, SessionPatch(draft=f"draft {number}"), float(number))
    store.update_session(session.session_id, SessionPatch(title="Named"), 5.0)
    await store.flush()
    assert await store.load_sessions() == [replace(session, draft="draft 4", title="Named", updated=5.0)]


async def test_the_session_made_active_last_is_the_active_one(store):
    one, two = a_session(position=0), a_session(position=1)
    await store.create_session(one)
    await store.create_session(two)
    for active, idle in ((one, two), (two, one), (one, two)):
        store.update_session(active.session_id, SessionPatch(is_active=True), 1.0)
        store.update_session(idle.session_id, SessionPatch(is_active=False), 1.0)
    assert [head.is_active for head in await store.load_sessions()] == [True, False]


async def test_a_patch_of_an_unknown_session_makes_none(store):
    store.update_session(unknown_session(), SessionPatch(title="ghost"), 1.0)
    await store.flush()
    assert await store.load_sessions() == []


async def test_a_begun_turn_is_there_with_its_prompt_and_its_session(store):
    session = replace(a_session(), title="")
    await store.create_session(session)
    head = a_turn(session, text=ODD_TEXT)
    titled = counted(replace(session, title="Auto title", updated=session.updated + 9.0), 1, TurnState.QUEUED)
    await store.begin_turn(head, titled)
    assert await store.load_turns(session.session_id) == [Turn(head)]
    assert await store.load_sessions() == [titled]


@pytest.mark.parametrize("title", ["Named", ""])
async def test_a_turn_writes_of_its_session_what_it_changes_and_nothing_else(store, title):
    session = replace(a_session(), title="")
    await store.create_session(session)
    patch = SessionPatch(
        title=title, title_is_manual=True, draft="Then", anchor="turn:1", endpoint=EndpointRef("other")
    )
    store.update_session(session.session_id, patch, session.updated + 5.0)
    [known] = await store.load_sessions()
    head = a_turn(session)
    await store.begin_turn(head, replace(session, title="Auto title"))
    assert await store.load_sessions() == [counted(known, 1, TurnState.QUEUED)]
    read_on = replace(session, title="Auto title", waiting_task=TaskId("t"), unread=True)
    await store.end_turn(ended(head), read_on)
    after = replace(known, waiting_task=TaskId("t"), unread=True)
    assert await store.load_sessions() == [counted(after, 1, TurnState.COMPLETE)]


async def test_a_session_whose_prompt_waited_gets_its_title_with_the_end(store):
    session = replace(a_session(), title="")
    await store.create_session(session)
    head = an_unsent_turn(session)
    await store.begin_turn(head, replace(session, turns=1, unsent=1))
    live = replace(head, state=TurnState.QUEUED, ordinal=0)
    await store.adopt_turn(live, was=TurnState.UNSENT)
    await store.end_turn(ended(live), replace(session, title="Auto title"))
    assert [known.title for known in await store.load_sessions()] == ["Auto title"]


async def test_a_turn_cannot_begin_in_a_session_that_is_not_there(store):
    session = a_session()
    with pytest.raises(UnknownSession):
        await store.begin_turn(a_turn(session), session)
    assert await store.load_sessions() == []
    assert await store.load_turns(session.session_id) == []


async def test_a_turn_cannot_begin_in_the_trash(store):
    session = a_session()
    await store.create_session(session)
    await store.trash_session(session.session_id, 5.0)
    with pytest.raises(UnknownSession):
        await store.begin_turn(a_turn(session), session)
    assert await store.load_turns(session.session_id) == []


async def test_turns_come_in_the_order_of_their_ordinals(store):
    session = a_session()
    await store.create_session(session)
    for count, ordinal in enumerate((5, 0, 11, 2), 1):
        head = a_turn(session, ordinal)
        await store.begin_turn(head, counted(session, count, TurnState.QUEUED))
        await store.end_turn(ended(head, f"answer {ordinal}"), counted(session, count, TurnState.COMPLETE))
    assert [turn.head.ordinal for turn in await store.load_turns(session.session_id)] == [0, 2, 5, 11]


async def test_what_is_recorded_is_read_back_at_once_and_in_order(store):
    session, head = await with_live_turn(store)
    streaming = replace(head, state=TurnState.STREAMING, accepted=3.0, agent="qwen3")
    store.record(head.turn_id, [HeadChanged(streaming), PartAdded(ReasoningPart(0, ""))])
    store.record(head.turn_id, [TextAppended(0, "Let me "), TextAppended(0, "think.")])
    store.record(head.turn_id, [PartAdded(TextPart(1, "Hel")), TextAppended(1, "lo"), TextAppended(0, " More.")])
    store.record(head.turn_id, [PartAdded(ToolPart(2, "c", "read")), TextAppended(2, "{}", "input")])
    store.record(head.turn_id, [TextAppended(2, "done", "output"), TextAppended(1, ODD_TEXT)])
    assert await store.load_turns(session.session_id) == [
        Turn(
            streaming,
            (
                ReasoningPart(0, "Let me think. More."),
                TextPart(1, "Hello" + ODD_TEXT),
                ToolPart(2, "c", "read", input="{}", output="done"),
            ),
        )
    ]


async def test_a_text_grows_in_its_place_among_the_other_changes_of_its_turn(store):
    session, head = await with_live_turn(store)
    store.record(head.turn_id, [PartAdded(TextPart(0, "dra"))])
    store.grow(head.turn_id, TextAppended(0, "ft"))
    store.record(head.turn_id, [PartReplaced(TextPart(0, "a ")), PartAdded(ToolPart(1, "c", "read"))])
    for index, word, field in ((0, "b ", "text"), (1, "{", "input"), (0, "c ", "text"), (1, "}", "input")):
        store.grow(head.turn_id, TextAppended(index, word, field))
    store.record(head.turn_id, [TextAppended(0, ODD_TEXT), PartAdded(TextPart(2, ""))])
    store.grow(head.turn_id, TextAppended(2, ODD_TEXT))
    [turn] = await store.load_turns(session.session_id)
    assert turn.parts == (TextPart(0, "a b c " + ODD_TEXT), ToolPart(1, "c", "read", input="{}"), TextPart(2, ODD_TEXT))


async def test_a_replaced_part_takes_the_place_of_all_that_was_streamed(store):
    session, head = await with_live_turn(store)
    store.record(head.turn_id, [PartAdded(TextPart(0, "dra")), TextAppended(0, "ft")])
    store.record(head.turn_id, [PartReplaced(TextPart(0, "final")), TextAppended(0, " text")])
    [turn] = await store.load_turns(session.session_id)
    assert turn.answer == "final text"


async def test_a_dropped_part_is_gone_and_takes_no_more_text(store):
    session, head = await with_live_turn(store)
    store.record(head.turn_id, [PartAdded(TextPart(0, "a")), PartAdded(TextPart(1, "b"))])
    store.record(head.turn_id, [PartDropped(0), TextAppended(0, "late"), TextAppended(1, "!")])
    [turn] = await store.load_turns(session.session_id)
    assert turn.parts == (TextPart(1, "b!"),)


async def test_every_version_of_the_plan_is_kept(store):
    session, head = await with_live_turn(store)
    store.record(head.turn_id, [PlanRecorded(0, a_plan(0)), PartAdded(PlanPart(0, a_plan(0)))])
    store.record(head.turn_id, [PlanRecorded(1, a_plan(1)), PartReplaced(PlanPart(0, a_plan(1)))])
    [turn] = await store.load_turns(session.session_id)
    assert turn.plans == (a_plan(0), a_plan(1))
    assert turn.parts == (PlanPart(0, a_plan(1)),)


async def test_the_newest_head_of_a_turn_counts(store):
    session, head = await with_live_turn(store)
    for tokens in range(4):
        changed = replace(head, state=TurnState.STREAMING, usage=Usage(output_tokens=tokens), task_id=TaskId("t"))
        store.record(head.turn_id, [HeadChanged(changed), TextAppended(0, "text of no part")])
    [turn] = await store.load_turns(session.session_id)
    assert turn == Turn(changed)


async def test_a_turn_that_ended_is_exactly_as_it_ended(store):
    session = a_session()
    await store.create_session(session)
    await store.set_attachments(session.session_id, files(), CONTENTS)
    turn = a_full_turn(session)
    await store.begin_turn(replace(turn.head, state=TurnState.QUEUED), counted(session, 1, TurnState.QUEUED))
    store.record(turn.head.turn_id, [PartAdded(TextPart(0, "superseded")), PlanRecorded(0, a_plan(2))])
    store.record(turn.head.turn_id, [PartAdded(NoticePart(40, NoticeLevel.INFO, "superseded"))])
    left = tuple(file for file in files() if file not in turn.head.prompt.attachments)
    final = counted(replace(session, attachments=left, waiting_task=TaskId("t")), 1, TurnState.FAILED)
    await store.end_turn(turn, final)
    assert await store.load_turns(session.session_id) == [turn]
    await restart(store)
    assert await store.load_turns(session.session_id) == [turn]
    assert await store.load_sessions() == [final]


async def test_nothing_is_recorded_after_the_end(store):
    session, head = await with_live_turn(store)
    turn = ended(head, "final")
    await store.end_turn(turn, counted(session, 1, TurnState.COMPLETE))
    store.record(head.turn_id, [TextAppended(0, " late"), PartAdded(TextPart(1, "late")), PartDropped(0)])
    store.record(head.turn_id, [HeadChanged(replace(head, state=TurnState.STREAMING)), PlanRecorded(0, a_plan(0))])
    store.grow(head.turn_id, TextAppended(0, " later"))
    assert await store.load_turns(session.session_id) == [turn]


async def test_what_is_recorded_of_an_unknown_turn_is_dropped(store):
    session, head = await with_live_turn(store)
    store.record(unknown_turn(), [PartAdded(TextPart(0, "ghost")), TextAppended(0, "ghost")])
    store.grow(unknown_turn(), TextAppended(0, "ghost"))
    await store.flush()
    assert await store.load_turns(session.session_id) == [Turn(head)]


async def test_the_turns_of_an_unknown_session_are_none(store):
    assert await store.load_turns(unknown_session()) == []


async def test_sessions_do_not_see_each_others_turns(store):
    one, first = await with_live_turn(store)
    two, second = await with_live_turn(store)
    for number in range(20):
        store.record(first.turn_id, [PartAdded(TextPart(0, "1"))] if number == 0 else [TextAppended(0, "1")])
        store.record(second.turn_id, [PartAdded(TextPart(0, "2"))] if number == 0 else [TextAppended(0, "2")])
    await store.end_turn(ended(first, "one"), counted(one, 1, TurnState.COMPLETE))
    assert [turn.answer for turn in await store.load_turns(one.session_id)] == ["one"]
    assert [turn.answer for turn in await store.load_turns(two.session_id)] == ["2" * 20]


async def test_a_turn_that_was_live_when_the_program_ended_is_interrupted_with_its_text(store):
    session, head = await with_live_turn(store)
    streaming = replace(head, state=TurnState.STREAMING, task_id=TaskId("t"), retry_at=99.0)
    tool = ToolPart(1, "c", "read", ToolState.RUNNING)
    store.record(head.turn_id, [HeadChanged(streaming), PartAdded(TextPart(0, "")), TextAppended(0, "half an ans")])
    store.record(head.turn_id, [PartAdded(tool), TextAppended(1, "{", "input"), PlanRecorded(0, a_plan(1))])
    await restart(store)
    [turn] = await store.load_turns(session.session_id)
    assert turn.head.state is TurnState.INTERRUPTED
    assert turn.head.problem is not None
    assert turn.head.problem.kind == "died"
    assert turn.head.retry_at is None
    assert turn.head.task_id == "t"
    assert turn.parts == (TextPart(0, "half an ans"), replace(tool, input="{"))
    assert turn.plans == (a_plan(1),)
    [loaded] = await store.load_sessions()
    assert loaded.last_state is TurnState.INTERRUPTED


async def test_a_turn_that_had_ended_is_not_interrupted(store):
    session, head = await with_live_turn(store)
    turn = ended(head, "whole", state=TurnState.WAITING)
    await store.end_turn(turn, counted(session, 1, TurnState.WAITING))
    await restart(store)
    assert await store.load_turns(session.session_id) == [turn]


async def test_the_trash_gives_back_a_session_as_it_was(store):
    session, head = await with_live_turn(store)
    await store.end_turn(ended(head, "kept"), counted(session, 1, TurnState.COMPLETE))
    [before] = await store.load_sessions()
    await store.trash_session(session.session_id, 77.0)
    assert await store.load_sessions() == []
    assert await store.load_sessions(trashed=True) == [replace(before, trashed=77.0)]
    await restart(store)
    assert await store.restore_session(session.session_id) == before
    assert await store.load_sessions() == [before]
    assert await store.load_sessions(trashed=True) == []
    assert [turn.answer for turn in await store.load_turns(session.session_id)] == ["kept"]


async def test_a_session_that_another_program_streams_can_be_neither_trashed_nor_purged(two_programs):
    one, other = two_programs
    session, head = await with_live_turn(one)
    with pytest.raises(SessionBusy, match="answering in another"):
        await other.trash_session(session.session_id, 5.0)
    with pytest.raises(SessionBusy):
        await other.purge_session(session.session_id)
    assert [known.session_id for known in await other.load_sessions()] == [session.session_id]
    await one.end_turn(ended(head, "whole"), counted(session, 1, TurnState.COMPLETE))
    await other.trash_session(session.session_id, 6.0)
    assert await one.load_sessions() == []


async def test_a_program_may_trash_what_it_streams_itself(store):
    session, _ = await with_live_turn(store)
    await store.trash_session(session.session_id, 5.0)
    assert await store.load_sessions() == []


async def test_only_what_is_in_the_trash_can_be_brought_back(store):
    session = a_session()
    await store.create_session(session)
    with pytest.raises(UnknownSession):
        await store.restore_session(session.session_id)
    with pytest.raises(UnknownSession):
        await store.restore_session(unknown_session())


async def test_a_turn_that_ends_in_the_trash_stays_there(store):
    session, head = await with_live_turn(store)
    await store.trash_session(session.session_id, 5.0)
    await store.end_turn(ended(head, "text", state=TurnState.ABORTED), counted(session, 1, TurnState.ABORTED))
    assert await store.load_sessions() == []
    restored = await store.restore_session(session.session_id)
    assert restored.last_state is TurnState.ABORTED
    assert [turn.answer for turn in await store.load_turns(session.session_id)] == ["text"]


async def test_a_purged_session_is_gone_and_nothing_late_brings_it_back(store):
    session, head = await with_live_turn(store)
    store.record(head.turn_id, [PartAdded(TextPart(0, "word"))])
    await store.trash_session(session.session_id, 5.0)
    await store.purge_session(session.session_id)
    store.grow(head.turn_id, TextAppended(0, "late"))
    store.update_session(session.session_id, SessionPatch(title="late"), 6.0)
    await store.end_turn(ended(head, "late"), counted(session, 1, TurnState.COMPLETE))
    await restart(store)
    assert await store.load_sessions() == []
    assert await store.load_sessions(trashed=True) == []
    assert await store.load_turns(session.session_id) == []
    with pytest.raises(UnknownSession):
        await store.restore_session(session.session_id)


async def test_purging_one_session_leaves_the_others(store):
    one, _ = await with_live_turn(store)
    two, second = await with_live_turn(store)
    store.record(second.turn_id, [PartAdded(TextPart(0, "stays"))])
    await store.purge_session(one.session_id)
    assert [head.session_id for head in await store.load_sessions()] == [two.session_id]
    assert [turn.answer for turn in await store.load_turns(two.session_id)] == ["stays"]


async def test_closing_twice_is_closing_once(store):
    await store.close()
    await store.close()
    await store.open()
    assert await store.load_sessions() == []


async def three_answers(store):
    """Return two sessions, one with two turns, and their turns."""
    one, two = a_session(title="Payments", position=0), a_session(title="Weather in Ulm", position=1)
    turns = []
    texts = [
        (one, 0, "Roll back", "The café is open\nfor PAYMENTS"),
        (one, 1, "again", "Done."),
        (two, 0, "rain?", "No."),
    ]
    for session in (one, two):
        await store.create_session(session)
    for session, ordinal, prompt, answer in texts:
        head = a_turn(session, ordinal, prompt, started=100.0 + len(turns))
        await store.begin_turn(head, session)
        turns.append(ended(head, answer))
        await store.end_turn(turns[-1], counted(session, ordinal + 1, TurnState.COMPLETE))
    return one, two, turns


async def test_a_search_finds_titles_first_then_prompts_and_answers_each_with_its_place(store):
    one, _, turns = await three_answers(store)
    title, answer = await store.search("payments")
    assert (title.session_id, title.found_in, title.turn_id) == (one.session_id, FoundIn.TITLE, None)
    assert (answer.found_in, answer.turn_id, answer.title) == (FoundIn.ANSWER, turns[0].head.turn_id, "Payments")
    assert turns[0].answer[answer.offset :] == "PAYMENTS"
    assert answer.excerpt[answer.start : answer.end] == "PAYMENTS"
    assert "\n" not in answer.excerpt
    [prompt] = await store.search("AGAIN done")
    assert (prompt.found_in, prompt.turn_id, prompt.offset) == (FoundIn.PROMPT, turns[1].head.turn_id, 0)


async def test_words_of_separate_texts_are_found_as_words_of_their_own(store):
    session = a_session()
    await store.create_session(session)
    head = a_turn(session, 0, "hm")
    await store.begin_turn(head, session)
    parts = (TextPart(0, "The end"), TextPart(1, "Start here", is_separate=True))
    turn = replace(ended(head, ""), parts=parts)
    await store.end_turn(turn, counted(session, 1, TurnState.COMPLETE))
    for word in ("start", "end"):
        [hit] = await store.search(word)
        assert turn.readable_answer[hit.offset :].casefold().startswith(word)
    assert "endStart" not in hit.excerpt


@pytest.mark.parametrize("query", ["", "  ", "payments nowhere", 'AND "', "*", "(", "title:rain", "\0", "-"])
async def test_any_text_is_a_query_and_what_stands_nowhere_is_not_found(store, query):
    await three_answers(store)
    assert await store.search(query) == []


async def test_a_search_ends_at_its_limit_and_leaves_the_trash_out(store):
    one, two, _ = await three_answers(store)
    assert len(await store.search("payments", 1)) == 1
    await store.trash_session(one.session_id, 5.0)
    assert await store.search("payments") == []
    assert [hit.session_id for hit in await store.search("ulm")] == [two.session_id]


indexes = st.integers(0, 3)
changes = st.lists(
    st.one_of(
        st.builds(PartAdded, st.builds(TextPart, indexes, st.text(max_size=3))),
        st.builds(PartReplaced, st.builds(ToolPart, indexes, st.just("call"), st.just("tool"))),
        st.builds(PartDropped, indexes),
        st.builds(TextAppended, indexes, st.text(max_size=3), st.sampled_from(["text", "input", "output"])),
        st.none(),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
async def test_any_sequence_of_changes_is_read_back_as_it_folds(store, changes):
    """None in the list is a moment at which everything so far reaches the disk."""
    session, head = await with_live_turn(store)
    expected = Turn(head)
    for change in changes:
        if change is None:
            await store.flush()
        else:
            store.record(head.turn_id, [change])
            expected = fold(expected, [change])
    assert await store.load_turns(session.session_id) == [expected]
    expected = replace(expected, head=replace(head, state=TurnState.COMPLETE))
    await store.end_turn(expected, counted(session, 1, TurnState.COMPLETE))
    assert await store.load_turns(session.session_id) == [expected]
    await store.purge_session(session.session_id)


async def with_interrupted_turn(store, **head):
    session, head = await with_live_turn(store)
    bound = replace(head, state=TurnState.STREAMING, task_id=TaskId("task-1"))
    store.record(head.turn_id, [HeadChanged(bound), PartAdded(TextPart(0, "half ")), TextAppended(0, "an ")])
    await restart(store)
    return session, replace(bound, state=TurnState.CONNECTING, request_id="request-2")


async def test_an_interrupted_turn_with_a_task_can_be_found_and_taken_over(store):
    session, head = await with_interrupted_turn(store)
    (lost,) = await store.lost_turns()
    assert (lost.turn_id, lost.task_id, lost.state) == (head.turn_id, "task-1", TurnState.INTERRUPTED)
    adopted = await store.adopt_turn(head, was=TurnState.INTERRUPTED)
    assert adopted == Turn(head, (TextPart(0, "half an "),))
    assert await store.load_turns(session.session_id) == [adopted]
    assert await store.lost_turns() == []
    assert (await store.load_sessions())[0].last_state is TurnState.CONNECTING


async def test_a_turn_that_was_taken_over_takes_changes_and_an_end_like_any_other(store):
    session, head = await with_interrupted_turn(store)
    await store.adopt_turn(head, was=TurnState.INTERRUPTED)
    streaming = replace(head, state=TurnState.STREAMING)
    store.record(head.turn_id, [HeadChanged(streaming), TextAppended(0, "answer"), PartAdded(TextPart(1, "!"))])
    (turn,) = await store.load_turns(session.session_id)
    assert turn == Turn(streaming, (TextPart(0, "half an answer"), TextPart(1, "!")))
    done = Turn(replace(streaming, state=TurnState.COMPLETE, ended=9.0), turn.parts)
    await store.end_turn(done, counted(session, 1, TurnState.COMPLETE))
    await restart(store)
    assert await store.load_turns(session.session_id) == [done]
    assert await store.lost_turns() == []


async def test_a_program_that_dies_again_leaves_the_turn_interrupted_with_what_it_added(store):
    session, head = await with_interrupted_turn(store)
    for more in ("answer", " and more"):
        await store.adopt_turn(head, was=TurnState.INTERRUPTED)
        store.grow(head.turn_id, TextAppended(0, more))
        await restart(store)
    (turn,) = await store.load_turns(session.session_id)
    assert turn.head.state is TurnState.INTERRUPTED
    assert turn.answer == "half an answer and more"
    assert [lost.turn_id for lost in await store.lost_turns()] == [head.turn_id]


async def test_only_an_interrupted_turn_that_is_the_last_of_its_session_is_taken_over(store):
    session, head = await with_interrupted_turn(store)
    assert await store.adopt_turn(replace(head, turn_id=unknown_turn()), was=TurnState.INTERRUPTED) is None
    await store.trash_session(session.session_id, 5.0)
    assert await store.lost_turns() == []
    assert await store.adopt_turn(head, was=TurnState.INTERRUPTED) is None
    await store.restore_session(session.session_id)
    later = a_turn(session, 1)
    await store.begin_turn(later, counted(session, 2, TurnState.QUEUED))
    assert await store.lost_turns() == []
    assert await store.adopt_turn(head, was=TurnState.INTERRUPTED) is None
    await store.end_turn(Turn(replace(later, state=TurnState.COMPLETE)), counted(session, 2, TurnState.COMPLETE))
    assert await store.adopt_turn(replace(later, task_id=TaskId("task-2")), was=TurnState.INTERRUPTED) is None


async def test_a_turn_without_a_task_is_not_lost_but_over(store):
    await with_live_turn(store)
    await restart(store)
    assert await store.lost_turns() == []


def an_unsent_turn(session, when=1_700_000_002.0, text="later"):
    return a_turn(session, unsent_ordinal(when), text, state=TurnState.UNSENT)


async def test_an_unsent_prompt_waits_behind_whatever_is_sent_and_is_still_there_after_a_restart(store):
    session = a_session()
    await store.create_session(session)
    waiting = [an_unsent_turn(session, text="first"), an_unsent_turn(session, 1_700_000_003.0, "second")]
    for head in reversed(waiting):
        await store.begin_turn(head, replace(session, turns=1, unsent=1))
    sent = ended(a_turn(session, 0, "now"))
    await store.begin_turn(replace(sent.head, state=TurnState.QUEUED), replace(session, turns=3, unsent=2))
    await store.end_turn(sent, replace(session, turns=3, unsent=2, last_state=sent.head.state))
    await restart(store)
    assert [turn.head for turn in await store.load_turns(session.session_id)] == [sent.head, *waiting]
    assert await store.unsent_turns() == waiting
    [head] = await store.load_sessions()
    assert (head.turns, head.unsent, head.last_state) == (3, 2, sent.head.state)


async def test_how_many_turns_a_session_has_is_what_its_turns_say(store):
    session = a_session()
    await store.create_session(session)
    for head in (an_unsent_turn(session), an_unsent_turn(session, 1_700_000_003.0)):
        await store.begin_turn(head, session)
    await store.trash_session(session.session_id, 1.0)
    head = await store.restore_session(session.session_id)
    assert (head.turns, head.unsent) == (2, 2)
    assert await store.drop_turn(an_unsent_turn(session)) is False
    assert [(one.turns, one.unsent) for one in await store.load_sessions()] == [(2, 2)]


async def test_an_unsent_turn_is_sent_by_taking_it_over_once(store):
    session = a_session()
    await store.create_session(session)
    waiting = [an_unsent_turn(session, text="first"), an_unsent_turn(session, 1_700_000_003.0, "second")]
    for head in waiting:
        await store.begin_turn(head, replace(session, turns=1, unsent=1))
    live = replace(waiting[0], state=TurnState.QUEUED, ordinal=0)
    assert await store.adopt_turn(live, was=TurnState.UNSENT) == Turn(live)
    assert await store.unsent_turns() == waiting[1:]
    store.record(live.turn_id, [PartAdded(TextPart(0, "so"))])
    answered = replace(ended(live), parts=(TextPart(0, "so it is"),))
    await store.end_turn(answered, replace(session, turns=2, unsent=1, last_state=answered.head.state))
    assert await store.adopt_turn(replace(live, state=TurnState.QUEUED), was=TurnState.UNSENT) is None
    assert (await store.load_turns(session.session_id))[0] == answered


async def test_a_program_that_dies_while_it_sends_leaves_the_turn_interrupted(store):
    session = a_session()
    await store.create_session(session)
    head = an_unsent_turn(session)
    await store.begin_turn(head, replace(session, turns=1, unsent=1))
    await store.adopt_turn(replace(head, state=TurnState.CONNECTING, ordinal=0), was=TurnState.UNSENT)
    await restart(store)
    assert await store.unsent_turns() == []
    [turn] = await store.load_turns(session.session_id)
    assert turn.head.state is TurnState.INTERRUPTED


async def test_an_unsent_turn_can_be_dropped_and_any_other_cannot(store):
    session = a_session()
    await store.create_session(session)
    waiting, sent = an_unsent_turn(session, text="pelican"), ended(a_turn(session, 0, "now"))
    await store.begin_turn(waiting, replace(session, turns=1, unsent=1))
    await store.end_turn(sent, replace(session, turns=2, unsent=1))
    await store.flush()
    assert await store.drop_turn(sent.head) is False
    assert await store.drop_turn(waiting) is True
    assert await store.drop_turn(waiting) is False
    assert await store.adopt_turn(replace(waiting, state=TurnState.QUEUED), was=TurnState.UNSENT) is None
    assert [turn.head.turn_id for turn in await store.load_turns(session.session_id)] == [sent.head.turn_id]
    assert await store.search("pelican") == []
    [head] = await store.load_sessions()
    assert (head.turns, head.unsent) == (1, 0)


async def test_an_interrupted_turn_is_taken_over_though_prompts_wait_behind_it(store):
    session = a_session()
    await store.create_session(session)
    lost = ended(a_turn(session, 0, task_id=TaskId("task-9")), state=TurnState.INTERRUPTED)
    await store.end_turn(lost, replace(session, turns=1))
    await store.begin_turn(an_unsent_turn(session), replace(session, turns=2, unsent=1))
    assert [head.turn_id for head in await store.lost_turns()] == [lost.head.turn_id]
    assert await store.adopt_turn(replace(lost.head, state=TurnState.CONNECTING), was=TurnState.INTERRUPTED) is not None


async def test_what_waits_in_the_trash_is_not_to_be_sent(store):
    session = a_session()
    await store.create_session(session)
    head = an_unsent_turn(session)
    await store.begin_turn(head, replace(session, turns=1, unsent=1))
    await store.trash_session(session.session_id, 1_700_000_009.0)
    assert await store.unsent_turns() == []
    assert await store.adopt_turn(replace(head, state=TurnState.QUEUED, ordinal=0), was=TurnState.UNSENT) is None


async def test_of_two_programs_one_sends_what_waits(two_programs):
    first, second = two_programs
    session = a_session()
    await first.create_session(session)
    head = an_unsent_turn(session)
    await first.begin_turn(head, replace(session, turns=1, unsent=1))
    await first.give_up_sessions([session.session_id])
    live = replace(head, state=TurnState.QUEUED, ordinal=0)
    assert await second.adopt_turn(live, was=TurnState.UNSENT) is not None
    with pytest.raises(SessionBusy):
        await first.adopt_turn(live, was=TurnState.UNSENT)
    with pytest.raises(SessionBusy):
        await first.drop_turn(head)


async def test_what_another_program_sent_before_it_died_is_not_sent_again(tmp_path):
    first, second = (SqliteStore(tmp_path / "data" / "store.db") for _ in range(2))
    await first.open()
    session = a_session()
    await first.create_session(session)
    head = an_unsent_turn(session)
    await first.begin_turn(head, replace(session, turns=1, unsent=1))
    await first.give_up_sessions([session.session_id])
    await second.open()
    assert await second.adopt_turn(replace(head, state=TurnState.QUEUED, ordinal=0), was=TurnState.UNSENT) is not None
    await second.close()  # without an end of the turn, as a program that dies
    again = replace(head, state=TurnState.QUEUED, ordinal=0, request_id=new_request_id())
    assert await first.adopt_turn(again, was=TurnState.UNSENT) is None
    [turn] = await first.load_turns(session.session_id)
    assert turn.head.state is TurnState.INTERRUPTED
    assert await first.drop_turn(head) is False
    await first.close()


async def test_an_unsent_turn_from_elsewhere_comes_in_among_the_others_once(store):
    session = a_session()
    failed = ended(an_unsent_turn(session), state=TurnState.FAILED)
    items = (session, ended(a_turn(session, 0)), failed)
    assert await store.merge(items) == (Merged.ADDED,) * 3
    assert await store.merge(items) == (Merged.SAME,) * 3
    assert [turn.head.ordinal for turn in await store.load_turns(session.session_id)] == [0, 1]


async def test_turns_can_be_read_from_an_ordinal_on(store):
    session, first = await with_live_turn(store)
    await store.end_turn(ended(first, "one"), counted(session, 1, TurnState.COMPLETE))
    second = replace(a_turn(session), ordinal=1)
    await store.begin_turn(second, counted(session, 2, TurnState.QUEUED))
    store.record(second.turn_id, [PartAdded(TextPart(0, "two"))])
    assert [turn.answer for turn in await store.load_turns(session.session_id, since=1)] == ["two"]
    assert [turn.answer for turn in await store.load_turns(session.session_id)] == ["one", "two"]
    assert await store.load_turns(session.session_id, since=2) == []
    assert [turn.answer for turn in await store.load_turns(session.session_id, before=1)] == ["one"]
    assert await store.load_turns(session.session_id, since=1, before=1) == []
    for but, answers in ((second.turn_id, ["one"]), (first.turn_id, ["two"]), (None, ["one", "two"])):
        assert [turn.answer for turn in await store.load_turns(session.session_id, but=but)] == answers


async def test_a_session_that_nobody_else_holds_can_be_held_again_and_again_and_given_up(store):
    session = a_session()
    await store.create_session(session)
    for _ in range(2):
        assert await store.hold_session(session.session_id) == session
    await store.ask_for_session(session.session_id)
    await store.give_up_sessions([session.session_id, unknown_session()])
    await store.give_up_sessions([])
    assert await store.hold_session(session.session_id) == session


async def test_what_is_gone_or_in_the_trash_cannot_be_held(store):
    session = a_session()
    await store.create_session(session)
    await store.trash_session(session.session_id, 5.0)
    for session_id in (session.session_id, unknown_session()):
        with pytest.raises(UnknownSession):
            await store.hold_session(session_id)


async def test_alone_there_is_nothing_to_see(store):
    await with_live_turn(store)
    assert await store.look_around() is None


async def test_a_session_has_one_holder_who_is_named_and_hands_it_to_who_asks(two_programs):
    one, other = two_programs
    session, _ = await held_by_first(two_programs)
    [seen] = await other.load_sessions()
    assert seen.held_by.startswith(f"pid {os.getpid()} ")
    for attempt in (other.hold_session(session.session_id), other.begin_turn(a_turn(session), session)):
        with pytest.raises(SessionBusy, match=f"open in another ChatForge: pid {os.getpid()} "):
            await attempt
    await other.ask_for_session(session.session_id)
    told = await one.look_around()
    assert told is not None
    assert told.asked == {session.session_id}
    assert (await one.look_around()).asked == {session.session_id}, "it is told as long as it is asked for"
    assert await one.give_up_sessions([session.session_id]) == frozenset()
    with pytest.raises(SessionBusy):
        await one.hold_session(session.session_id)
    assert (await other.hold_session(session.session_id)).session_id == session.session_id
    await other.begin_turn(replace(a_turn(session), ordinal=1), session)


async def test_a_session_is_kept_while_its_holder_answers_in_it(two_programs):
    one, _ = two_programs
    session, head = await with_live_turn(one)
    assert await one.give_up_sessions([session.session_id, unknown_session()]) == {session.session_id}
    await one.end_turn(ended(head, "whole"), counted(session, 1, TurnState.COMPLETE))
    assert await one.give_up_sessions([session.session_id]) == frozenset()


async def test_a_program_that_ends_lets_go_of_its_sessions(two_programs):
    one, other = two_programs
    session, _ = await held_by_first(two_programs)
    await one.close()
    [seen] = await other.load_sessions()
    assert seen.held_by == ""
    await other.hold_session(session.session_id)


async def test_tabs_go_to_the_first_program_that_takes_them(tmp_path):
    path = tmp_path / "data" / "store.db"
    earlier = SqliteStore(path)
    await earlier.open()
    tab, closed = a_session(), a_session(is_open=False)
    for session in (tab, closed):
        await earlier.create_session(session)
    await earlier.close()
    one, other = SqliteStore(path), SqliteStore(path)
    await one.open(takes_tabs=True)
    await other.open(takes_tabs=True)
    held = {head.session_id: bool(head.held_by) for head in await other.load_sessions()}
    assert held == {tab.session_id: True, closed.session_id: False}
    assert not any(head.held_by for head in await one.load_sessions())
    await one.close()
    await other.close()


async def test_a_look_around_tells_what_the_other_did_and_then_nothing(two_programs):
    one, other = two_programs
    session, head = await held_by_first(two_programs)
    await settled(other)
    one.update_session(session.session_id, SessionPatch(title="Named"), 9.0)
    await one.flush()
    seen = await other.look_around()
    assert [(known.title, bool(known.held_by)) for known in seen.changed] == [("Named", True)]
    await settled(other)
    turn = replace(a_turn(session), ordinal=1)
    await one.begin_turn(turn, session)
    await settled(other)
    one.record(turn.turn_id, [PartAdded(TextPart(0, "streams"))])
    await one.flush()
    assert await other.look_around() is not None
    await one.end_turn(ended(turn, "done"), session)
    await one.trash_session(session.session_id, 10.0)
    assert (await other.look_around()).removed == {session.session_id}
    assert head.session_id == session.session_id


async def held_by_first(two_programs):
    """A session with one turn, in the first of two programs that both have seen each other."""
    one, other = two_programs
    session, head = await with_live_turn(one)
    session = counted(session, 1, TurnState.COMPLETE)
    await one.end_turn(ended(head, "one"), session)
    for store in (one, other):
        await settled(store)
    return session, head


async def settled(store):
    """Look around until nothing is new."""
    while await store.look_around() is not None:
        pass


async def test_what_comes_from_elsewhere_is_taken_in_once_and_never_over_what_is_here(store):
    session, homeless = a_session(), ended(a_turn(a_session()))
    turn = ended(a_turn(session), "one", "two")
    items = (session, turn, homeless)
    assert [str(one) for one in await store.merge(items)] == ["added", "added", "homeless"]
    assert await store.load_turns(session.session_id) == [turn]
    assert [head.turns for head in await store.load_sessions()] == [1]

    other = replace(turn, parts=turn.parts[:1])
    assert [str(one) for one in await store.merge((session, turn, other))] == ["same", "same", "kept"]
    assert await store.load_turns(session.session_id) == [turn]


async def with_files(store):
    """Return a session with files beside its draft."""
    session = a_session()
    await store.create_session(session)
    await store.set_attachments(session.session_id, files(), CONTENTS)
    return replace(session, attachments=files())


async def test_attachments_and_their_content_come_back_byte_for_byte(store):
    session = await with_files(store)
    await restart(store)
    assert await store.load_sessions() == [session]
    for file in files():
        assert await store.load_content(session.session_id, file) == CONTENTS[file.sha256]


async def test_a_prompt_takes_its_attachments_along_and_keeps_them(store):
    session = await with_files(store)
    head = a_turn(session, prompt=Prompt("look", attachments=files()[1:]))
    await store.begin_turn(head, replace(session, attachments=files()[:1]))
    await store.set_attachments(session.session_id, (), {})
    await restart(store)
    [turn] = await store.load_turns(session.session_id)
    assert turn.head.prompt == head.prompt
    assert [known.attachments for known in await store.load_sessions()] == [()]
    for file in files()[1:]:
        assert await store.load_content(session.session_id, file) == CONTENTS[file.sha256]
    with pytest.raises(ContentLost, match="empty"):
        await store.load_content(session.session_id, files()[0])


async def test_what_was_attached_once_is_attached_again_without_its_content(store):
    session = await with_files(store)
    head = a_turn(session, prompt=Prompt("look", attachments=files()))
    await store.begin_turn(head, replace(session, attachments=()))
    await store.set_attachments(session.session_id, files()[2:], {})
    assert [known.attachments for known in await store.load_sessions()] == [files()[2:]]


async def test_a_file_without_content_can_be_neither_attached_nor_sent(store):
    session, other = await with_files(store), a_session()
    await store.create_session(other)
    unknown = attachment("lost", "text/plain", b"never given")
    with pytest.raises(ContentLost, match="lost"):
        await store.set_attachments(session.session_id, (*files(), unknown), {})
    assert {known.session_id: known.attachments for known in await store.load_sessions()} == {
        session.session_id: files(),
        other.session_id: (),
    }
    for owner, file in ((session, unknown), (other, files()[0])):
        with pytest.raises(ContentLost):
            await store.begin_turn(a_turn(owner, prompt=Prompt("", attachments=(file,))), owner)
        with pytest.raises(ContentLost):
            await store.load_content(owner.session_id, file)
        assert await store.load_turns(owner.session_id) == []


async def test_nothing_is_attached_in_the_trash_or_nowhere(store):
    session = await with_files(store)
    await store.trash_session(session.session_id, 5.0)
    for session_id in (session.session_id, unknown_session()):
        with pytest.raises(UnknownSession):
            await store.set_attachments(session_id, (), {})
    restored = await store.restore_session(session.session_id)
    assert restored.attachments == files()


async def test_a_purged_session_takes_its_files_along(store):
    session = await with_files(store)
    await store.purge_session(session.session_id)
    await store.create_session(session)
    with pytest.raises(ContentLost):
        await store.load_content(session.session_id, files()[1])


async def test_nothing_is_attached_in_a_session_that_another_program_holds(two_programs):
    one, other = two_programs
    session = await with_files(one)
    with pytest.raises(SessionBusy):
        await other.set_attachments(session.session_id, (), {})
    assert await one.load_content(session.session_id, files()[2]) == CONTENTS[files()[2].sha256]


async def test_files_from_elsewhere_are_taken_in_with_the_session_that_they_belong_to(store):
    session, file = a_session(), files()[2]
    content = AttachedContent(session.session_id, file.sha256, CONTENTS[file.sha256])
    assert [str(one) for one in await store.merge((content, session, content, content))] == [
        "homeless",
        "added",
        "added",
        "same",
    ]
    assert await store.load_content(session.session_id, file) == content.data
