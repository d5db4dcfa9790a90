"""Values: ids, sessions, turns, parts, plans, events. Frozen; no I/O, no asyncio, no third party."""
