"""A lone Esc is known at once; an Esc that something follows is never taken for one."""

import os

import pytest
from textual import events

from chatforge_tui.ui.terminal_input import ESCAPE_NEAR_S, ESCAPE_S, ESCAPE_TORN_S, KeyReader, escape_patience_s
from chatforge_tui.ui.terminal_paste import patch_terminal_paste


def keys_of(*reads: bytes | None) -> list[str]:
    """Return the keys that some reads make; None is a time in which nothing comes."""
    reader = KeyReader()
    found = []
    for data in reads:
        found += reader.silence() if data is None else reader.take(data)
    return [event.key for event in found if isinstance(event, events.Key)]


def test_an_escape_behind_which_nothing_comes_is_the_key():
    assert keys_of(b"\x1b", None) == ["escape"]
    assert keys_of(b"ab\x1b", None, b"c") == ["a", "b", "escape", "c"]


@pytest.mark.parametrize(
    ("reads", "key"),
    [((b"\x1b[A",), "up"), ((b"\x1b", b"[A"), "up"), ((b"\x1bn", None), "alt+n"), ((b"\x1b[", None, b"A"), "up")],
)
def test_a_sequence_is_one_key_however_it_is_cut(reads, key):
    assert keys_of(*reads) == [key]


@pytest.mark.parametrize(
    ("rest", "keys"),
    [
        (b"[1;3C", ["alt+right"]),
        (b"OP", ["f1"]),
        (b"[15~", ["f5"]),
        (b"[C\x1b[C", ["right", "right"]),
        (b"[<35;7;9M", []),
    ],
)
def test_the_rest_of_a_key_that_comes_too_late_types_nothing(rest, keys):
    assert keys_of(b"\x1b", None, rest) == ["escape", *keys]


@pytest.mark.parametrize("typed", [b"[", b"OK", b"O", b"[[", b"[1] is it"])
def test_what_is_typed_right_behind_esc_is_text(typed):
    reader = KeyReader()
    found = [*reader.take(b"\x1b"), *reader.silence(), *reader.take(typed)]
    assert "".join(event.character or "" for event in found[1:]) == typed.decode()


def test_a_line_that_tore_a_key_once_is_waited_for_longer(monkeypatch):
    now = [5.0]
    monkeypatch.setattr("chatforge_tui.ui.terminal_input.monotonic", lambda: now[0])
    reader = KeyReader(escape_s=ESCAPE_NEAR_S)
    for late, patience in ((ESCAPE_TORN_S * 1.5, ESCAPE_NEAR_S), (ESCAPE_TORN_S / 2, ESCAPE_TORN_S)):
        reader.take(b"\x1b")
        reader.silence()
        now[0] += late
        reader.take(b"[A")
        reader.take(b"\x1b")
        assert reader.patience_s == patience
        reader.silence()


@pytest.mark.parametrize(
    ("read", "keys"),
    [
        (b"\x1bw\x1bw", ["alt+w", "alt+w"]),
        (b"\x1bw\x1b[A\x1bn", ["alt+w", "up", "alt+n"]),
        (b"a\x1bwb\x1bw", ["a", "alt+w", "b", "alt+w"]),
        (b"\x1bw\x1b", ["alt+w", "escape"]),
        (b"\x1b[A\x1bw\x1b\x1b[B", ["up", "alt+w", "escape", "down"]),
    ],
)
def test_several_keys_with_alt_in_one_read_are_all_known(read, keys):
    assert keys_of(read, None) == keys


@pytest.mark.parametrize("cut", range(8))
def test_what_looks_like_a_key_with_alt_in_a_paste_is_pasted(cut):
    patch_terminal_paste()
    reader, pasted = KeyReader(), "a\x1bw\x1b[201~b\x1bw\r"
    sent = f"\x1b[200~{pasted}\x1b[201~".encode()
    found = reader.take(sent[:cut]) + reader.take(sent[cut:])
    assert [event.text for event in found if isinstance(event, events.Paste)] == [pasted]
    assert not any(isinstance(event, events.Key) for event in found)


def test_over_ssh_the_rest_of_a_sequence_is_waited_for_longer():
    master, terminal = os.openpty()
    try:
        assert escape_patience_s(terminal, {}) == ESCAPE_NEAR_S
        assert escape_patience_s(terminal, {"SSH_CONNECTION": "x"}) == ESCAPE_S
        assert escape_patience_s(terminal, {"SSH_TTY": "x"}) == ESCAPE_S
        assert escape_patience_s(terminal, {"SSH_CONNECTION": "x", "TMUX": "y"}) == ESCAPE_NEAR_S
    finally:
        os.close(master)
        os.close(terminal)


def test_what_is_no_pseudo_terminal_may_be_a_slow_line(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        assert escape_patience_s(file.fileno(), {}) == ESCAPE_S


@pytest.mark.parametrize("reads", [(b"\x1bq", None), (b"ab\x1bq", None)])
def test_a_letter_with_alt_is_a_key_that_types_nothing(reads):
    reader = KeyReader()
    found = [event for data in reads for event in (reader.silence() if data is None else reader.take(data))]
    assert [(event.key, event.is_printable) for event in found][-1] == ("alt+q", False)


def test_the_end_of_a_long_paste_may_be_late():
    reader = KeyReader()
    began = reader.take(b"\x1b[200~" + b"x" * 100 + b"\x1b")
    assert reader.patience_s is None
    assert began == reader.silence() == []
    assert [event.text for event in reader.take(b"[201~") if isinstance(event, events.Paste)] == ["x" * 100]


def test_a_wide_character_may_be_cut_anywhere():
    assert keys_of("é".encode()[:1], None, "é".encode()[1:]) == ["é"]
