"""The command line: commands, options, and their words. What they do is elsewhere and imported when it is needed.

Owns the names and the help. `chatforge sessions` must not pay for the engine, nor `send` for the screen: every import
inside a function says what it costs.
"""
