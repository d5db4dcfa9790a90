"""Floor: Textual's own way, a Markdown widget and its stream in each tab. Enter sends, Escape stops, Ctrl+N opens a tab."""

import json
import sys

import httpx
from textual import work
from textual.app import App, ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Markdown, Static, TabbedContent, TabPane


class Session(Vertical):
    """One conversation."""

    DEFAULT_CSS = "Session, Session VerticalScroll { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield VerticalScroll()
        yield Input()

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        prompt, event.input.value = event.value, ""
        self.ask(prompt)

    @work(exclusive=True, group="answer")
    async def ask(self, prompt: str) -> None:
        log = self.query_one(VerticalScroll)
        await log.mount(markdown := Markdown())
        log.anchor()
        stream = Markdown.get_stream(markdown)
        body = {"model": "mock", "stream": True, "messages": [{"role": "user", "content": prompt}]}
        try:
            async with self.app.client.stream("POST", sys.argv[1], json=body) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        for choice in json.loads(line[6:])["choices"]:
                            if text := choice["delta"].get("content"):
                                await stream.write(text)
        finally:
            await stream.stop()


class Tabs(App[None]):
    """All conversations."""

    BINDINGS = [("ctrl+n", "new", "New"), ("escape", "stop", "Stop")]  # noqa: RUF012 - as Textual has it

    def compose(self) -> ComposeResult:
        yield Static("READY")
        yield TabbedContent()

    async def on_mount(self) -> None:
        limits = httpx.Limits(max_connections=None)
        self.client = httpx.AsyncClient(timeout=None, trust_env=False, limits=limits)
        await self.action_new()

    async def action_new(self) -> None:
        tabs = self.query_one(TabbedContent)
        number = tabs.tab_count + 1
        await tabs.add_pane(TabPane(f"s{number}", Session(), id=f"t{number}"))
        tabs.active = f"t{number}"
        self.query_one(f"#t{number} Input", Input).focus()

    def action_stop(self) -> None:
        self.workers.cancel_all()


if __name__ == "__main__":
    Tabs().run()
