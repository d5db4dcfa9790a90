"""How keys are called: in the configuration, by Textual, and to people.

Pure text work; what a key does is none of its business.
"""

_MODIFIERS = ("ctrl", "alt", "shift", "meta", "super", "hyper")
"""In the order in which a name spells them."""
_OTHER_NAMES = {
    "esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown",
    "pgdown": "pagedown", "page_up": "pageup", "page_down": "pagedown", "bksp": "backspace", "spacebar": "space",
    "control": "ctrl", "option": "alt", "cmd": "super",
    "?": "question_mark", "/": "slash", "\\": "backslash", "<": "less_than_sign", ">": "greater_than_sign",
    ".": "full_stop", ",": "comma", ";": "semicolon", ":": "colon", "-": "minus", "_": "underscore", "=": "equals_sign",
    "[": "left_square_bracket", "]": "right_square_bracket", "!": "exclamation_mark", "@": "at", "#": "number_sign",
    "$": "dollar_sign", "%": "percent_sign", "^": "circumflex_accent", "&": "ampersand", "*": "asterisk",
    "(": "left_parenthesis", ")": "right_parenthesis", "'": "apostrophe", '"': "quotation_mark", "`": "grave_accent",
    "~": "tilde", "|": "vertical_line", "{": "left_curly_bracket", "}": "right_curly_bracket",
}  # fmt: skip
"""Spellings people use, and what Textual calls the key."""
_SYMBOLS = {name: symbol for symbol, name in _OTHER_NAMES.items() if len(symbol) == 1} | {"plus": "+"}
_SHOWN = {
    "ctrl": "Ctrl", "alt": "Alt", "shift": "Shift", "meta": "Meta", "super": "Super", "hyper": "Hyper",
    "escape": "Esc", "enter": "Enter", "tab": "Tab", "space": "Space", "backspace": "Backspace", "delete": "Del",
    "insert": "Ins", "home": "Home", "end": "End", "pageup": "PgUp", "pagedown": "PgDn", "up": "Up", "down": "Down",
    "left": "Left", "right": "Right",
}  # fmt: skip
_NAMED = frozenset(_SHOWN) - frozenset(_MODIFIERS) | {f"f{number}" for number in range(1, 25)} | frozenset(_SYMBOLS)
_RAW = frozenset({"shift+\r", "ctrl+\r"})
"""What Textual calls Shift+Enter and Ctrl+Enter of terminals that send them in xterm's modifyOtherKeys form."""


def normalized(key: str) -> str | None:
    """Return Textual's name for a key as people may spell it, None when it is none."""
    if key in _RAW:
        return key
    *modifiers, base = _pieces(key)
    held = [_OTHER_NAMES.get(modifier.lower(), modifier.lower()) for modifier in modifiers]
    if not set(held) <= set(_MODIFIERS) or len(set(held)) < len(held):
        return None
    name = _base_name(base, shifted_letter_stays=not held)
    if name is None:
        return None
    return "+".join([*(modifier for modifier in _MODIFIERS if modifier in held), name])


def is_typed(name: str) -> bool:
    """Tell whether pressing the key (Textual's name) writes a character."""
    return len(name) == 1 or name == "space" or name in _SYMBOLS


def shown(name: str) -> str:
    """Return a key (Textual's name) as people read it: `ctrl+pagedown` is Ctrl+PgDn."""
    *modifiers, base = name.replace("\r", "enter").split("+")
    held = [_SHOWN[modifier] for modifier in modifiers]
    if base in _SYMBOLS:
        return "+".join([*held, _SYMBOLS[base]])
    named = _SHOWN.get(base) or (base.upper() if held or len(base) > 1 else base)
    return "+".join([*held, named])


def shown_all(names: tuple[str, ...]) -> list[str]:
    """Return all keys of an action as people read them, each once."""
    return list(dict.fromkeys(map(shown, names)))


def _pieces(key: str) -> list[str]:
    """Split at the plus signs; a last plus sign is the key itself."""
    if key == "+" or key.endswith("++"):
        return [*key[:-1].rstrip("+").split("+"), "plus"] if key != "+" else ["plus"]
    return key.strip().split("+")


def _base_name(base: str, *, shifted_letter_stays: bool) -> str | None:
    """Return Textual's name for the key without its modifiers."""
    if len(base) == 1 and base.isalnum():
        return base if shifted_letter_stays else base.lower()
    name = _OTHER_NAMES.get(base.lower(), base.lower())
    return name if name in _NAMED else None
