"""What the first link and the first code block need is made before they come."""

import subprocess
import sys

_PROGRAM = """
import re
import sys
from chatforge_tui.ui.transcript.highlight import coloured_lines
from chatforge_tui.ui.transcript.ink import Ink
from chatforge_tui.ui.transcript.inline import inline_rows
from chatforge_tui.ui.transcript.warm_up import warm_up

compiled = []
compile_pattern = re._compiler.compile
re._compiler.compile = lambda *what: compiled.append(what) or compile_pattern(*what)
if sys.argv[1] == "warm":
    warm_up().join()
compiled.clear()
loaded = set(sys.modules)
if sys.argv[1] == "plain":
    inline_rows("Read [that](https://example.com/a), *e.g.* `a@b`: version 3.5 is 2x as fast. Note: it is.", {}, Ink())
else:
    inline_rows("Read *that*: https://docs.example.com/first?x=1, www.example.com and a.b@example.net", {}, Ink())
    coloured_lines("def first():\\n    return 'one'", "python")
print(len(compiled) + (sys.argv[1] != "plain" and len(set(sys.modules) - loaded)))
"""


def left_to_make(how: str) -> int:
    """Return how many patterns and modules a first link and code block still make, in a program of its own."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_the_first_link_and_the_first_code_block_find_all_they_need():
    assert left_to_make("warm") == 0
    assert left_to_make("cold") > 10


def test_a_paragraph_without_an_address_needs_none_of_it():
    assert left_to_make("plain") == 1  # what judges the address of the link
