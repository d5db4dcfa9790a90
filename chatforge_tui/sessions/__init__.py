"""The engine: SessionManager, SessionWorker, cleanup, event bus. Knows ports, never an adapter."""
