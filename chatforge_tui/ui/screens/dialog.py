"""What every dialog has in common: a title, a quiet frame, one line that says how to leave."""

from typing import ClassVar, Generic, TypeVar

from textual._path import CSSPathType
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None], Generic[Result]):
    """A modal screen that Esc closes without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss"]

    _is_answered = False

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Give the answer and close, once: of Enter and Esc in one breath, the second closes nothing, nor crashes."""
        if self._is_answered or not self.is_current:
            return AwaitComplete.nothing()
        self._is_answered = True
        return super().dismiss(result)

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)

    @staticmethod
    def title_line(text: str) -> Static:
        """Return the widget for the dialog's title (cleaned text)."""
        return Static(Content(text), classes="dialog--title", markup=False)

    @staticmethod
    def hint_line(text: str) -> Static:
        """Return the widget for the dialog's last line, which names the keys."""
        return Static(Content(text), classes="dialog--hint", markup=False)
