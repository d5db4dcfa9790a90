"""A real A2A server, made with the official SDK: runs under a2a-sdk 0.3 and 1.x alike, whichever is installed.

    python a2a_agent.py [--log FILE] [--port N] [--compat] [--rest-only] [--no-stream] [--token TOKEN] [--prefix /PATH]

Prints one line of JSON, {"url": ...}, once it listens. Writes what it received and sent to FILE, one JSON object a line:
{"event": "request" | "chunk" | "answer" | "cancel" | "end" | "dying", "task": ..., "context": ..., ...}.
What it does for which prompt stands in a2a_scenes.py.
"""

import argparse
import asyncio
import hashlib
import json
import socket
import sys
from pathlib import Path
from typing import Any

import a2a_scenes
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse

try:
    import a2a_speaker_v10 as sdk
    from a2a.compat import v0_3 as _compat  # noqa: F401 - only 1.x has it
except ImportError:
    import a2a_speaker_v03 as sdk


class Log:
    """The server's own account of what happened."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", encoding="utf-8") if path else None

    def __call__(self, event: str, **fields: Any) -> None:
        if self._file:
            self._file.write(json.dumps({"event": event, **fields}, ensure_ascii=True) + "\n")
            self._file.flush()


class Executor(sdk.AgentExecutor):
    """Plays scenes; a canceled task stops playing."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def execute(self, context: Any, event_queue: Any) -> None:
        speaker = sdk.SdkSpeaker(context, event_queue, self._log)
        message = context.message
        self._log(
            "request",
            task=speaker.task_id,
            context=speaker.context_id,
            message_id=message.message_id,
            names_task=message.task_id or "",
            names_context=message.context_id or "",
            text=speaker.prompt,
            values=speaker.values,
            files=[
                {"name": name, "type": kind, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, kind, data in speaker.files
            ],
        )
        task = asyncio.current_task()
        assert task is not None
        self._running[speaker.task_id] = task
        try:
            await a2a_scenes.play(speaker)
        finally:
            self._running.pop(speaker.task_id, None)
            self._log("end", task=speaker.task_id, context=speaker.context_id)

    async def cancel(self, context: Any, event_queue: Any) -> None:
        speaker = sdk.SdkSpeaker(context, event_queue, self._log)
        self._log("cancel", task=speaker.task_id, context=speaker.context_id)
        await speaker.status("canceled")
        if running := self._running.pop(speaker.task_id, None):
            running.cancel()


class Guard:
    """Lets only requests with the token pass; the card is public. Says which requests carried a credential."""

    def __init__(self, app: Any, token: str, log: Log) -> None:
        self._app = app
        self._token = token
        self._log = log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        credential = headers.get("authorization", "")
        self._log("http", method=scope["method"], path=scope["path"], credential=credential, headers=headers)
        is_card = "/.well-known/" in scope["path"]
        if self._token and not is_card and credential != f"Bearer {self._token}":
            await JSONResponse({"error": "a token is needed"}, 401)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--token", default="")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--card-url", default="", help="what the card says instead of the truth")
    parser.add_argument("--compat", action="store_true", help="1.x: serve version 0.3, too")
    parser.add_argument("--rest-only", action="store_true", help="offer HTTP+JSON only; 0.3: without --prefix")
    parser.add_argument("--no-stream", action="store_true", help="the card says that there is no streaming")
    options = parser.parse_args()
    listener = socket.create_server((options.host, options.port))
    url = f"http://{options.host}:{listener.getsockname()[1]}{options.prefix}/"
    log = Log(options.log)
    app = Starlette(routes=sdk.routes(Executor(log), options.card_url or url, options))
    config = uvicorn.Config(Guard(app, options.token, log), log_level="error", timeout_graceful_shutdown=1)
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
