"""A session: one conversation with one endpoint, shown as one tab."""

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.ids import ContextId, SessionId, TaskId
from chatforge_tui.domain.turn import TurnState


class EndpointRef(Struct, frozen=True, gc=False):
    """Which endpoint a session talks to. Survives a restart without the configuration that named it."""

    name: str
    """A name from the configuration, or a URL."""
    protocol: str = ""
    """"" = as configured (or detected for a URL)."""
    model: str = ""
    """"" = as configured."""
    token_env: str = ""
    """Name of the environment variable that holds the credential, for a URL given on the command line."""


class SessionHead(Struct, frozen=True, gc=False):
    """Everything about a session but its turns. Times are Unix seconds (UTC)."""

    session_id: SessionId
    endpoint: EndpointRef
    title: str
    """As received; clean it before it is shown."""
    title_is_manual: bool = False
    """The user named it: nothing renames it any more."""
    position: int = 0
    """Order among all open tabs, 0 = leftmost; unique among open sessions."""
    is_open: bool = True
    """It has a tab."""
    is_active: bool = False
    """It is the tab in front; at most one."""
    context_id: ContextId | None = None
    waiting_task: TaskId | None = None
    """The task that the next prompt answers."""
    draft: str = ""
    """What stands in the composer, unsent."""
    attachments: tuple[Attachment, ...] = ()
    """Files that go along with the next prompt."""
    anchor: str = ""
    """Where the reader was; opaque to everyone but the UI. "" = at the bottom, following."""
    unread: bool = False
    turns: int = 0
    """Number of turns, the unsent ones among them."""
    unsent: int = 0
    """Number of prompts that wait to be sent."""
    last_state: TurnState | None = None
    """State of the last turn that was sent; None before the first. Live is live: how far it is, its own head says."""
    created: float = 0.0
    updated: float = 0.0
    trashed: float | None = None
    """When it was deleted: it can be brought back until the trash is emptied."""
    held_by: str = ""
    """The other running program that alone may write in it, in words: "pid 4711 (/dev/pts/3)". "" = none does."""

    def without_tab(self) -> "SessionHead":
        """Return the session as one that is not among the tabs."""
        return replace(self, is_open=False, is_active=False)


class SessionPatch(Struct, frozen=True, gc=False):
    """A change to some fields of a SessionHead; None leaves a field as it is."""

    title: str | None = None
    title_is_manual: bool | None = None
    position: int | None = None
    is_open: bool | None = None
    is_active: bool | None = None
    draft: str | None = None
    anchor: str | None = None
    unread: bool | None = None
    endpoint: EndpointRef | None = None
    context_id: ContextId | None = None
    """ "" takes it back, as does waiting_task's: the session talks to another agent now."""
    waiting_task: TaskId | None = None

    def apply_to(self, head: SessionHead) -> SessionHead:
        """Return the head with this patch's fields changed."""
        changed = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        for name in ("context_id", "waiting_task"):
            if name in changed:
                changed[name] = changed[name] or None
        return replace(head, **changed)
