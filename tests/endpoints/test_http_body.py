"""An answer's body is taken in as few pieces as it came in, to the byte, and its connection is kept."""

import asyncio
import itertools

import h11
import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.endpoints.http_body import pieces_of

EVENTS = [b"data: %d\n\n" % number for number in range(50)]
CHUNKED = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in EVENTS) + b"0\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def answered(*writes: bytes) -> tuple[list[bytes], str]:
    """Have an answer written piece by piece; return the body in pieces, and what became of the connection."""
    backend = httpcore.AsyncMockBackend(list(writes))
    async with httpcore.AsyncConnectionPool(network_backend=backend) as pool:
        request = httpcore.Request("GET", "http://host/", headers={"host": "host"})
        answer = await pool.handle_async_request(request)
        try:
            pieces = [piece async for piece in pieces_of(answer)]
        finally:
            await answer.aclose()
        return pieces, pool.connections[0].info() if pool.connections else "closed"


async def test_the_chunks_of_one_read_are_one_piece_and_the_connection_is_kept():
    pieces, connection = await answered(HEAD, CHUNKED)
    assert pieces == [b"".join(EVENTS)]
    assert "IDLE" in connection


@pytest.mark.parametrize("size", [1, 2, 7, 100])
async def test_where_it_is_cut_changes_nothing_but_the_pieces(size):
    whole = HEAD + CHUNKED
    pieces, connection = await answered(*(whole[at : at + size] for at in range(0, len(whole), size)))
    assert b"".join(pieces) == b"".join(EVENTS)
    assert all(pieces)
    assert "IDLE" in connection


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from(["%x", "%X", "00%x", "%x;name=value", "%x "]))
    ),
    st.sampled_from([b"\r\n", b"trailer: 1\r\n\r\n"]),
    st.lists(st.integers(0, 2000)),
)
def test_chunks_of_every_form_cut_anywhere_are_the_body(chunks, trailer, cuts):
    sizes = [(form % len(data)).encode() for data, form in chunks]
    whole = b"".join(b"%s\r\n%s\r\n" % (size, data) for size, (data, _) in zip(sizes, chunks, strict=True))
    whole += b"0\r\n" + trailer
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces, connection = asyncio.run(answered(HEAD, *(whole[begin:end] for begin, end in itertools.pairwise(places))))
    assert b"".join(pieces) == b"".join(data for data, _ in chunks)
    assert "IDLE" in connection


async def test_a_chunk_that_breaks_off_is_an_error_behind_what_came():
    backend = httpcore.AsyncMockBackend([HEAD, b"3\r\nabc\r\n5\r\nde"])
    async with httpcore.AsyncConnectionPool(network_backend=backend) as pool:
        answer = await pool.handle_async_request(httpcore.Request("GET", "http://host/", headers={"host": "host"}))
        pieces = pieces_of(answer)
        assert [await anext(pieces), await anext(pieces)] == [b"abc", b"de"]
        with pytest.raises(httpcore.RemoteProtocolError):
            await anext(pieces)
        await answer.aclose()


async def test_the_chunks_of_a_read_do_not_go_through_the_state_machine_of_h11(monkeypatch):
    taken = []
    original = h11.Connection.next_event
    monkeypatch.setattr(h11.Connection, "next_event", lambda state: taken.append(1) or original(state))
    await answered(HEAD, *(CHUNKED[at : at + 200] for at in range(0, len(CHUNKED), 200)))
    assert len(taken) < len(EVENTS)


async def test_a_body_with_a_length_and_one_that_ends_with_its_connection():
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
    assert (await answered(head + b"abc", b"def"))[0] == [b"abc", b"def"]
    assert b"".join((await answered(b"HTTP/1.1 200 OK\r\n\r\n", b"abc", b"def"))[0]) == b"abcdef"


async def test_what_came_before_an_error_comes_before_it():
    backend = httpcore.AsyncMockBackend([HEAD, b"3\r\nabc\r\n3\r\ndef\r\nnonsense\r\n"])
    async with httpcore.AsyncConnectionPool(network_backend=backend) as pool:
        answer = await pool.handle_async_request(httpcore.Request("GET", "http://host/", headers={"host": "host"}))
        pieces = pieces_of(answer)
        assert await anext(pieces) == b"abcdef"
        with pytest.raises(httpcore.RemoteProtocolError):
            await anext(pieces)
        await answer.aclose()


async def test_a_connection_that_cannot_be_asked_is_read_in_httpcores_way():
    async def body():
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"

    answer = httpcore.Response(200, content=body())
    assert [piece async for piece in pieces_of(answer)] == [b"a", b"b"]
