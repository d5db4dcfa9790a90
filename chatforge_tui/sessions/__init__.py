"""The engine: many sessions, each with its own worker. Knows ports, never an adapter; runs without a screen.

Everything here runs in one event loop and therefore needs no lock.
"""

from chatforge_tui.sessions.clock import Clock, SystemClock
from chatforge_tui.sessions.event_bus import ALL, Subscription
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.sessions.settings import EngineSettings

__all__ = ["ALL", "Clock", "EngineSettings", "SessionManager", "Subscription", "SystemClock"]
