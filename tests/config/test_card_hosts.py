"""What the user answered about servers that agent cards name: kept, bound to endpoint and both origins, never guessed."""

import json

import pytest
from msgspec.structs import replace

from chatforge_tui.config.card_hosts import CardHostQuestion, CardHosts, Permission

ASKED = CardHostQuestion("platform", "https://a.example:443", "https://b.example:443", "env TOKEN")


def test_a_question_is_open_until_it_is_answered_and_the_answer_outlives_the_program(tmp_path):
    hosts = CardHosts(tmp_path)
    assert hosts.permission(ASKED) is None
    assert hosts.permission(ASKED) is None
    assert hosts.question("platform") == ASKED
    assert hosts.answer(ASKED, Permission.WITHOUT_CREDENTIAL)
    again = CardHosts(tmp_path)
    assert again.permission(ASKED) is Permission.WITHOUT_CREDENTIAL
    assert again.question("platform") == replace(ASKED, answer=Permission.WITHOUT_CREDENTIAL)
    assert again.question("other") is None


@pytest.mark.parametrize(
    "changed",
    [{"endpoint": "other"}, {"configured": "https://c.example:443"}, {"named": "https://b.example:444"}],
)
def test_an_answer_holds_for_one_endpoint_and_one_pair_of_origins(tmp_path, changed):
    hosts = CardHosts(tmp_path)
    hosts.answer(ASKED, Permission.WITH_CREDENTIAL)
    assert hosts.permission(replace(ASKED, **changed)) is None


def test_the_file_is_its_owners_alone_and_holds_no_credential(tmp_path):
    CardHosts(tmp_path / "state").answer(ASKED, Permission.REFUSED)
    (file,) = (tmp_path / "state").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())[0]["answer"] == "refused"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"7",
        b'[7, null, {"endpoint": 1}]',
        b"\xff\xfe",
        json.dumps([{"answer": "with"}]).encode(),
    ],
)
def test_a_file_that_cannot_be_understood_agrees_to_nothing(tmp_path, content):
    (tmp_path / "card-hosts.json").write_bytes(content)
    assert CardHosts(tmp_path).permission(ASKED) is None


def test_an_answer_that_is_none_of_the_known_ones_is_no_agreement(tmp_path):
    hosts = CardHosts(tmp_path)
    hosts.answer(ASKED, Permission.WITH_CREDENTIAL)
    file = tmp_path / "card-hosts.json"
    file.write_text(file.read_text().replace("with-credential", "yes"))
    assert hosts.permission(ASKED) is None


def test_where_nothing_can_be_written_nothing_is_agreed_to(tmp_path):
    (tmp_path / "state").write_text("a file where a directory should be")
    hosts = CardHosts(tmp_path / "state")
    assert hosts.permission(ASKED) is None
    assert not hosts.answer(ASKED, Permission.WITH_CREDENTIAL)
