"""Floor: httpx, json and print. `httpx_print URL`, then a prompt a line; answers stream side by side.

With one answer at a time each token is written as it comes; of several at once only the ends, as no screen shows them.
"""

import asyncio
import json
import sys

import httpx


async def answer(client: httpx.AsyncClient, url: str, prompt: str, running: set[asyncio.Task[None]]) -> None:
    """Stream one answer."""
    said: list[str] = []
    body = {"model": "mock", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    async with client.stream("POST", url, json=body) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            for choice in json.loads(line[6:])["choices"]:
                said.append(choice["delta"].get("content") or "")
                if len(running) == 1:
                    print(said[-1], end="", flush=True)
    if len(running) > 1:
        print("".join(said)[-30:], flush=True)


async def main(url: str) -> None:
    """Take prompts for ever."""
    loop = asyncio.get_running_loop()
    prompts: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin, lambda: prompts.put_nowait(sys.stdin.readline()))
    running: set[asyncio.Task[None]] = set()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=None, trust_env=False, limits=limits) as client:
        print("READY", flush=True)
        while True:
            task = loop.create_task(answer(client, url, (await prompts.get()).strip(), running))
            running.add(task)
            task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
