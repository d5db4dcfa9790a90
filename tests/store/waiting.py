"""Waiting for what a thread or another program does, and looking at a store past the program that writes it."""

import asyncio
import sqlite3
import time
from contextlib import closing


async def until(condition, within_s=10.0):
    """Wait until the condition holds; fails after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)


async def restart(store):
    """Play the end of a program and the start of the next one."""
    await store.close()
    await store.open()


def rows(path, statement, *values):
    """Read a store that others may be writing, as a program without our code would."""
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as db:
        return db.execute(statement, values).fetchall()


def change(path, statement, *values):
    """Write to a store behind its back."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement, values)
