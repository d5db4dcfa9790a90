"""The hostile cases that were collected, and more of the same kinds."""

import codecs
import json
from dataclasses import dataclass
from pathlib import Path

from chatforge_tui.safety.clean import clean

_FILE = Path(__file__).parents[1] / "data" / "hostile" / "cases.json"


@dataclass(frozen=True)
class Case:
    """One payload at one entry."""

    id: str
    where: str
    payload: bytes
    required: str
    then: bytes = b""
    """A second delta."""

    @property
    def text(self) -> str:
        """The payload as the program gets to see it."""
        return self.payload.decode("utf-8", "replace")

    @property
    def whole(self) -> str:
        return self.text + self.then.decode("utf-8", "replace")

    @property
    def end(self) -> str:
        """A word that stands behind the payload, unlike every other."""
        return f"END{self.id.replace('-', '').replace('_', '').upper()}DNE"


def _bytes(escaped: str) -> bytes:
    return codecs.decode(escaped, "unicode_escape").encode("latin-1")


def collected() -> list[Case]:
    """Return the cases of the file."""
    return [
        Case(
            one["id"],
            one["where"],
            _bytes(one["bytes"]) * one.get("repeat", 1),
            one["required"],
            _bytes(one.get("then", "")),
        )
        for one in json.loads(_FILE.read_text("utf-8"))["cases"]
    ]


def squashed(text: str) -> str:
    """Return a text without the blanks that wrapping adds or takes."""
    return "".join(text.split())


SINK = (
    "A\x1b]52;c;ZXZpbA==\x07\x9b2J\x1b[?1049l\x1b]0;OWNED\x1b\\\x1bPq#0~\x1b\\\x1b_Ga=T;AAAA\x1b\\"
    "B\u202egnp\u200b\U000e0041\x7f\x00\x08\x0d[@click=app.quit]x[/nope][bold red]y[/]Z"
)
"""A little of everything, for one field each."""

_ZALGO = "Z" + "".join(chr(0x300 + index % 0x6F) for index in range(400)) + "algo"

