import io
import re

from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.cli.output import Output
from chatforge_tui.safety.clean import clean


def terminal():
    stream = io.BytesIO()
    return stream, Output(stream, is_terminal=True)


def pipe():
    stream = io.BytesIO()
    return stream, Output(stream, is_terminal=False)


@given(st.text(), st.data())
def test_however_a_text_is_cut_a_terminal_gets_it_cleaned(text, data):
    stream, output = terminal()
    rest = text
    while rest:
        length = data.draw(st.integers(1, len(rest)))
        output.write(rest[:length])
        rest = rest[length:]
    output.finish()
    shown = stream.getvalue().decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u200b]", shown)
    assert shown == "" or shown.endswith("\n")


def test_an_emoji_and_a_line_end_that_come_in_pieces_stay_whole():
    stream, output = terminal()
    for piece in "a\r\n👩\u200d💻 ⚠\ufe0f ok\r\n":
        output.write(piece)
    output.finish()
    assert stream.getvalue().decode() == clean("a\r\n👩\u200d💻 ⚠\ufe0f ok\r\n")


def test_a_pipe_gets_every_byte_as_it_came():
    stream, output = pipe()
    output.write("\x1b[31m\r\n\u202e")
    output.write("tail without newline")
    output.finish()
    assert stream.getvalue() == "\x1b[31m\r\n\u202etail without newline".encode()


def test_half_a_surrogate_pair_does_not_break_the_pipe():
    stream, output = pipe()
    output.write("a\ud83db")
    assert stream.getvalue().decode() == "a\ufffdb"


def test_lines_for_people_are_cleaned_wherever_they_go():
    stream, output = pipe()
    output.line("a \x1b[31m title")
    assert stream.getvalue().decode() == "a ␛[31m title\n"
