"""The app on a real terminal, with a store in memory and an agent that counts: what the tests of the terminal start."""

import fcntl
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.request import PromptRequest
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import Pause, ScriptedEndpoints, Step
from tests.ui.program import make_app


def count(request: PromptRequest) -> Sequence[Step]:
    """Count to the number in the prompt, a hundred a second; to no number in particular, wait for ever."""
    word = request.prompt.text.split()[-1]
    numbers = range(int(word)) if word.isdecimal() else ()
    counting = [step for number in numbers for step in (TextDelta(f"n{number} "), Pause(0.01))]
    return [Accepted("fake", "counter"), *counting, *([Finished()] if counting else [Pause(3_600)])]


if __name__ == "__main__":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that this terminal hangs up as a real one does
    app = make_app(Path(sys.argv[1]), ScriptedEndpoints(count), MemoryStore())
    app.run()
    sys.exit(app.return_code)
