"""Where an address may stand: never missed by the look that comes before linkify-it's."""

import random

from chatforge_tui.ui.transcript.inline import MAY_HOLD_ADDRESS, PARSER

SIGNS = ' \t\n(<>".-_/:@｜。éßſ名q'
WORDS = """
    // http https: HTTPS:// ftp: mailto: localhost www. example com py museum xn--p1ai .рф .de .COM
    192 .168. .1 0 3.5 e.g. a.b user ?x=1 #y
"""
PIECES = (*SIGNS, *WORDS.split())


def test_nothing_that_is_an_address_is_passed_over():
    chance = random.Random(1)
    for _ in range(20_000):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 6)))
        assert not PARSER.linkify.test(text) or MAY_HOLD_ADDRESS.search(text), text


def test_ordinary_text_is_not_looked_into():
    for text in ("A sentence. Another one: yes.", "3.5 of 10", "e.g. this", "a/b", "Note: it is.", "x.y"):
        assert not MAY_HOLD_ADDRESS.search(text), text
