"""A credential as a value that cannot be printed by accident.

Owns nothing but the wrapping. It must not be stored, logged or put into a message; `reveal` is called where the
credential leaves towards its endpoint, and nowhere else.
"""

from typing import NoReturn, final


@final
class Secret:
    """A credential. `repr`, `str` and formatting give `***`; pickling is refused."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap `value`, the credential as it goes over the wire."""
        self._value = value

    def reveal(self) -> str:
        """Return the credential itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")
