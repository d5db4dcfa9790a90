import logging
import threading

import pytest

from chatforge_tui.cli import logging_setup
from chatforge_tui.cli.logging_setup import current_log, start_logging
from chatforge_tui.safety.redact import register
from chatforge_tui.safety.secret import Secret


@pytest.fixture
def log_file(tmp_path):
    return start_logging(tmp_path / "deep" / "log" / "chatforge.log")


def test_the_log_is_private_and_holds_the_ids(log_file):
    logging.getLogger("chatforge.sessions").info(
        "starting new stream for session", extra={"session_id": "s-1", "request_id": "r-1"}
    )
    text = log_file.read_text()
    assert text.endswith("Z INFO chatforge.sessions starting new stream for session session_id=s-1 request_id=r-1\n")
    assert log_file.stat().st_mode & 0o777 == 0o600
    assert current_log() == log_file


def test_ids_that_the_text_names_are_not_repeated(log_file):
    logging.getLogger("chatforge.sessions").info("session s-1", extra={"session_id": "s-1"})
    assert log_file.read_text().count("s-1") == 1


def test_a_credential_and_a_control_character_never_reach_the_log_not_even_in_a_traceback(log_file):
    register(Secret("canary-in-a-log-1"))
    try:
        int("canary-in-a-log-1\x1b]52;c;x\x07")
    except ValueError:
        logging.getLogger("chatforge").exception("failed with %s", "canary-in-a-log-1")
    text = log_file.read_text()
    assert "canary" not in text
    assert text.count("***") >= 2
    assert "\x1b" not in text
    assert "Traceback" in text
    assert text.count("\n") == 1


def test_the_loggers_that_write_urls_are_quiet(log_file):
    logging.getLogger("httpx").info("HTTP Request: GET https://u:pw@x?key=secret")
    logging.getLogger("httpcore.http11").debug("send_request_headers")
    logging.getLogger("httpx").warning("told")
    assert log_file.read_text().count("\n") == 1


def test_the_log_does_not_grow_without_bound(log_file, monkeypatch):
    [handler] = [one for one in logging.getLogger().handlers if isinstance(one, logging_setup.PrivateFileHandler)]
    handler.maxBytes = 2_000
    for number in range(200):
        logging.getLogger("chatforge").info("line %d with some words to fill it", number)
    files = sorted(one.name for one in log_file.parent.iterdir())
    assert files == ["chatforge.log", "chatforge.log.1", "chatforge.log.2", "chatforge.log.3"]
    assert all(one.stat().st_size <= 2_000 for one in log_file.parent.iterdir())
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in log_file.parent.iterdir())


def test_starting_again_moves_the_log(log_file, tmp_path):
    other = start_logging(tmp_path / "other.log")
    logging.getLogger("chatforge").info("here")
    assert "here" in other.read_text()
    assert not log_file.exists()


def test_a_place_that_cannot_be_written_costs_the_record_not_the_program(tmp_path, log_file, capsys):
    (tmp_path / "file").write_text("")
    start_logging(tmp_path / "file" / "chatforge.log")
    thread = threading.Thread(target=logging.getLogger("chatforge").info, args=("lost",))
    thread.start()
    thread.join()
    assert capsys.readouterr().err == ""
