"""ChatForge: a terminal client for many agent conversations at once."""

__version__ = "0.1.0"
