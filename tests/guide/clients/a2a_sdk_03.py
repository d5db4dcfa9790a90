"""Talks to an A2A agent with the official SDK, version 0.3; run by its own interpreter, prints one JSON object.

Usage: a2a_sdk_03.py URL TOKEN
"""

import asyncio
import json
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientJSONRPCError
from a2a.types import Message, Part, Role, TaskIdParams, TaskQueryParams, TextPart


def prompt(text, **ids):
    return Message(message_id=str(uuid.uuid4()), role=Role.user, parts=[Part(root=TextPart(text=text))], **ids)


def as_json(value):
    return value.model_dump(mode="json", by_alias=True, exclude_none=True) if value is not None else None


async def streamed(client, message):
    events = []
    async for task, update in client.send_message(message):
        events.append(as_json(update) or as_json(task))
    return events


async def main(url, token):
    found = {}
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        found["card"] = as_json(card)
        client = ClientFactory(ClientConfig(httpx_client=http)).create(card)
        found["plan"] = await streamed(client, prompt("show me a plan"))
        found["asked"] = await streamed(client, prompt("ask me something"))
        task = found["asked"][0]
        answer = "name: Ada\npart: key table\nentries: 2\ndetails: no"
        found["answered"] = await streamed(client, prompt(answer, task_id=task["id"], context_id=task["contextId"]))
        found["task"] = as_json(await client.get_task(TaskQueryParams(id=task["id"])))
        slow = client.send_message(prompt("stall"))
        first, _ = await anext(slow)
        following = client.resubscribe(TaskIdParams(id=first.id))
        snapshot, _ = await anext(following)
        found["snapshot"] = as_json(snapshot)
        found["canceled"] = as_json(await client.cancel_task(TaskIdParams(id=first.id)))["status"]["state"]
        found["rest"] = [as_json(update) async for _, update in following]
        try:
            await client.cancel_task(TaskIdParams(id=first.id))
        except A2AClientJSONRPCError as error:
            found["twice"] = f"{type(error).__name__} {error}"
        once = ClientFactory(ClientConfig(httpx_client=http, streaming=False)).create(card)
        found["whole"] = await streamed(once, prompt("echo in one piece"))
    print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
