import pytest

from chatforge_tui.config.toml_text import line_of

TEXT = '''top = 1
[a]
x = "[b]"
"quoted.key" = 2
long = """
[c]
y = 1
"""
z.deep = 3   # z
[a.'b c'.d]
x = [
  "q",
]
inline = { one = 1, two = 2 }
[[list]]
n = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("a",), 2),
        (("a", "x"), 3),
        (("a", "quoted.key"), 4),
        (("a", "long"), 5),
        (("c",), None),
        (("a", "z"), 9),
        (("a", "z", "deep"), 9),
        (("a", "b c", "d"), 10),
        (("a", "b c", "d", "x"), 11),
        (("a", "b c", "d", "inline", "two"), 14),
        (("a", "b c", "d", "missing"), 10),
        (("list",), 15),
        (("nothing", "here"), None),
    ],
)
def test_the_line_of_a_key_or_of_what_is_around_it(path, line):
    assert line_of(TEXT, path) == line