OWN_DELTAS = {
    "cup-home": "\x1b[1;1HFAKE TITLE",
    "sgr-conceal": "\x1b[8mhidden\x1b[0m seen",
    "sgr-ansi": "\x1b[31mred\x1b[39m",
    "osc-c1-start": "\x9d0;title\x9cafter",
    "osc-bel-c1-mixed": "\x1b]52;c;ZXZpbA==\x9cafter",
    "osc-st-split": "\x1b]2;OWNED\x1b",
    "osc-nested": "\x1b]0;\x1b]52;c;ZXZpbA==\x07\x07tail",
    "osc-133": "\x1b]133;A\x07\x1b]633;P;Cwd=/\x07prompt marks",
    "osc-99-notify": "\x1b]99;i=1:d=0;Hello\x1b\\kitty note",
    "osc-50-font": "\x1b]50;?\x07font query",
    "osc-1337-url": "\x1b]1337;OpenURL=aHR0cHM6Ly9ldmls\x07iterm",
    "osc-5522-paste": "\x1b]5522;type=read\x1b\\kitty paste",
    "dcs-tmux": "\x1bPtmux;\x1b\x1b]52;c;ZXZpbA==\x07\x1b\\through tmux",
    "dcs-termcap-query": "\x1bP+q544e\x1b\\xtgettcap",
    "dcs-udk": "\x1bP0;0|17/0d\x1b\\user keys",
    "dcs-8bit-sixel": "\x90q#0;2;0;0;0~-\x9csixel",
    "apc-8bit": "\x9fGa=d\x9ckitty graphics",
    "kitty-file": "\x1b_Ga=T,t=t;L3RtcC90dHktZ3JhcGhpY3MtcHJvdG9jb2w=\x1b\\pic",
    "csi-8bit": "\x9b?1049hswitched",
    "csi-dsr": "\x1b[6n\x1b[5n\x1b[c\x1b[>c\x1b[=cwho are you",
    "csi-decrqm": "\x1b[?2026$p\x1b[?1$pmodes",
    "csi-modify-keys": "\x1b[>4;2m\x1b[>1ukeys",
    "csi-origin": "\x1b[?6h\x1b[5;5r\x1b[sregion\x1b[u",
    "csi-erase-chars": "password: \x1b[9X\x1b[10P\x1b[2Kgone",
    "csi-insert-mode": "\x1b[4h\x1b[20hmodes",
    "csi-print": "\x1b[5iprinted\x1b[4i",
    "csi-intermediate": "\x1b[!p\x1b[62\x22p soft reset",
    "csi-cancelled": "\x1b[31\x18mcan\x1b[32\x1asub",
    "csi-newline-inside": "\x1b[3\n1mbroken",
    "esc-keypad": "\x1b=\x1b>\x1b7\x1b8\x1bD\x1bM\x1bE\x1bHkeypad",
    "esc-charset": "\x1b%G\x1b%@\x1b(0\x1b)0\x1bN\x1bO\x1bnsets",
    "esc-at-end": "ends with\x1b",
    "shift-out-in": "\x0eqqq\x0f lines",
    "vt-ff": "a\x0bb\x0cc",
    "fs-gs-rs-us": "a\x1cb\x1dc\x1ed\x1fe",
    "cr-overwrite": "harmless                 \rEVIL",
    "cr-flood": "\r" * 500 + "after",
    "overlong-utf8-look": "\u00c0\u009b2Jafter",
    "c1-all": "".join(map(chr, range(0x80, 0xA0))) + "after",
    "c0-all": "".join(chr(code) for code in range(32) if code not in (9, 10)) + "after",
    "bidi-all": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061cafter",
    "trojan-source": "if access \u202e\u2066// check\u2069 \u2066{",
    "soft-hyphens": "pay\u00adpal\u00ad.com",
    "fillers": "a\u115f\u1160\u3164\uffa0b\u2800c\u17b4\u17b5d",
    "mongolian": "a\u180eb\u180b\u180c\u180dc\u180fd",
    "invisible-math": "f\u2061x\u2062y\u2063z\u2064w",
    "deprecated-format": "\u206a\u206b\u206c\u206d\u206e\u206fafter",
    "interlinear": "\ufff9base\ufffaruby\ufffbafter",
    "object-replacement": "a\ufffcb\ufffdc",
    "noncharacters": "a\ufffeb\uffffc\ufdd0d\U0001fffee",
    "private-use": "a\ue000b\U000f0000c",
    "musical-format": "a\U0001d173b\U0001d17ac",
    "shorthand-format": "a\U0001bca0b\U0001bca3c",
    "tags-flag": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "vs-on-letters": "a\ufe0fb\ufe00c\ufe0ed",
    "zwj-on-letters": "a\u200db\u200c\u200cc",
    "zwj-flood": "\U0001f468" + "\u200d" * 300 + "\U0001f469",
    "zero-width-flood": "a" + "\u200b" * 500 + "b",
    "zalgo": _ZALGO,
    "combining-first": "\u0301\u0301\u0301start",
    "regional-flood": "\U0001f1e6" * 101,
    "wide-flood": "\ufdfd\u5b57" * 60,
    "markup-at": "[@click=app.quit]quit[/] [@click='app.do(\"app.quit\")']x[/]",
    "markup-link": "[link=https://evil.example]bank[/link] [link='file:///etc/passwd']x[/]",
    "markup-close": "[/][/bold][/nope] [not a tag [unclosed",
    "markup-escapes": "\\[bold]x\\[/] [[bold]]y[[/]]",
    "markup-vars": "$primary $text [on $error]x[/] {0} {name!r} %s %(x)s",
    "html": "<script>alert(1)</script><!-- hidden --><b onclick=x>b</b>&lt;&#27;&#x9b;&#8238;",
    "entity-controls": "a&#27;]52;c;ZXZpbA==&#7;b&#x1b;[2J&#x202e;c&NewLine;d&#155;2J",
    "md-autolink-controls": "<https://evil.example/&#27;]52;c;x&#7;>",
    "md-link-title": '[x](https://evil.example "title\x1b]0;OWNED\x07")',
    "md-link-percent": "[x](https://evil.example/%1b]52;c;ZXZpbA==%07)",
    "md-link-data": "[x](data:text/html;base64,PHNjcmlwdD4=) [y](vbscript:x) [z](JaVaScRiPt:alert(1))",
    "md-link-lie": "[https://bank.example](https://evil.example)",
    "md-link-userinfo": "[x](https://bank.example@evil.example/)",
    "md-link-backslash": "[x](https:\\\\evil.example) <https://evil.example\\@bank.example>",
    "md-link-idn": "[x](https://\u0440\u0430ypal.com/) https://\u0440\u0430ypal.com/",
    "md-image-in-link": "[![x](https://evil.example/a.png)](https://evil.example/b)",
    "md-ref-controls": "[x][r]\n\n[r]: https://e.example/\x1b]52;c;ZXZpbA==\x07 'a\x9b2J'",
    "md-fence-info": "```\x1b]0;OWNED\x07python\nprint(1)\n```",
    "md-fence-open": "```\n\x1b]52;c;ZXZpbA==\x07",
    "md-table": "| a\x1b[2J | b\x9b31m |\n| --- | --- |\n| \x1b]0;x\x07 | \u202ey |",
    "md-heading": "# \x1b]2;OWNED\x07heading [bold]x[/]",
    "md-list": "- \x1b[2J\n  - \x9b2J\n    1. \u202e[/nope]",
    "md-quote": "> \x1b]0;OWNED\x07\n> > [/nope]",
    "md-footnote-html": "<details><summary>\x1b[2J</summary>[@click=app.bell]x</details>",
    "think-tags": "<think>\x1b]52;c;ZXZpbA==\x07</think>after",
}
"""Texts of an answer, each a case of its own."""

