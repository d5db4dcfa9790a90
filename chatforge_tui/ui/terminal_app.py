"""The program as its terminal and desktop see it: what it says, its theme, the way out for text and links, the mouse.

Knows no session and no engine. Every text that leaves from here is clean.
"""

import logging
import os
from collections.abc import Coroutine, Sequence
from typing import cast

from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter
from textual.worker import Worker, WorkerState

from chatforge_tui.config.locations import Locations
from chatforge_tui.config.settings import Settings
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.clipboard import Clipboard
from chatforge_tui.ui.desk import Severity
from chatforge_tui.ui.line_filter import SafetyFilter
from chatforge_tui.ui.link_opener import LinkOpener
from chatforge_tui.ui.terminal_driver import TerminalDriver
from chatforge_tui.ui.terminal_keys import patch_terminal_keys
from chatforge_tui.ui.terminal_paste import patch_terminal_paste
from chatforge_tui.ui.theme_memory import ThemeMemory
from chatforge_tui.ui.themes import OWN_THEMES, THEME_DEFAULTS

_log = logging.getLogger("chatforge.ui")

SAY_S = 6.0
"""Seconds that a sentence stays on the screen."""


class TerminalApp(App[None], inherit_bindings=False):
    """An app on this terminal, before it is about anything."""

    _safety = SafetyFilter()

    def __init__(self, settings: Settings, locations: Locations, notices: Sequence[str]) -> None:
        """Prepare; nothing starts before the first frame.

        Args:
            settings: the configuration.
            locations: where the theme chosen last is remembered, and where a copy goes that has no other way.
            notices: sentences to tell at the start.
        """
        patch_terminal_keys()
        patch_terminal_paste()
        super().__init__()
        self.settings = settings
        self._notices = notices
        self._themes = ThemeMemory(locations.state_dir)
        self._terminal = TerminalDriver(None)
        self._copier = Clipboard(
            settings.ui,
            environ=os.environ,
            file=locations.state_dir / "copied.txt",
            terminal=lambda: self._terminal,
        )
        self._opener = LinkOpener(os.environ)
        self._choose_first_theme()

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver of this platform; on Unix the one that knows Esc at once."""
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver":
            return driver
        from chatforge_tui.ui.terminal_input import UnixDriver  # noqa: PLC0415 - not to be had on Windows

        return UnixDriver

    def toggle_mouse(self) -> None:
        """Give the mouse to the terminal, or take it back."""
        if self._terminal.toggle_mouse():
            self.say("ChatForge has the mouse again.")
        else:
            self.say("The terminal has the mouse: it selects text now.")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Add what our own themes define beyond Textual's variables, for the themes that do not."""
        return {**super().get_theme_variable_defaults(), **THEME_DEFAULTS}

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add the wall that no control character passes."""
        return [*super().get_line_filters(), self._safety]

    def _choose_first_theme(self) -> None:
        """Take the configured theme, else the one chosen last, else the default one."""
        for theme in OWN_THEMES:
            self.register_theme(theme)
        wanted = self.settings.ui.theme
        if wanted and wanted not in self.available_themes:
            self._notices = (*self._notices, f"There is no theme called {wanted}; see “theme” in the commands.")
        names = (wanted, self._themes.recall(), OWN_THEMES[0].name)
        self.theme = next(name for name in names if name in self.available_themes)

    def say(self, message: str, *, severity: Severity = "information") -> None:
        """Tell the user one sentence, once: said again while it is on the screen, it stays for longer."""
        self.unsay(message)
        self.notify(clean(message), markup=False, severity=severity, timeout=SAY_S)

    def unsay(self, message: str) -> None:
        """Take a sentence from the screen that is not true any more, if it is still there."""
        for said in [one for one in self._notifications if one.message == clean(message)]:
            self._unnotify(said)

    def start(self, job: Coroutine[object, object, None]) -> None:
        """Run a job beside the UI. A ChatForgeError that it raises is told to the user."""

        async def run() -> None:
            try:
                await job
            except ChatForgeError as error:
                self.say(sentence(error), severity="error")

        self.run_worker(run(), exit_on_error=False, group="jobs")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of a job that died of an error nobody foresaw."""
        if event.state is WorkerState.ERROR:
            _log.error("a job of the UI failed", exc_info=cast("Worker[object]", event.worker).error)
            self.say("That did not work: an error of ChatForge's own. The log says more.", severity="error")

    def copy_text(self, text: str, what: str) -> None:
        """Copy text, cleaned, and say what is known about that."""
        self._clipboard = clean(text)

        async def copy(copied: str) -> None:
            became = await self._copier.put(copied, what)
            self.say(became.message, severity=became.severity)

        self.start(copy(self._clipboard))

    def open_link(self, url: str) -> None:
        """Open a clean http or https URL in a browser with a window of its own; where there is none, copy it."""

        async def open_it() -> None:
            if await self._opener.open(url):
                self.say("Opened in the browser.")
            else:
                self.say("No browser with a window can be started from here.", severity="warning")
                self.copy_text(url, "address")

        self.start(open_it())

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open what a widget of Textual's wants opened the same way: `webbrowser` may start one on this terminal."""
        del new_tab
        self.open_link(url)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what a text field of Textual's cuts or copies, by the ways the user wants."""
        self._clipboard = text

        async def copy() -> None:
            await self._copier.put(text, "text")

        self.start(copy())

    def theme_names(self) -> tuple[str, list[str]]:
        """Return the theme in use, and all: ours first."""
        own = [theme.name for theme in OWN_THEMES]
        return self.theme, [*own, *sorted(name for name in self.available_themes if name not in own)]

    def use_theme(self, name: str) -> None:
        """Switch to a theme and remember it."""
        self.theme = name
        self._themes.keep(name)

    def repaint(self) -> None:
        """Draw the whole screen anew."""
        self.refresh(repaint=True, layout=True)


def sentence(error: ChatForgeError) -> str:
    """Return what happened and what to do."""
    return f"{error} {error.hint}".strip()
