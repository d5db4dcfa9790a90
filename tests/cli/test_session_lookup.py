import pytest
from msgspec.structs import replace

from chatforge_tui.cli.session_lookup import find_session, short_ids
from chatforge_tui.cli.session_table import session_table
from chatforge_tui.errors import UnknownSession
from tests.cli.material import HEAD

HEADS = [replace(HEAD, session_id=f"01a0{number}000-0000-7000-8000-00000000000{number}") for number in (1, 2, 3)]
HEADS.append(replace(HEAD, session_id="01a03000-0000-7000-8000-000000000004"))


def test_a_whole_id_and_a_beginning_that_only_one_has_are_found():
    assert find_session(HEADS, HEADS[0].session_id) is HEADS[0]
    assert find_session(HEADS, " 01A01 ") is HEADS[0]


def test_an_id_that_is_the_beginning_of_another_is_itself():
    longer = replace(HEADS[0], session_id=HEADS[0].session_id + "0")
    assert find_session([longer, HEADS[0]], HEADS[0].session_id) is HEADS[0]


@pytest.mark.parametrize(
    ("given_id", "message"), [("zzz", "No session has the id 'zzz'"), ("", "No session"), ("01a0", "4 sessions have")]
)
def test_what_fits_none_or_several_is_told(given_id, message):
    with pytest.raises(UnknownSession, match=message):
        find_session(HEADS, given_id)


def test_a_hostile_id_is_quoted_harmlessly():
    with pytest.raises(UnknownSession) as caught:
        find_session(HEADS, "\x1b]52;c;x\x07")
    assert "\x1b" not in str(caught.value)


def test_short_ids_are_the_shortest_that_tell_all_sessions_apart():
    short = short_ids(HEADS)
    assert len(set(short.values())) == len(HEADS)
    assert {len(one) for one in short.values()} == {36}
    assert set(short_ids(HEADS[:2]).values()) == {"01a01000", "01a02000"}
    assert short_ids([]) == {}


def test_the_table_keeps_its_columns_and_every_session_on_one_line():
    wide = replace(HEADS[1], title="日本語", last_state=None, is_open=False)
    lines = session_table([HEADS[0], wide], short_ids([HEADS[0], wide]))
    assert len(lines) == 3
    assert lines[0].split() == ["ID", "TAB", "STATE", "TURNS", "UPDATED", "ENDPOINT", "TITLE"]
    assert lines[1].index("a ␛") == lines[0].index("TITLE") == lines[2].index("日本語")
    assert "⏎of two lines" in lines[1]
    assert lines[2].split()[1:3] == ["-", "-"]


def test_tabs_are_numbered_as_the_screen_numbers_them_whatever_their_places_on_the_disk_are():
    places = [(0, True), (4, True), (4, True), (7, False)]
    heads = [
        replace(head, position=place, is_open=is_open) for head, (place, is_open) in zip(HEADS, places, strict=True)
    ]
    assert [line.split()[1] for line in session_table(heads, short_ids(heads))[1:]] == ["1", "2", "3", "-"]
