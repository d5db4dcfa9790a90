"""Distinct types for every identifier, and the one place that makes new ones.

Local ids are UUID version 7 (RFC 9562, section 5.7): they sort by the millisecond in which they were made, so an
index on them grows at one end. Ids that an agent gives (task, context) are opaque text of the agent's choosing.
"""

import os
import time
import uuid
from typing import NewType

SessionId = NewType("SessionId", str)
"""One conversation with one endpoint. Never the agent's context id: an agent may change that, and two tabs may share it."""

TurnId = NewType("TurnId", str)
"""One prompt and what the agent did with it."""

RequestId = NewType("RequestId", str)
"""One attempt to have a turn answered. What arrives under another request id than the current one changes nothing.

The first of a turn has the turn's id, for one text less in memory; each further one an id of its own.
"""

TaskId = NewType("TaskId", str)
"""An A2A task, named by the agent."""

ContextId = NewType("ContextId", str)
"""An A2A context (the agent's own idea of the conversation), named by the agent."""


def new_session_id() -> SessionId:
    """Return a fresh session id."""
    return SessionId(_uuid7())


def new_turn_id() -> TurnId:
    """Return a fresh turn id."""
    return TurnId(_uuid7())


def first_request_id(turn_id: TurnId) -> RequestId:
    """Return the id of a turn's first request."""
    return RequestId(turn_id)


def new_request_id() -> RequestId:
    """Return a fresh request id, for a further request of a turn."""
    return RequestId(_uuid7())


def _uuid7() -> str:
    """Build a UUIDv7: 48 bits of Unix milliseconds, 74 random bits, 6 fixed bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
