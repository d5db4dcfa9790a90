"""The built-in agent: a real A2A and OpenAI-compatible server on loopback."""
