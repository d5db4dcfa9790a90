"""The words the search knows: fillers it skips, words that mean about the same, names of keys. Data only."""

STOP_WORDS = frozenset(
    """
    a about actually again all also am an and another any anything app application are as at be been being but by
    can chatforge could did do does doing dont explain find for from get give go got had happen happens has have
    having hello help hey hi how i if in into is it its just kind know let like long lot many may me mean might
    mine more much must my need no not now of ok okay on one only or other our out please possible press pressed
    pressing program really say see should show so some somehow something sort still such sure tell than thank
    thanks that the their them then there these they thing this those to too understand up us use used using very
    want was way we well were what whats when where which while who why will with without wont work works would you
    your
    """.split()  # noqa: SIM905 - 140 quoted words would be unreadable
)
"""Words that say nothing about which passage is meant. What only frames a question ("how do I", "please") is here."""

SYNONYMS = (
    "session conversation chat tab thread dialog",
    "new open create start add",
    "close hide",
    "delete remove trash discard erase",
    "undo restore recover undelete",
    "stop abort cancel interrupt halt kill break",
    "switch next previous move change jump goto cycle navigate",
    "config configuration settings setting configure preferences options toml set",
    "file path directory folder place location stored saved",
    "theme colour color dark light look appearance colors",
    "key shortcut binding keybinding hotkey keyboard keys bind rebind remap",
    "model llm ollama",
    "local own self-hosted localhost loopback",
    "endpoint server agent backend url provider connect",
    "token credential password secret auth authentication login api-key apikey",
    "plan steps todo tasks progress",
    "fold collapse expand unfold hide details",
    "send sent submit ask",
    "newline multiline line-break linebreak paragraph",
    "quit exit leave end",
    "rename title name call",
    "copy clipboard yank",
    "search look grep query",
    "history earlier past old previous",
    "export save markdown html json",
    "script headless pipe stdin stdout automation batch shell terminal command command-line cli",
    "error problem fail failure failed wrong broken trouble troubleshoot cannot",
    "crash killed power-cut survive lost loss restart",
    "stall stalled hang hangs stuck frozen silent freeze",
    "certificate tls ssl https ca",
    "proxy firewall",
    "tmux screen ssh remote",
    "symbols glyphs characters boxes garbled ascii marks font icons unicode",
    "mark sign symbol icon dot bullet",
    "scroll follow bottom top page",
    "private privacy data telemetry leave leaves",
    "log logs logging debug",
    "version release",
    "reasoning thinking thoughts",
    "form question fields answer",
    "command palette commands menu",
    "tool tools function",
    "draft unsent composer prompt input",
    "exit-code code status return",
    "keepalive ping alive",
    "retry again resend repeat",
    "queue wait waiting",
    "protocol a2a openai",
    "animation motion spinner",
)
"""Groups of words, separated by spaces. A word may stand in several."""

KEY_NAMES = {
    "escape": "esc",
    "return": "enter",
    "ret": "enter",
    "del": "delete",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "pgup": "pageup",
    "spacebar": "space",
}
"""Other names of keys, to the one the search uses."""
