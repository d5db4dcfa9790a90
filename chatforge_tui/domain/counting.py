"""Numbers of things in words."""


def counted(number: int, noun: str) -> str:
    """Return how many there are: "1 session", "2 sessions", "12,345 lines"; the noun is given for one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
