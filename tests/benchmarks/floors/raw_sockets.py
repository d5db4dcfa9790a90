"""Floor: asyncio's own sockets and json, nothing on the screen but the end. `raw_sockets PORT`, then a prompt a line."""

import asyncio
import json
import sys


async def answer(port: int, prompt: str, said: list[str]) -> None:
    """Stream one answer into a list."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    messages = [{"role": "user", "content": prompt}]
    body = json.dumps({"model": "mock", "stream": True, "messages": messages}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        async for line in reader:
            if line.startswith(b"data: {"):
                said += (choice["delta"].get("content") or "" for choice in json.loads(line[6:])["choices"])
            elif line.startswith(b"data: [DONE]"):
                break
    finally:  # also when it is cancelled: what is still sent would be read beside what is measured next
        writer.close()
    print("".join(said)[-30:], flush=True)


async def main(port: int) -> None:
    """Take prompts for ever."""
    loop = asyncio.get_running_loop()
    prompts: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin, lambda: prompts.put_nowait(sys.stdin.readline()))
    running: set[asyncio.Task[None]] = set()
    print("READY", flush=True)
    while True:
        task = loop.create_task(answer(port, (await prompts.get()).strip(), []))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
