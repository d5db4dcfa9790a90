"""Reading `config.toml`: text to settings, mistakes to sentences that name file, line, key and what was expected.

Owns the judgement of a configuration file. It reads that file and nothing else: no environment, no credential.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import msgspec

from chatforge_tui.config.endpoint_checks import Fault, find_fault
from chatforge_tui.config.keymap import find_problems
from chatforge_tui.config.reference import allowed_values
from chatforge_tui.config.settings import BUILT_IN, EndpointSettings, FileSettings, Settings, UiSettings
from chatforge_tui.config.toml_text import KeyPath, line_of
from chatforge_tui.errors import ConfigError

LARGEST = 2**20
"""Bytes of a configuration file."""

_TABLES = frozenset({"endpoints", "keys", "files", "ui"})
_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_AT = re.compile(r" - at `\$(?P<path>.*)`$")
_TOML_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a table", "datetime": "a time", "date": "a date", "time": "a time",
}  # fmt: skip
"""What msgspec calls the types of TOML, in the words of people who write it."""


def load_settings(path: Path) -> Settings:
    """Return what the file says; the defaults when there is no file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something that cannot be used.
    """
    text = _text_of(path)
    return _File(path, text).settings() if text else Settings()


def _text_of(path: Path) -> str:
    """Return the file's text, "" when there is no file."""
    if not path.exists():
        return ""
    if not path.is_file():
        raise ConfigError(f"{path} is no file.", hint="It must be a text file in TOML format.")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint="Check who owns it.") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{path} is larger than {LARGEST >> 20} MiB.", hint="It must be a text file in TOML format.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} line {line}: expected UTF-8 text.") from error


class _File:
    """One configuration file while it is judged."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def settings(self) -> Settings:
        """Return the settings, or raise at the first mistake."""
        data = self._parsed()
        self._refuse_credentials(data)
        self._check_names((), data, Settings.__struct_fields__)
        values = {key: value for key, value in data.items() if key not in _TABLES}
        self._check_words((), values, Settings)
        settings = msgspec.structs.replace(
            self._convert((), values, Settings),
            endpoints={
                name: self._endpoint(name, cast("object", value))
                for name, value in self._table(("endpoints",), data.get("endpoints", {})).items()
            },
            keys=self._keys(data.get("keys", {})),
            files=self._struct(("files",), data.get("files", {}), FileSettings),
            ui=self._struct(("ui",), data.get("ui", {}), UiSettings),
        )
        self._check_default(settings)
        return settings

    def _parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            place = _TOML_PLACE.search(str(error))
            line = place["line"] if place and place["line"] else str(self._text.count("\n") + 1)
            reason = _TOML_PLACE.sub("", str(error)).removesuffix(".")
            raise ConfigError(f"{self._path} line {line}: no valid TOML: {reason}.") from error
        except RecursionError as error:
            raise ConfigError(f"{self._path}: values stand too deep inside each other.") from error

    def _refuse_credentials(self, data: Mapping[str, Any]) -> None:
        fault = find_fault(data)
        if fault:
            self._refuse_fault(fault)

    def _refuse_fault(self, fault: Fault) -> NoReturn:
        raise self._error(fault.path, fault.message, hint=fault.hint)

    def _endpoint(self, name: str, value: object) -> EndpointSettings:
        if not name.strip() or "://" in name:
            raise self._error(("endpoints", name), "expected a name that is not empty and no URL")
        if name == BUILT_IN:
            raise self._error(("endpoints", name), "this name is taken by the agent inside ChatForge; choose another")
        return self._struct(("endpoints", name), value, EndpointSettings)

    def _keys(self, value: object) -> dict[str, str | list[str]]:
        keys = self._convert(("keys",), self._table(("keys",), value), dict[str, str | list[str]])
        for problem in find_problems(keys):
            raise self._error(("keys", problem.action_id), problem.message)
        return keys

    def _check_default(self, settings: Settings) -> None:
        name = settings.default_endpoint
        if name and name not in settings.endpoints and name != BUILT_IN:
            known = ", ".join([*settings.endpoints, BUILT_IN])
            raise self._error(("default_endpoint",), f"there is no endpoint {name!r}; expected one of {known}")

    def _table(self, path: KeyPath, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._error(path, f"expected a table, [{'.'.join(path)}]")
        return cast("dict[str, Any]", value)

    def _struct(self, path: KeyPath, value: object, kind: type[_Struct]) -> _Struct:
        table = self._table(path, value)
        self._check_names(path, table, kind.__struct_fields__)
        self._check_words(path, table, kind)
        return self._convert(path, table, kind)

    def _check_words(self, path: KeyPath, table: Mapping[str, Any], kind: type[msgspec.Struct]) -> None:
        for key, item in table.items():
            allowed = allowed_values(kind, key)
            if allowed and item not in allowed:
                raise self._error((*path, key), f"expected one of {', '.join(allowed)}")

    def _check_names(self, path: KeyPath, table: Mapping[str, Any], known: Collection[str]) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                meant = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
                raise self._error((*path, key), f"no such setting; {meant}")

    def _convert(self, path: KeyPath, value: object, kind: type[Any]) -> Any:  # noqa: ANN401 - what `kind` says
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            reason, inner = _translated(str(error))
            raise self._error((*path, *inner), reason) from error

    def _error(self, path: KeyPath, message: str, *, hint: str = "") -> ConfigError:
        line = line_of(self._text, path)
        place = f"{self._path} line {line}" if line else str(self._path)
        end = "" if message.endswith("?") else "."
        return ConfigError(f"{place}: {'.'.join(path)}: {message}{end}", hint=hint)


def _translated(message: str) -> tuple[str, KeyPath]:
    """Return msgspec's message in our words, and where it applies below the converted value."""
    at = _AT.search(message)
    inner = tuple(re.findall(r"\.([A-Za-z0-9_]+)", at["path"])) if at else ()
    reason = _AT.sub("", message)
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", reason):
        return f"{missing[1]} is missing", inner
    reason = re.sub(r"`([\w |]+)`", lambda types: _in_words(types[1]), reason)
    reason = re.sub(r"(-?\d+)\.0\b", r"\1", reason)
    return reason[:1].lower() + reason[1:], inner


def _in_words(types: str) -> str:
    return " or ".join(_WORDS.get(type_, type_) for type_ in types.split(" | ") if type_ != "null")
