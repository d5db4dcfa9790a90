"""Agents that speak the Agent2Agent protocol, versions 0.3 and 1.0, over JSON-RPC or HTTP+JSON with Server-Sent Events."""
