from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.cli.answer_text import AnswerText
from chatforge_tui.domain.changes import PartAdded, PartDropped, PartReplaced, TextAppended
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.part import ReasoningPart, TextPart
from tests.cli.material import FIRST

EMPTY = FIRST.__class__(FIRST.head)


def played(*batches):
    answer = AnswerText()
    return answer, [answer.apply(batch) for batch in batches]


def test_text_is_handed_out_as_it_comes():
    answer, written = played([PartAdded(TextPart(0, "a"))], [TextAppended(0, "b"), TextAppended(0, "c")])
    assert written == ["a", "bc"]
    assert answer.missing_from("abc") == ""


def test_separate_texts_are_paragraphs_for_people_and_as_received_for_programs():
    changes = [
        PartAdded(TextPart(0, "The end")),
        PartAdded(TextPart(1, "Sta", is_separate=True)),
        TextAppended(1, "rt"),
    ]
    for for_people, written in ((True, "The end\n\nStart"), (False, "The endStart")):
        answer = AnswerText(for_people=for_people)
        assert answer.apply(changes) == answer.answer == written
        assert answer.missing_from(written + "!") == "!"
        assert answer.apply([PartReplaced(TextPart(1, "Start.", is_separate=True))]) == "."


def test_reasoning_is_no_part_of_the_answer():
    _, written = played([PartAdded(ReasoningPart(0, "hm")), TextAppended(0, "m")], [PartAdded(TextPart(1, "a"))])
    assert written == ["", "a"]


def test_a_final_answer_that_begins_like_the_streamed_text_only_adds_what_is_missing():
    answer, written = played([PartAdded(TextPart(0, "Hello"))], [PartReplaced(TextPart(0, "Hello world"))])
    assert written == ["Hello", " world"]
    assert not answer.is_replaced


def test_a_final_answer_that_contradicts_what_was_written_is_told():
    answer, written = played(
        [PartAdded(TextPart(0, "Hello"))], [PartReplaced(TextPart(0, "Bye"))], [TextAppended(0, "!")]
    )
    assert written == ["Hello", "", ""]
    assert answer.is_replaced
    assert answer.missing_from("Bye!") == "Bye!"


def test_after_starting_over_text_flows_again():
    answer, _ = played([PartAdded(TextPart(0, "Hello"))], [PartReplaced(TextPart(0, "Bye"))])
    assert answer.start_over() == "Bye"
    assert answer.apply([TextAppended(0, "!")]) == "!"


def test_a_part_that_is_dropped_takes_its_text_along():
    answer, _ = played([PartAdded(TextPart(0, "a")), PartAdded(TextPart(1, "b"))], [PartDropped(1)])
    assert answer.is_replaced
    assert answer.answer == "a"


words = st.text("ab", max_size=3)
changes = st.one_of(
    st.builds(lambda index, text: PartAdded(TextPart(index, text)), st.integers(0, 3), words),
    st.builds(lambda index, text: PartReplaced(TextPart(index, text)), st.integers(0, 3), words),
    st.builds(TextAppended, st.integers(0, 3), words),
    st.builds(PartDropped, st.integers(0, 3)),
)


@given(st.lists(changes, max_size=12))
def test_what_was_written_with_what_is_missing_is_always_the_whole_answer(course):
    answer, turn, written = AnswerText(), EMPTY, ""
    for change in course:
        written += answer.apply([change])
        turn = fold(turn, [change])
    missing = answer.missing_from(turn.answer)
    assert turn.answer == (missing if answer.is_replaced else written + missing)
