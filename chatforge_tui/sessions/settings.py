"""The engine's limits. Every wait of the engine has one."""

from msgspec import Struct


class EngineSettings(Struct, frozen=True):
    """How long the engine waits and how much it keeps. All times in seconds."""

    max_retries: int = 2
    """Further tries of a request of which nothing was answered yet, >= 0."""
    backoff_first_s: float = 0.5
    """Pause before the first further try, when the server does not say; doubled for each next one."""
    backoff_most_s: float = 8.0
    retry_after_most_s: float = 120.0
    """A server that asks for a longer pause than this is not waited for."""
    rejoin_pauses_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    """Pauses before each try to read on with a task whose stream was lost. Tries that bring something new begin anew."""
    rejoin_stalled: int = 1
    """How often in a row, >= 0, a task is read on with of which nothing came for too long although it was connected."""
    keeps_unsent: bool = False
    """Whether a prompt of which nothing could leave waits in its session; otherwise its turn has failed."""
    sends_unsent: bool = False
    """Whether prompts that wait go by themselves when their endpoint answers again."""
    unsent_pauses_s: tuple[float, float] = (5.0, 60.0)
    """The first and the longest pause between two tries of an endpoint that prompts wait for; doubled after each."""
    takes_up: bool = False
    """Whether tasks that an earlier program left are read on with as soon as this one runs."""
    has_tabs: bool = False
    """Whether this program shows tabs: it holds their sessions, and the tabs of other living programs are not its own."""
    look_s: float | None = None
    """Pause between two looks at what other programs do on the store; None = it is not looked at."""
    store_retry_s: float = 2.0
    """Pause between two tries to open a store that could not be opened for writing."""
    take_over_s: float = 6.0
    """How long a program that is asked for a session may take to give it up."""
    take_over_pause_s: float = 0.1
    """Pause between two looks whether it has."""
    rejoin_at_once: int = 8
    """Sessions, > 0, that may ask their agents for a lost task at the same time."""
    turn_most_s: float | None = None
    """A turn that runs longer is interrupted; None = a turn may run for ever."""
    max_turn_chars: int = 64 * 1024 * 1024
    """Characters of text and bytes of files that one turn may bring."""
    idle_close_s: float = 60.0
    """When a session that does nothing gives its connection up."""
    abort_grace_s: float = 0.2
    """How long an aborted stream may take to close its socket before the engine goes on without it."""
    tell_agent_s: float = 5.0
    """How long telling an agent to stop may take. Nobody waits for it."""
    tell_notice_s: float = 0.05
    """How long the end of an aborted turn waits for the news that the agent could not be told."""
    shutdown_s: float = 2.0
    """How long the end of the program may take, the store's last writes aside."""
    pending_chars: int = 1024 * 1024
    """Streamed characters of one turn that wait for a subscriber that stands still; see event_bus."""
