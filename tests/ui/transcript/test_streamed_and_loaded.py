"""An answer that was watched while it streamed looks as it does when it is loaded, whatever it is made of and in what order it came."""

import random

import pytest

from chatforge_tui.domain.changes import PartAdded, PartDropped, PartReplaced, TextAppended
from chatforge_tui.domain.events import Noticed, ReasoningDelta, StreamEvent, ToolEnded, ToolOutputDelta, ToolStarted
from chatforge_tui.domain.part import NoticeLevel, NoticePart, ReasoningPart, TextPart, ToolPart, ToolState
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.endpoints.a2a.answer_text import AnswerText
from chatforge_tui.streaming.outcome import Outcome
from chatforge_tui.streaming.streaming_state import StreamingState
from chatforge_tui.ui.transcript.viewport import settle
from tests.ui.transcript.test_growing_markdown import ATOMS
from tests.ui.transcript.turns import LONG, NOW, PIECES, all_lines, began, changed, ended, model_of, text_of, turn

TEXTS = tuple(atom for atom in ATOMS if "]:" not in atom)
"""Without definitions of links, which count in a text once they are known, but not for what was closed before."""


class Streamed:
    """A turn that streams: three artifacts at once, tools, reasoning and notices between them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.answer = AnswerText()
        self.calls = [f"call {number}" for number in range(3)]
        self.state = StreamingState.begin(began(0).turn.head)
        self.model = model_of(width=(20, 40, 60)[seed % 3])
        self.model.apply(began(0))

    def go_on(self) -> None:
        """Let something come, and look at it or not."""
        for event in self.news():
            if changes := self.state.apply(event, NOW):
                self.model.apply(changed(0, *changes))
        match self.dice.randrange(6):
            case 0 | 1:
                settle(self.model, self.dice.choice([3, 10, 100]))
            case 2:
                seen, layout = text_of(self.model), self.model.known_layout(0)
                layout.mark_stale()
                assert seen == text_of(self.model)
                assert layout.height == sum(piece.height for piece in layout.flow)
            case _:
                pass

    def news(self) -> list[StreamEvent]:
        call, name = self.dice.choice(self.calls), self.dice.choice("ABC")
        match self.dice.randrange(20):
            case 0:
                return [ToolStarted(call, "tool")]
            case 1:
                return [ToolOutputDelta(call, "output\n")]
            case 2:
                return [ToolEnded(call)]
            case 3:
                return [ReasoningDelta("thought\n")]
            case 4:
                return [Noticed(NoticeLevel.INFO, "notice")]
            case 5:
                return self.answer.begin(name, [self.dice.choice(TEXTS)], name=name)
            case 6:
                return self.answer.extend(name, "⟦- [x] find\n- [ ] apply" + self.dice.choice(["", "⟧"]), name=name)
            case _:
                return self.answer.extend(name, "".join(self.dice.choices(TEXTS, k=2)), name=name)


@pytest.mark.parametrize("seed", range(30))
def test_what_streamed_looks_as_it_does_when_it_is_loaded(seed: int):
    streamed = Streamed(seed)
    for _ in range(60):
        streamed.go_on()
    whole = streamed.state.end(Outcome(TurnState.COMPLETE), NOW)
    streamed.model.apply(ended(whole))
    assert text_of(streamed.model) == text_of(model_of(whole, width=streamed.model.page.width))


def test_blank_lines_between_two_calls_are_no_text_of_their_own():
    calls = [ToolPart(index, f"call {index}", "tool", ToolState.DONE) for index in (0, 2)]
    parts = (calls[0], TextPart(1, "\n \n"), calls[1])
    streamed = model_of()
    streamed.apply(began(0))
    for part in parts:
        streamed.apply(changed(0, PartAdded(part)))
        text_of(streamed)
    streamed.apply(ended(turn(0, "", *parts)))
    loaded = text_of(model_of(turn(0, "", *parts)))
    assert loaded == text_of(streamed)
    assert loaded[-2:] == ["▸ tool", "▸ tool"]


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
