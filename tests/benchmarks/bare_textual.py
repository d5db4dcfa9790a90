"""The floor of a start: a Textual program with one line of text and one field. Run by `tests.benchmarks.startup`."""

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class Bare(App[None]):
    """Nothing but Textual."""

    def compose(self) -> ComposeResult:
        yield Static("Enter send")
        yield Input(placeholder="prompt")

    def on_mount(self) -> None:
        self.query_one(Input).focus()


if __name__ == "__main__":
    Bare().run()
