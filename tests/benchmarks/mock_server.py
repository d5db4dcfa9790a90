"""A deterministic endpoint on a loopback port: `python -m tests.benchmarks.mock_server`, with its log on stdout.

Speaks OpenAI chat completions and Responses as SSE, and A2A 1.0 over JSON-RPC. What it says and how fast stands in the
prompt (see answers.py). Its log is one JSON object a line, with the time of CLOCK_MONOTONIC, which is the same in every
process: `listening` (port), `asked`, `first`, `last` (its last byte is with the kernel; the sha256 of the text),
`closed` (the client hung up), `cancelled` (an A2A task was taken back).
"""

import asyncio
import hashlib
import json
import sys
import time
from typing import Any

from tests.benchmarks.answers import Order, read_order, tokens_of
from tests.benchmarks.dialects import A2A, Dialect, OpenAIChat, OpenAIResponses, agent_card, task_of, text_in

UNLIMITED_BATCH = 16
"""Tokens in one write when there is no rate."""
SMALL_TALK = Order(2, 0, "")
"""What a request without an order gets: titles, probes."""


def log(event: str, **fields: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps({"event": event, "t": time.monotonic(), **fields}) + "\n")
    sys.stdout.flush()


def http_chunk(text: str) -> bytes:
    """Return one chunk of a chunked body."""
    data = text.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


class Connection:
    """One client's connection, request after request."""

    def __init__(self, server: "MockServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer

    async def serve(self) -> None:
        """Answer until the client hangs up."""
        try:
            while await self._serve_one():
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writer.close()

    async def _serve_one(self) -> bool:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ", 2)
        length = next((line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")), "0")
        body = await self._reader.readexactly(int(length))
        path = path.partition("?")[0].rstrip("/")
        if method == "POST":
            return await self._post(path, json.loads(body or b"{}"))
        if path.endswith("/models"):
            return self._reply(json.dumps({"object": "list", "data": [{"id": "mock", "object": "model"}]}))
        if "/.well-known/agent" in path:
            return self._reply(agent_card(self._server.base))
        return self._reply("{}", "404 Not Found")

    def _reply(self, text: str, status: str = "200 OK") -> bool:
        data = text.encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        self._writer.write(head.encode() + data)
        return True

    async def _post(self, path: str, request: dict[str, Any]) -> bool:
        self._server.count += 1
        number = self._server.count
        if path.endswith("/chat/completions"):
            return await self._answer(OpenAIChat(request, number), _last_order(request.get("messages")))
        if path.endswith("/responses"):
            return await self._answer(OpenAIResponses(request, number), _last_order(request.get("input")))
        params = request.get("params") or {}
        if request.get("method") == "SendStreamingMessage":
            return await self._answer(A2A(request, number), _last_order([params.get("message")]), task_of(number))
        if request.get("method") == "CancelTask":
            task = {"id": params.get("id"), "contextId": "-", "status": {"state": "TASK_STATE_CANCELED"}}
            self._server.cancelled.add(params.get("id"))
            return self._reply(json.dumps({"jsonrpc": "2.0", "id": request.get("id"), "result": task}))
        return self._reply("{}", "404 Not Found")

    async def _answer(self, dialect: Dialect, order: Order, task: str = "") -> bool:
        log("asked", name=order.name)
        gone = asyncio.get_running_loop().create_task(self._reader.read(1))
        self._writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
            b"transfer-encoding: chunked\r\n\r\n" + http_chunk(dialect.begin())
        )
        log("first", name=order.name)
        try:
            tokens = tokens_of(order)
            if not await self._speak(dialect, order, tokens, gone, task):
                return True
            self._writer.write(http_chunk(dialect.end(len(tokens), "".join(tokens))) + b"0\r\n\r\n")
            self._writer.transport.set_write_buffer_limits(high=0)
            await self._writer.drain()
            self._writer.transport.set_write_buffer_limits()
            log("last", name=order.name, sha256=hashlib.sha256("".join(tokens).encode()).hexdigest())
        except ConnectionError:
            log("closed", name=order.name)
            raise
        finally:
            is_gone = gone.done()
            gone.cancel()
            await asyncio.wait({gone})
        return not is_gone

    async def _speak(
        self, dialect: Dialect, order: Order, tokens: tuple[str, ...], gone: asyncio.Task[bytes], task: str
    ) -> bool:
        """Send the tokens when they are due. Returns False when the task was cancelled."""
        began = time.monotonic()
        sent = 0
        while sent < len(tokens):
            if order.rate:
                due = order.head_start + int((time.monotonic() - began) * order.rate) + 1
                if due <= sent:
                    await asyncio.wait(
                        {gone}, timeout=max(0.0, began + (sent - order.head_start) / order.rate - time.monotonic())
                    )
            else:
                due = sent + UNLIMITED_BATCH
                await asyncio.sleep(0)
            if gone.done():
                raise ConnectionResetError
            if task in self._server.cancelled:
                self._writer.write(http_chunk(dialect.cancelled()) + b"0\r\n\r\n")
                log("cancelled", name=order.name)
                return False
            # One chunk an event, as real servers write them; what is due goes in one write.
            self._writer.write(b"".join(http_chunk(dialect.token(text)) for text in tokens[sent:due]))
            sent = max(sent, due)
            await self._writer.drain()
        return True


def _last_order(messages: Any) -> Order:
    """Return what the newest message that orders anything orders."""
    for message in reversed(messages if isinstance(messages, list) else [messages]):
        if (order := read_order(text_in(message))) is not None:
            return order
    return SMALL_TALK


class MockServer:
    """What all connections share."""

    def __init__(self) -> None:
        self.count = 0
        self.base = ""
        self.cancelled: set[str] = set()

    async def run(self) -> None:
        """Listen until the process is ended."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await Connection(self, reader, writer).serve()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 26, backlog=2048)
        port = server.sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}/"
        log("listening", port=port)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(MockServer().run())
