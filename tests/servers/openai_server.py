"""An OpenAI-compatible server that keeps its own account of what it sent: in the test's own loop, or as a program.

What it does for which prompt:

    stream N tokens         N tokens of a2a_scenes.token(i), one every 10 ms, then the end of the stream
    send N tokens and hold  N tokens, and then nothing until the client closes
    stream until FILE       a token every 20 ms until FILE is there, then the end of the stream
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tests.servers.a2a_scenes import token

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


class OpenAiServer:
    """A running server."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: dict[str, str] = {}
        """Last prompt of a request -> the text that was sent for it so far."""
        self.messages: list[list[dict[str, Any]]] = []
        """The whole conversation of each request, oldest first."""
        self.hung_up: set[str] = set()
        """Prompts whose client closed before the end."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        if length is None:  # a question for the list of models
            writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            writer.close()
            return
        messages = json.loads(await reader.readexactly(int(length[1])))["messages"]
        self.messages.append(messages)
        content = messages[-1]["content"]
        prompt = content if isinstance(content, str) else content[-1].get("text", "")
        self.sent[prompt] = ""
        writer.write(_HEAD)
        try:
            await self._play(prompt, reader, writer)
        except ConnectionError:
            self.hung_up.add(prompt)
        except asyncio.CancelledError:  # the test is over; asyncio would log that nobody took notice
            pass
        finally:
            writer.close()

    async def _play(self, prompt: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = re.search(r"(\d+) tokens", prompt)
        until = re.search(r"until (\S+)", prompt)
        count = int(number[1]) if number else 1_000_000
        for index in range(count):
            if until and await asyncio.to_thread(Path(until[1]).exists):
                break
            await self._say(writer, {"content": token(index)})
            self.sent[prompt] += token(index)
            await self._rest(reader, 0.02 if until else 0.01)
        if prompt.endswith("hold"):
            await self._rest(reader, None)
        await self._say(writer, {}, finish="stop")
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()

    @staticmethod
    async def _rest(reader: asyncio.StreamReader, seconds: float | None) -> None:
        """Let time pass.

        Raises:
            ConnectionError: the client closed.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await reader.read(1)
                raise ConnectionError

    @staticmethod
    async def _say(writer: asyncio.StreamWriter, delta: dict[str, str], finish: str | None = None) -> None:
        chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        writer.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await writer.drain()


@asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAiServer]:
    """Run a server."""
    made = OpenAiServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield made


async def main() -> None:
    """Run as a program of its own: print the URL, then serve until the standard input closes."""
    async with openai_server() as server:
        print(server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
