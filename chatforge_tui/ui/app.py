"""The application: what its widgets tell it becomes an action.

Owns no state: the life of the program and everything the actions need is in desk_app, what the engine tells in engine_desk.
"""

from typing import TYPE_CHECKING

from chatforge_tui.domain.counting import counted
from chatforge_tui.ui.engine_desk import EngineDesk
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.slash_commands import CommandTyped, CommandUnknown, PromptTyped, read_line
from chatforge_tui.ui.widgets.composer import Composer
from chatforge_tui.ui.widgets.empty_state import EmptyState
from chatforge_tui.ui.widgets.key_hints import KeyHints
from chatforge_tui.ui.widgets.tab_strip import TabStrip

if TYPE_CHECKING:  # each of them costs a start more than 10 ms
    from chatforge_tui.ui.transcript.messages import CopyRequested, FileChosen, FollowChanged, LinkChosen
    from chatforge_tui.ui.widgets.form_panel import FormPanel


class ChatForgeApp(EngineDesk, inherit_bindings=False):
    """The terminal program."""

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        """Send a prompt or run a command. The composer is emptied once it is known that somebody takes the text."""
        pane = self._book.current
        if not event.text.strip() and not (pane is not None and pane.head.attachments):
            return
        if pane is None:
            self._submit_alone(event.text)
            return
        if pane.reading:
            self.say(f"{pane.reading[0]} is still being read; Enter sends it when it stands above the prompt.")
            return
        match read_line(event.text):
            case CommandUnknown(message):
                self.say(message, severity="warning")
            case CommandTyped(command, argument):
                self._empty_composer(pane, event.text)
                self._run_command(command.action, argument, pane)
            case PromptTyped(text) if self._attaching.take_mentions(pane, text):
                pass  # they are shown first; the next Enter sends
            case PromptTyped(text):
                self._empty_composer(pane, event.text)
                self._attaching.forget_recalled(pane)
                self._turns.queue(pane, text) if event.is_queued else self._turns.send(pane, text)

    def _submit_alone(self, text: str) -> None:
        """Take what was written while there is no session, for the store cannot be opened: a prompt stays where it is."""
        line = read_line(text)
        if isinstance(line, CommandTyped):
            self._main.composer.show_draft("")
            self.do(line.command.action)
        elif self._main.trouble:
            self.say(self._main.trouble, severity="error")

    def _run_command(self, action: str, argument: str, pane: Pane) -> None:
        if action == "session.model":
            self._sessions.use_model(pane, argument)
        elif action == "turn.abort":  # typed out, it needs no second press and means nothing but this
            if pane.is_live or not self._files.stop(pane):
                self._turns.abort(pane)
        elif action == "prompt.queue":
            self._queue(argument, pane)
        elif action == "file.save":
            self._files.save(pane, argument)
        elif action == "prompt.attach":
            self._attaching.attach(pane, argument)
        elif action == "session.export":
            self._exchange.export(pane, argument)
        elif action == "session.import":
            self._exchange.take_in(argument)
        elif argument:
            self._sessions.rename(pane, argument)
        else:
            self.do_to(action, pane)

    def _queue(self, text: str, pane: Pane) -> None:
        if text:
            self._turns.queue(pane, text)
        else:
            self.say("/queue takes the prompt that is to be sent after the running answer.")

    def on_composer_recalled(self, event: Composer.Recalled) -> None:
        """An earlier prompt comes back with its files, as from the list of them; those of the one before it go."""
        pane = self._book.current
        if pane is not None:
            self._attaching.recall(pane, event.prompt)

    def on_composer_tabbed(self) -> None:
        """Tab: the form that waits, an example for an empty session, or the next widget."""
        form = self._main.form
        if form is not None:
            form.focus_first()
        elif not self._main.next_example():
            self._main.focus_next()

    def on_composer_paste_returned(self) -> None:
        """A paste that had become files is text again."""
        pane = self._book.current
        if pane is not None:
            self._attaching.give_back(pane)

    def on_composer_pasted(self, event: Composer.Pasted) -> None:
        """Say what was done to a paste."""
        if event.hidden:
            self.say(f"The paste held {counted(event.hidden, 'hidden or control character')}, shown as marks.")
        if event.cut:
            left_out = counted(event.cut, "character")
            self.say(f"The paste was too long for a prompt: without its last {left_out}.", severity="warning")

    def on_text_area_changed(self, event: Composer.Changed) -> None:
        """Keep the draft of the pane in front; it is saved when the typing rests."""
        pane = self._book.current
        if pane is None or not isinstance(event.text_area, Composer):
            return
        self._drafts.take(pane, event.text_area.text)

    def on_text_area_selection_changed(self, event: Composer.SelectionChanged) -> None:
        """Offer what completes the path at the cursor."""
        if isinstance(event.text_area, Composer):
            self._attaching.follow_cursor()

    def on_descendant_focus(self) -> None:
        """The hints depend on where the cursor is."""
        self._redraw_status()

    def on_form_panel_submitted(self, event: "FormPanel.Submitted") -> None:
        """Answer the agent's form."""
        pane = self._book.current
        if pane is not None:
            self._turns.answer_form(pane, event.form, event.answers)

    def on_form_panel_left(self) -> None:
        """Esc in a form: back to the composer."""
        self._main.go_back()

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """A tab was clicked."""
        self.bring_to_front(event.session_id)

    def on_tab_strip_close_asked(self, event: TabStrip.CloseAsked) -> None:
        """A tab's cross was clicked."""
        self.do_to("session.close", self._book.get(event.session_id))

    def on_tab_strip_new_asked(self) -> None:
        """The plus was clicked."""
        self.do("session.new")

    def on_key_hints_pressed(self, event: KeyHints.Pressed) -> None:
        """A hint was clicked."""
        self.do(event.action)

    def on_empty_state_chosen(self, event: EmptyState.Chosen) -> None:
        """An example was clicked."""
        self._main.composer.write(event.example)

    def on_follow_changed(self, event: "FollowChanged") -> None:
        """The view follows the end, or lines arrive below it."""
        self._main.new_lines = 0 if event.following else event.new_lines
        self._redraw_status()

    def on_copy_requested(self, event: "CopyRequested") -> None:
        """Something in the transcript is to be copied."""
        if event.text:
            self.copy_text(event.text, event.what)
        else:
            self.say(f"There is no {event.what} here to copy.")

    def on_file_chosen(self, event: "FileChosen") -> None:
        """A file in the transcript was chosen: ask where it shall go."""
        pane = self._book.current
        if pane is not None:
            self._files.ask(pane, event.file)

    def on_link_chosen(self, event: "LinkChosen") -> None:
        """Show where a link really leads, and ask."""
        self._program.ask_about_link(event.url)

    def _empty_composer(self, pane: Pane, taken: str) -> None:
        """The text was taken: nothing of it stays a draft, on the disk neither. What was typed behind it meanwhile does."""
        standing = self._main.composer.text
        rest = standing.removeprefix(taken) if standing.startswith(taken) else ""
        self._main.composer.show_draft(rest)
        self._drafts.take(pane, rest)
        self._drafts.save()
