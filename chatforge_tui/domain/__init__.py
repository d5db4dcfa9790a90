"""Values: ids, sessions, turns, parts, plans, events. Frozen; no I/O, no asyncio, no third party.

A value is made of values that were there before it, so none can be part of a cycle: `gc=False` saves 16 bytes of each,
and the collector's looking through all of a transcript.
"""
