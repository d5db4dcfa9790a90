"""All faults of a connection, and what the program must do: the list that the tests are held against.

Common to all: only this session changes; the text received so far stays; the socket is closed within a second; the reason
is one sentence for people, with what to do next. A fault of the wire is tested against every protocol adapter, with the
scripted server of tests/servers/raw_server.py, by tests that carry its number in their names (`test_f24_…`, `test_f8_f9_…`,
`test_f13_to_f15_…`). What the adapters cannot decide alone is tested where it is decided: `elsewhere` says where.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One way in which things go wrong."""

    what: str
    required: str
    elsewhere: tuple[str, ...] = ()
    """More tests of it: "path below tests::name", a name may end in *."""


FAULTS: dict[int, Fault] = {
    1: Fault(
        "connection refused",
        "tried again at most twice with pauses that can be seen and stopped; then failed, host and port named",
        ("sessions/test_turns.py::test_what_could_not_be_sent_is_tried_again_with_growing_pauses_that_can_be_seen",),
    ),
    2: Fault("no such host", "as F1"),
    3: Fault("network or host unreachable", "as F1"),
    4: Fault("connecting takes longer than connect_s", "as F1"),
    5: Fault("TLS: unknown authority", "not tried again; the reason and the setting are named"),
    6: Fault("TLS: certificate of another host", "as F5"),
    7: Fault("TLS: expired", "as F5"),
    8: Fault("401", "not tried again; names where the credential came from, never its value"),
    9: Fault("403", "as F8"),
    10: Fault("404", "not tried again; names the path"),
    11: Fault(
        "429 with Retry-After in seconds",
        "waited for where it is short enough, in sight, stoppable; else failed with the time",
        ("sessions/test_turns.py::test_only_what_was_not_answered_at_all_is_tried_again",),
    ),
    12: Fault("429 with a date, or with nonsense", "as F11; nonsense: the usual pauses"),
    13: Fault("408", "tried again at most twice, only while nothing of an answer came"),
    14: Fault("5xx", "as F13; an A2A agent may have acted on the message after any but 503: it is not sent again"),
    15: Fault("529", "as F13"),
    16: Fault("400, 413, 422 with an error of the server", "its message is quoted, cleaned, at most 2 KB"),
    17: Fault("3xx", "refused, the target shown"),
    18: Fault("200 with another content type, such as a login page", "failed: not an event stream; quoted"),
    19: Fault("no head within first_byte_s", "failed with the limit and its setting"),
    20: Fault("silence in the middle for idle_s", "interrupted, text kept; A2A reads on with the task"),
    21: Fault("keepalives only for progress_s", "shown as waiting, interrupted at the limit"),
    22: Fault("reset in the middle", "interrupted at once"),
    23: Fault("truncated chunk, short body", "interrupted"),
    24: Fault("clean end without the protocol's own end", "interrupted, never complete"),
    25: Fault(
        "an end without a reason; an end by length or filter",
        "complete, the reason shown",
        ("endpoints/openai_chat/test_answer.py::test_*finish*",),
    ),
    26: Fault("invalid UTF-8; characters cut anywhere", "one U+FFFD a bad run; cuts change nothing"),
    27: Fault("events that are no JSON", "at most three are left out and counted, then failed; text kept"),
    28: Fault("JSON bombs: depth, digits, NaN", "tolerated or failed; nothing escapes"),
    29: Fault("an event of more than 8 MiB", "failed; memory within the cap and 16 MiB"),
    30: Fault("a turn of more than its limit; gzip bomb", "failed; memory flat"),
    31: Fault("an endless stream", "read on, at the cost of its text"),
    32: Fault("10,000 events at once", "nothing lost"),
    33: Fault("events delivered twice", "count once where ids tell events apart; text is never lost for it"),
    34: Fault("artifacts out of order", "the rules of the protocol; nothing crashes"),
    35: Fault("events after the end", "ignored"),
    36: Fault("unknown events, parts and fields", "kept as a notice; the stream goes on"),
    37: Fault("an error inside a stream of status 200", "failed with its message"),
    38: Fault("another call's id, another task, another context", "not mixed in; alone: failed"),
    39: Fault("every oddity of the event stream format", "as the standard says", ("endpoints/test_sse.py::test_*",)),
    40: Fault("a server that never closes after the end", "closed by us within a second"),
    41: Fault("a proxy: refused, 407, dying", "named as the proxy", ("endpoints/test_http_tls.py::test_a_tunnel_*",)),
    42: Fault("a connection that died while the computer slept", "given up 15 s after the wake, not at once"),
    43: Fault("another network: addresses that swallow everything", "another address is tried beside; else as F4"),
    44: Fault(
        "nobody reads: the screen stands still",
        "the server is held back; nothing lost, memory bounded",
        ("ui/test_bridge.py::test_a_terminal_that_does_not_read_delays_neither_stream_nor_store",),
    ),
    45: Fault("a byte at a time", "the same text"),
    46: Fault("a kept connection closed between turns", "replaced unseen"),
    47: Fault(
        "stop: while connecting, in the head, in the body, waiting to try again, saving",
        "aborted within 200 ms; the server sees the close; an A2A agent is told once, and its failure shown",
        (
            "sessions/test_races.py::test_an_abort_reaches_aborted_at_once_from_every_state",
            "sessions/test_races.py::test_an_agent_that_cannot_be_told_is_named_in_the_turn",
            "soak/test_abort.py::test_*",
        ),
    ),
    48: Fault(
        "the program ends with 50 streams",
        "within 2 s, all text on disk, the terminal as it was",
        ("acceptance/test_quit.py::test_f48_*",),
    ),
}
"""Number → fault."""
