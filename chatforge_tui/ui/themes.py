"""The two themes of ChatForge's own. Every theme that Textual ships works, too: widgets use theme variables only.

Muted text is a fixed colour here, not a transparency, so that its contrast is known: at least 4.5:1 on background,
surface and panel (tests/ui/test_themes.py).
"""

from textual.theme import Theme

DARK = Theme(
    name="chatforge-dark",
    dark=True,
    primary="#7aa9f7",
    secondary="#8fb7d9",
    accent="#7aa9f7",
    foreground="#d9dde5",
    background="#14171d",
    surface="#1a1e26",
    panel="#222732",
    success="#7fc98f",
    warning="#e3b564",
    error="#ec7a84",
    variables={
        "text": "#d9dde5",
        "text-muted": "#98a1b2",
        "text-disabled": "#6f788a",
        "block-cursor-foreground": "#14171d",
        "block-cursor-background": "#7aa9f7",
        "block-cursor-text-style": "none",
        "button-color-foreground": "#14171d",
        "input-selection-background": "#7aa9f7 35%",
        "footer-key-foreground": "#d9dde5",
        "scrollbar": "#2c3340",
        "scrollbar-hover": "#3b4455",
        "scrollbar-active": "#7aa9f7",
        "scrollbar-background": "#14171d",
        "scrollbar-background-hover": "#14171d",
        "scrollbar-background-active": "#14171d",
        "hairline": "#333a48",
    },
)

LIGHT = Theme(
    name="chatforge-light",
    dark=False,
    primary="#1f5fbf",
    secondary="#33658f",
    accent="#1f5fbf",
    foreground="#21252d",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e9e6df",
    success="#256b35",
    warning="#8a5a00",
    error="#b3303d",
    variables={
        "text": "#21252d",
        "text-muted": "#5a6170",
        "text-disabled": "#868c98",
        "block-cursor-foreground": "#fbfaf7",
        "block-cursor-background": "#1f5fbf",
        "block-cursor-text-style": "none",
        "button-color-foreground": "#fbfaf7",
        "input-selection-background": "#1f5fbf 25%",
        "footer-key-foreground": "#21252d",
        "scrollbar": "#d5d1c8",
        "scrollbar-hover": "#bdb8ad",
        "scrollbar-active": "#1f5fbf",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "hairline": "#d3cec3",
    },
)

THEME_DEFAULTS = {"hairline": "#808080 40%"}
"""For themes of others: a grey that shows on dark and on light grounds."""
OWN_THEMES = (DARK, LIGHT)
"""Registered by the app; the first is the default."""
