"""One session's live state while it streams. Pure: no network, no disk, no event loop, no clock of its own."""
