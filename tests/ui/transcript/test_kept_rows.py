"""Rows that are kept while text grows, against rows collected anew."""

import random

import pytest

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import ReasoningPart, TextPart
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.viewport import settle
from tests.ui.transcript.turns import LONG, PIECES, began, changed, model_of, turn


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
                layout._last_rows.forget()
                for piece in layout.flow:
                    piece.rows = None
        assert rows == settle(model, height).rows
