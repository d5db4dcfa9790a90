import copy
import pickle
import traceback

import pytest

from chatforge_tui.safety.secret import Secret

VALUE = "sk-canary-0123456789"


def test_no_way_of_printing_shows_the_credential():
    secret = Secret(VALUE)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        repr({"k": secret}),
        repr([secret]),
    ]
    assert all(VALUE not in text for text in shown)
    assert str(secret) == "***"


def test_only_reveal_gives_it():
    assert Secret(VALUE).reveal() == VALUE


def test_it_is_not_pickled_or_copied_into_a_file():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE))
    with pytest.raises(TypeError):
        copy.copy(Secret(VALUE))


def test_a_traceback_with_it_in_a_message_shows_stars():
    error = ValueError(f"bad credential {Secret(VALUE)}")
    assert VALUE not in "".join(traceback.format_exception(error))


def test_equal_credentials_are_equal_and_an_empty_one_is_false():
    assert Secret(VALUE) == Secret(VALUE) != Secret("other")
    assert hash(Secret(VALUE)) == hash(Secret(VALUE))
    assert Secret(VALUE) != VALUE
    assert not Secret("")
