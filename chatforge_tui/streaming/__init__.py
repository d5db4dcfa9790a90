"""One session's live state, pure: no network, no disk, no clock of its own."""
