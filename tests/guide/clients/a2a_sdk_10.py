"""Talks to an A2A agent with the official SDK, version 1.3; run by its own interpreter, prints one JSON object.

Usage: a2a_sdk_10.py URL TOKEN
"""

import asyncio
import json
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types.a2a_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskState,
)
from a2a.utils.errors import TaskNotCancelableError
from google.protobuf.json_format import MessageToDict


def prompt(text, **ids):
    message = Message(message_id=str(uuid.uuid4()), role=Role.ROLE_USER, parts=[Part(text=text)], **ids)
    return SendMessageRequest(message=message)


async def streamed(client, request):
    return [MessageToDict(event) async for event in client.send_message(request)]


async def main(url, token):
    found = {}
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        found["card"] = MessageToDict(card)
        client = ClientFactory(ClientConfig(httpx_client=http)).create(card)
        found["plan"] = await streamed(client, prompt("show me a plan"))
        found["asked"] = await streamed(client, prompt("ask me something"))
        task = found["asked"][0]["task"]
        answer = "name: Ada\npart: key table\nentries: 2\ndetails: no"
        found["answered"] = await streamed(client, prompt(answer, task_id=task["id"], context_id=task["contextId"]))
        found["task"] = MessageToDict(await client.get_task(GetTaskRequest(id=task["id"])))
        found["listed"] = MessageToDict(await client.list_tasks(ListTasksRequest(context_id=task["contextId"])))
        slow = client.send_message(prompt("stall"))
        first = MessageToDict(await anext(slow))
        following = client.subscribe(SubscribeToTaskRequest(id=first["task"]["id"]))
        found["snapshot"] = MessageToDict(await anext(following))
        canceled = await client.cancel_task(CancelTaskRequest(id=first["task"]["id"]))
        found["canceled"] = TaskState.Name(canceled.status.state)
        found["rest"] = [MessageToDict(event) async for event in following]
        try:
            await client.cancel_task(CancelTaskRequest(id=first["task"]["id"]))
        except TaskNotCancelableError as error:
            found["twice"] = type(error).__name__
        once = ClientFactory(ClientConfig(httpx_client=http, streaming=False)).create(card)
        found["whole"] = await streamed(once, prompt("echo in one piece"))
    print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
