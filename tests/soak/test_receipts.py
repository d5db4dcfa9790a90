"""How late a killed program's text was is judged from when it came: these notes are made up."""

import json

import pytest

from tests.soak.receipts import Receipts


def noted(tmp_path, *notes):
    file = tmp_path / "notes"
    file.write_text("".join(json.dumps(note) + "\n" for note in notes))
    return Receipts(file).read()


def text(turn, length, came):
    return ("text", turn, length, came, came + 0.001)


def test_the_oldest_text_that_the_disk_does_not_have_counts(tmp_path):
    receipts = noted(tmp_path, text("a", 10, 1.0), text("a", 20, 2.0), text("b", 5, 1.5), text("b", 9, 3.0))
    assert receipts.late(4.0, {"a": 20, "b": 9}).came_s == 0.0
    assert receipts.late(4.0, {"a": 20, "b": 5}).came_s == 1.0
    assert receipts.late(4.0, {"a": 10, "b": 5}).came_s == 2.0
    assert receipts.late(4.0, {"a": 3, "b": 9}).came_s == 3.0
    assert receipts.late(4.0, {"b": 9}).came_s == 3.0


def test_text_that_was_replaced_by_shorter_text_counts_from_there(tmp_path):
    receipts = noted(tmp_path, text("a", 10, 1.0), text("a", 4, 2.0), text("a", 8, 3.0))
    assert receipts.late(4.0, {"a": 4}).came_s == 1.0


def test_a_note_that_the_kill_cut_is_nothing(tmp_path):
    file = tmp_path / "notes"
    file.write_text(json.dumps(text("a", 10, 1.0)) + '\n["text", "a", 2')
    assert Receipts(file).read().late(2.0, {"a": 10}) == (0.0, 0.0)


def test_since_when_the_store_had_it_is_told_too(tmp_path):
    late = noted(tmp_path, text("a", 10, 1.0), text("a", 20, 2.0)).late(4.0, {"a": 10})
    assert (late.came_s, late.given_s) == (2.0, pytest.approx(1.999))


def test_a_turn_grows_when_text_came_since(tmp_path):
    receipts = noted(tmp_path, text("a", 10, 1.0), text("b", 5, 3.0))
    assert (receipts.growing(0.0), receipts.growing(2.0)) == (2, 1)


def test_a_commit_that_the_kill_cut_took_until_then(tmp_path):
    whole = (("begin", 2, 1.0), ("commit", 2, 1.0, 1.25), ("begin", 0, 2.0), ("chore", 0, 2.0, 2.5))
    assert noted(tmp_path, *whole).work_ms(9.0) == [250.0, 500.0]
    assert noted(tmp_path, *whole, ("begin", 1, 8.0)).work_ms(9.0) == [250.0, 500.0, 1000.0]
