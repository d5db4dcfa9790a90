"""One session's live state while it streams. Pure: no network, no disk, no event loop, no clock of its own.

What each stream has is a struct without a place in the garbage collector's list, 16 bytes less: nothing in here refers back.
"""
