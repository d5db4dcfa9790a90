import pytest

from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.turn import Prompt, TurnHead
from chatforge_tui.ui.turn_facts import first_output


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "<0.1 s"), (0.04, "<0.1 s"), (0.06, " 0.1 s"), (12.34, "12.3 s"), (140.2, " 140 s")]
)
def test_the_time_to_the_first_output_has_always_six_cells_and_is_never_nothing(seconds, words):
    head = TurnHead(
        TurnId("t"), SessionId("s"), 0, Prompt("hi"), request_id=RequestId("r"), started=100.0,
        first_output=100.0 + seconds,
    )  # fmt: skip

    assert first_output(head) == words
