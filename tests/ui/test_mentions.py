import pytest

from chatforge_tui.ui.folder_listing import FolderEntry, list_folder
from chatforge_tui.ui.mentions import BegunMention, begun_mention, mentions, offers, written


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("see @a.txt", ["a.txt"]),
        ("@a.txt", ["a.txt"]),
        ("(@a.txt)", []),
        ("see @a.txt.", ["a.txt.", "a.txt"]),
        ("see @a.txt, @b/c.d?", ["a.txt,", "a.txt", "b/c.d?", "b/c.d"]),
        ('see @"my notes.md" now', ["my notes.md"]),
        ('see @"my notes.md', []),
        ("ada@example.com", []),
        ("line\n@next\tend", ["next"]),
        ("@ @@x", ["@x"]),
        ("@a @a @a", ["a"]),
        ("", []),
        ("@~/x @/etc/hosts @../up", ["~/x", "/etc/hosts", "../up"]),
    ],
)
def test_what_a_prompt_mentions(text, paths):
    assert mentions(text) == paths


def test_there_is_an_end_to_mentions():
    assert len(mentions(" ".join(f"@f{number}" for number in range(10_000)))) == 20


@pytest.mark.parametrize(
    ("line", "begun"),
    [
        ("see @", BegunMention(4, "")),
        ("see @sr", BegunMention(4, "sr")),
        ('@"my no', BegunMention(0, "my no")),
        ('@"my notes.md" ', None),
        ("see @a b", None),
        ("ada@exam", None),
        ("", None),
    ],
)
def test_the_mention_at_the_cursor(line, begun):
    assert begun_mention(line) == begun


ENTRIES = [
    FolderEntry("src", is_folder=True),
    FolderEntry("my docs", is_folder=True),
    FolderEntry(".git", is_folder=True),
    FolderEntry("README.md", is_folder=False),
    FolderEntry("read me.txt", is_folder=False),
    FolderEntry("thread.log", is_folder=False),
]


def test_what_begins_so_is_offered_first_and_what_is_hidden_only_by_its_dot():
    assert offers(BegunMention(0, "rea"), ENTRIES) == ["README.md", "read me.txt", "thread.log"]
    assert offers(BegunMention(0, "../x/m"), ENTRIES[:3]) == ["../x/my docs/"]
    assert offers(BegunMention(0, ".g"), ENTRIES) == [".git/"]
    assert ".git/" not in offers(BegunMention(0, ""), ENTRIES)
    assert offers(BegunMention(0, "README.md"), ENTRIES[3:4]) == []


def test_what_is_written_is_read_back_as_the_same_mention():
    for path in ("a.txt", "my notes.md", "x/y z/w", "ü b"):
        assert mentions(f"see {written(path)} now") == [path]
    assert begun_mention(written("my docs/")) == BegunMention(0, "my docs/")


def test_a_folder_lists_folders_first_and_leaves_out_what_is_neither(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "A.txt").write_bytes(b"abc")
    (tmp_path / "to-b").symlink_to("b")
    (tmp_path / "nowhere").symlink_to("gone")
    assert [(one.name, one.is_folder, one.size, one.is_link) for one in list_folder(tmp_path)] == [
        ("b", True, 0, False),
        ("to-b", True, 0, True),
        ("A.txt", False, 3, False),
    ]
    assert list_folder(tmp_path / "gone") == ()