BOMBS = {
    "bomb-line": "x" * 1_000_000,
    "bomb-stars": "*a" * 20_000,
    "bomb-underscores": "_" * 20_000 + "x",
    "bomb-backticks": "".join("`" * n + " " for n in range(1, 300)),
    "bomb-links": "[a](" * 10_000,
    "bomb-link-close": "[" * 5_000 + "](x)" * 5_000,
    "bomb-images": "![" * 10_000,
    "bomb-emphasis": "**a " * 8_000 + "b** " * 8_000,
    "bomb-entities": "&#27;" * 10_000,
    "bomb-autolinks": "<https://" * 5_000,
    "bomb-bare-links": "https://a.example/" * 3_000,
    "bomb-refs": "".join(f"[r{n}]: https://e.example/{n}\n" for n in range(2_000)) + "[r1]",
    "bomb-table": "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + ("|" + "b|" * 1_000 + "\n") * 5,
    "bomb-table-rows": "|a|b|\n|-|-|\n" + "|c|d|\n" * 3_000,
    "bomb-deep-mix": "".join(("> " if n % 2 else "- ") for n in range(2_000)) + "x",
    "bomb-list-indent": "\n".join("  " * n + "- x" for n in range(300)),
    "bomb-ordered": "\n".join(f"{n}. x" for n in range(99_999_990, 99_999_999)) + "\n999999999999999999999. y",
    "bomb-fences": "```\n" * 2_001,
    "bomb-tabs": "\t" * 50_000 + "x",
    "bomb-combining": "e" + "\u0301" * 50_000,
    "bomb-wide": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 3_000,
    "bomb-cr": "\r" * 100_000,
    "bomb-backslashes": "\\" * 50_000,
    "bomb-html": "<a " * 10_000 + "<!--" * 3_000,
    "bomb-setext": "a\n" * 5_000 + "===",
    "bomb-code-line": "```python\n" + "x=(" * 20_000 + "\n```",
}
"""Answers that are dear to lay out."""


def own_deltas() -> list[Case]:
    """Return more answers of our own invention."""
    return [Case(f"own-{name}", "delta text", text.encode(), "no-control") for name, text in OWN_DELTAS.items()]


def bombs() -> list[Case]:
    """Return what must not stop the program."""
    return [Case(name, "delta text", text.encode(), "cap") for name, text in BOMBS.items()]


def is_plain(case: Case) -> bool:
    """Tell whether Markdown leaves the text of an answer as it is, so that the whole of it can be looked for."""
    return not case.id.startswith(
        ("md", "own-md", "deep", "esc-in", "own-html", "own-entity", "own-think")
    ) and not any(mark in case.text for mark in ("\\[", "<", "](", "&#", "\n", "__", "~"))


def shown(case: Case) -> str:
    """Return what a person gets to see of a plain case."""
    return squashed(clean(case.whole))
