import base64
import json
import re
import time
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.safety.redact import SHORTEST, Redactor, redact_url, register
from chatforge_tui.safety.secret import Secret

secrets = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C", "Z"]), min_size=SHORTEST, max_size=60
)


def lower_escapes(text):
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), text)


def redactor(*values):
    known = Redactor()
    for value in values:
        known.register(Secret(value))
    return known


@given(secrets, st.binary(max_size=20), st.binary(max_size=20))
def test_a_credential_inside_base64_is_gone_at_every_alignment(value, before, after):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + value.encode() + after).decode()
        shown = redactor(value).redact(f"Authorization: Basic {encoded}")
        assert "***" in shown
        hidden = len(value.encode()) * 8 // 6 - 2
        assert len(shown) <= len(f"Authorization: Basic {encoded}") - hidden + len("***")


@given(secrets)
def test_raw_url_encoded_and_json_forms_are_gone(value):
    known = redactor(value)
    for form in (
        value,
        quote(value, safe=""),
        quote_plus(value),
        lower_escapes(quote(value, safe="")),
        json.dumps(value),
    ):
        shown = known.redact(f"before {form} after")
        assert "***" in shown
        assert value not in shown


@given(secrets)
def test_redacting_twice_is_redacting_once(value):
    known = redactor(value)
    text = f"x {value} {base64.b64encode(value.encode()).decode()} y"
    assert known.redact(known.redact(text)) == known.redact(text)


def test_a_credential_that_contains_another_goes_whole():
    assert redactor("abcdef", "abcdefghij").redact("abcdefghij") == "***"


def test_text_without_a_credential_stays():
    assert redactor("sk-123456").redact("nothing to see") == "nothing to see"
    assert Redactor().redact("sk-123456") == "sk-123456"


def test_what_is_too_short_to_be_a_credential_is_not_redacted():
    assert redactor("a", "", "abc").redact("abc a b c") == "abc a b c"


def test_a_credential_that_the_end_of_a_quotation_cuts_is_gone_too():
    known = redactor("sk-0123456789abcdef")
    for kept in range(SHORTEST, 19):
        cut = f"You sent {'sk-0123456789abcdef'[:kept]}"
        assert known.redact(cut, is_cut=True) == "You sent ***"
        assert known.redact(cut) == cut, "whole, it is no credential"
    assert known.redact("nothing of the sort", is_cut=True) == "nothing of the sort"


def test_a_host_name_that_was_a_credential_is_gone_in_lower_case():
    assert redactor("SK-Abcdef123").redact("http://sk-abcdef123.example/") == "http://***.example/"


def test_a_url_that_holds_a_credential_encoded_twice_shows_none():
    register(Secret("canary/of+urls"))
    twice = quote(quote("canary/of+urls", safe=""), safe="")
    assert redact_url(f"http://h/{twice}?x=%41") == "http://h/***?x=A"
    assert redact_url("http://h/%41") == "http://h/%41"


def test_a_long_text_is_redacted_at_the_pace_of_reading_it():
    known = redactor(*(f"sk-proj-{number}AbCdEf0123456789+/x" for number in range(5)))
    text = "An ordinary paragraph with words and bits of base64 QUJDREVG.\n" * 16_000
    began = time.process_time()
    assert known.redact(text) == text
    assert time.process_time() - began < 0.2, "a megabyte; 0.02 s on an ordinary machine, 0.3 s when case is ignored"
