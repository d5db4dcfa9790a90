"""The built-in agent: a real A2A and OpenAI-compatible server on loopback.

It is not a model. It answers questions about ChatForge from the program's own reference (the same key table, command
list and settings the program itself runs on), and shows on request what the program can do. Imported by cli alone.
"""
