"""Looks host names up, each in a thread of its own: a name server that does not answer holds up nobody else.

`getaddrinfo` cannot be stopped, and without an answer it takes half a minute. In asyncio's own pool, which has four threads
more than the machine has cores, a few sessions whose network is gone kept all others from looking up anything, and the
program from ending, for that waits for the pool.
"""

import asyncio
import socket
import time
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

from msgspec import Struct

AddressInfo = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]
"""Family, type, protocol, canonical name, and the address proper: as `socket.getaddrinfo` tells it."""
Outcome = list[AddressInfo] | OSError | UnicodeError

_SHARED_S: Final = 2.0
"""For so long a look-up that still runs serves those who come later, too. After that another one may be answered sooner: the
network may be back."""


class _LookUp(Struct):
    """One that runs."""

    began: float
    waiting: list[asyncio.Future[list[AddressInfo]]]


_running: dict[tuple[str, int | None], _LookUp] = {}
_lock = Lock()


async def look_up(host: str, port: int | None) -> list[AddressInfo]:
    """Return the addresses of a host for TCP, the one that the system prefers first. Cancelling it leaves its thread behind.

    Raises:
        OSError: there is no such name, or nobody tells.
        UnicodeError: it cannot be a name.
    """
    key, now = (host, port), time.monotonic()
    future: asyncio.Future[list[AddressInfo]] = asyncio.get_running_loop().create_future()
    with _lock:
        running = _running.get(key)
        if running is None or running.began + _SHARED_S < now:
            running = _running[key] = _LookUp(now, [])
            try:
                # A daemon: the program does not wait for it when it ends.
                Thread(target=_run, args=(key, running), name="name look-up", daemon=True).start()
            except RuntimeError as error:
                del _running[key]
                raise OSError(str(error)) from error
        running.waiting.append(future)
    return await future


def addresses(found: list[AddressInfo]) -> list[str]:
    """Return the addresses alone, each once, in order."""
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _run(key: tuple[str, int | None], running: _LookUp) -> None:
    """Be the thread."""
    outcome = _get(*key)
    with _lock:
        if _running.get(key) is running:
            del _running[key]
    for future in running.waiting:
        with suppress(RuntimeError):  # its loop is closed: nobody waits any more
            future.get_loop().call_soon_threadsafe(_settle, future, outcome)


def _get(host: str, port: int | None) -> Outcome:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error


def _settle(future: asyncio.Future[list[AddressInfo]], outcome: Outcome) -> None:
    """Give the outcome to one who waits; each gets an error of their own, for each adds to where it came through."""
    if future.done():
        return
    if isinstance(outcome, list):
        future.set_result(outcome)
    else:
        future.set_exception(type(outcome)(*outcome.args))
