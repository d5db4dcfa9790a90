"""Floor: the smallest Textual program with a prompt."""

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class Bare(App[None]):
    """A word and a prompt."""

    def compose(self) -> ComposeResult:
        yield Static("READY")
        yield Input()

    def on_mount(self) -> None:
        self.query_one(Input).focus()


if __name__ == "__main__":
    Bare().run()
