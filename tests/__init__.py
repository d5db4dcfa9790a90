"""The test suite, and the command that checks everything: `python -m tests`."""
