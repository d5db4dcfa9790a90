import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.safety.file_names import LONGEST, safe_file_name


@given(st.text(max_size=300))
def test_every_name_is_rebuilt_from_a_safe_alphabet(name):
    rebuilt = safe_file_name(name)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", rebuilt)
    assert ".." not in rebuilt
    assert len(rebuilt) <= LONGEST
    assert safe_file_name(rebuilt) == rebuilt


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("../../.ssh/authorized_keys", "authorized_keys"),
        ("/etc/cron.d/x", "x"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("-rf", "rf"),
        (".bashrc", "bashrc"),
        ("CON.txt", "file_CON.txt"),
        ("lpt1", "file_lpt1"),
        ("", "file"),
        ("..", "file"),
        ("../../x\n[bold].md", "x_bold_.md"),
        ("Größe 1.csv", "Groe_1.csv"),
        ("日本語", "file"),
        ("a\x1b]52;c;x\x07.sh", "a_52_c_x_.sh"),
    ],
)
def test_hostile_and_ordinary_names(name, expected):
    assert safe_file_name(name) == expected


def test_a_long_name_keeps_its_extension():
    assert safe_file_name("a" * 500 + ".json") == "a" * (LONGEST - 5) + ".json"
