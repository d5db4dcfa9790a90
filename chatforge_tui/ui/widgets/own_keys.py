"""Keys of a place to write in, done in their turn.

Textual runs a widget's own bindings when the key has bubbled up to the app: behind what was typed right after it in the
same burst, as over a slow line. Ctrl+U would delete the words that follow it.
"""

from textual import events
from textual.binding import Binding
from textual.containers import ScrollableContainer
from textual.widget import Widget

_SCROLLING = frozenset(binding.action for binding in ScrollableContainer.BINDINGS if isinstance(binding, Binding))
"""What every widget with room to scroll inherits: where there is nothing to scroll, the key is that of who stands around it."""


async def do_own_binding(widget: Widget, event: events.Key) -> bool:
    """Do what a key is bound to in a widget itself, here and now; return whether it is bound to anything but scrolling."""
    bound = widget._bindings.key_to_bindings.get(event.key, ())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - they have no public face
    bindings = [binding for binding in bound if binding.action not in _SCROLLING]
    if bindings:
        event.stop()
        event.prevent_default()
    for binding in bindings:
        await widget.run_action(binding.action)
    return bool(bindings)
