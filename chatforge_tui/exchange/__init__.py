"""Sessions as files: what an export writes and an import reads, for the command line and for the screen."""
