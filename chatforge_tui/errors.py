"""The tree of every error that ChatForge raises on purpose.

ChatForgeError
├── ConfigError                 the configuration cannot be used; names file, line, key and what was expected
├── UnknownSession              no session has this id
├── FileRefused                 a file of this machine cannot be attached
├── SessionBusy                 another running program is answering in this session
├── EngineStopped               a command came after the engine had ended
├── StoreError                  the store cannot do what was asked
│   ├── StoreUnavailable        it cannot be opened or written: missing rights, full disk, I/O error
│   ├── StoreCorrupt            it is no ChatForge store, or damaged
│   ├── StoreTooNew             a newer ChatForge wrote it
│   ├── ContentLost             the content of an attachment is not there any more
│   └── StoreStopped            a fault of ChatForge itself ended the store
└── EndpointError               a request could not be answered
    ├── Unreachable             nothing was sent: refused, no such host, connect timeout, no route, proxy
    │   └── ProxyRefused        the proxy will not pass it on: another try ends in the same way
    ├── TlsFailed               the connection is not trusted
    ├── HttpRejected            the server answered with an error status before a stream began
    │   ├── Unauthorized        401 or 403
    │   └── RateLimited         429
    ├── ProtocolMismatch        what came back is not the protocol: wrong content type, bad JSON, redirect, no card
    │   ├── OtherHost           the agent card sends requests to a server that the user has not agreed to
    │   └── FileElsewhere       the server of a file sends on to one that the user has not agreed to
    ├── StreamLost              the stream broke off after it had begun
    │   └── TaskForgotten       the agent no longer knows the task
    ├── StreamStalled           no byte, or no progress, for longer than the limit
    └── LimitExceeded           the answer is larger than the limits allow

Every class carries a sentence for the person at the keyboard: `str(error)` says what happened, `error.hint` what to do.
Neither ever holds a credential. Programming mistakes are not in this tree.
"""

from typing import ClassVar


class ChatForgeError(Exception):
    """Base of the tree: something a person can be told about in one sentence."""

    kind: ClassVar[str] = "error"
    """A stable word for scripts; becomes `TurnProblem.kind`."""
    exit_code: ClassVar[int] = 1
    """What a command that ends with this error exits with; the README's table of exit codes lists them."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the two sentences: what happened, and what to do about it ("" = nothing to say)."""
        super().__init__(message)
        self.hint = hint


class ConfigError(ChatForgeError):
    """The configuration cannot be used."""

    kind = "config"
    exit_code = 2


class UnknownSession(ChatForgeError):
    """No session has this id."""

    kind = "unknown-session"
    exit_code = 4


class FileRefused(ChatForgeError):
    """A file of this machine cannot be attached: not there, no regular file, too large, not to be read."""

    kind = "file-refused"
    exit_code = 2


class SessionBusy(ChatForgeError):
    """Another running program is answering in this session."""

    kind = "busy"
    exit_code = 5


class EngineStopped(ChatForgeError):
    """A command came after the engine had ended."""

    kind = "engine-stopped"

    def __init__(self) -> None:
        """Say what every such command has to say."""
        super().__init__("The engine has stopped; nothing can be sent.", hint="Quit and start ChatForge again.")


class StoreError(ChatForgeError):
    """The store cannot do what was asked."""

    kind = "store"
    exit_code = 3


class StoreUnavailable(StoreError):
    """The store cannot be opened or written: missing rights, full disk, I/O error."""

    kind = "store-unavailable"


class StoreCorrupt(StoreError):
    """The file is no ChatForge store, or damaged."""

    kind = "store-corrupt"


class StoreTooNew(StoreError):
    """A newer ChatForge wrote this store."""

    kind = "store-too-new"


class ContentLost(StoreError):
    """The content of an attachment is not in the store any more, or damaged there."""

    kind = "content-lost"

    def __init__(self, name: str) -> None:
        """Say which file it is; the name is as it was attached: clean the sentence before it is shown."""
        super().__init__(f"The content of “{name}” is not in the store any more.", hint="Attach the file again.")


class StoreStopped(StoreError):
    """A fault of ChatForge itself ended the store: nothing is read or written any more."""

    kind = "store-stopped"
    exit_code = 70

    def __init__(self) -> None:
        """Say what every call from then on has to say."""
        super().__init__(
            "The store ended by a fault of ChatForge itself; nothing more can be saved.",
            hint="Quit and start ChatForge again; its log says more.",
        )


class EndpointError(ChatForgeError):
    """A request could not be answered."""

    kind = "endpoint"
    exit_code = 6
    state: ClassVar[str] = "failed"
    """The turn state this error leads to: "failed" or "interrupted"."""

    def __init__(
        self, message: str, *, hint: str = "", retryable: bool = False, retry_after: float | None = None
    ) -> None:
        """Keep whether another try may help.

        Args:
            message: what happened, one sentence.
            hint: what to do, one sentence.
            retryable: the same request may be sent again unasked, provided nothing of an answer was received.
            retry_after: seconds, >= 0, that the server asked to wait; None when it did not say.
        """
        super().__init__(message, hint=hint)
        self.retryable = retryable
        self.retry_after = retry_after


class Unreachable(EndpointError):
    """Nothing was sent: refused, no such host, connect timeout, no route, proxy. Retryable."""

    kind = "unreachable"


class ProxyRefused(Unreachable):
    """The proxy will not pass it on: it wants a password, or does not allow it. Not retryable."""

    kind = "proxy-refused"


class TlsFailed(EndpointError):
    """The connection is not trusted: unknown authority, wrong host, expired."""

    kind = "tls"


class HttpRejected(EndpointError):
    """The server answered with an error status before a stream began."""

    kind = "http"

    def __init__(
        self, message: str, *, status: int, hint: str = "", retryable: bool = False, retry_after: float | None = None
    ) -> None:
        """Keep the HTTP status (100 to 599) beside what EndpointError keeps."""
        super().__init__(message, hint=hint, retryable=retryable, retry_after=retry_after)
        self.status = status


class Unauthorized(HttpRejected):
    """401 or 403: the credential is missing, wrong, or not enough."""

    kind = "unauthorized"


class RateLimited(HttpRejected):
    """429: too many requests, or no credit."""

    kind = "rate-limited"


class ProtocolMismatch(EndpointError):
    """What came back is not the protocol: wrong content type, bad JSON, a redirect, no agent card."""

    kind = "protocol"


class OtherHost(ProtocolMismatch):
    """The agent card sends requests to a server that the user has not agreed to; nothing was sent there."""

    kind = "other-host"


class FileElsewhere(ProtocolMismatch):
    """The server of a file sends on to another origin that the user has not agreed to; nothing was sent there."""

    kind = "file-elsewhere"

    def __init__(self, message: str, *, target: str) -> None:
        """Keep the URL that it sends on to."""
        super().__init__(message, hint="Save the file again and agree to that server.")
        self.target = target


class StreamLost(EndpointError):
    """The stream broke off after it had begun: reset, truncated, or closed without its terminal marker."""

    kind = "lost"
    state = "interrupted"


class TaskForgotten(StreamLost):
    """The agent no longer knows the task whose stream was lost: there is nothing to read on with."""

    kind = "forgotten"


class StreamStalled(EndpointError):
    """No byte, or no progress, for longer than the limit."""

    kind = "stalled"
    state = "interrupted"


class LimitExceeded(EndpointError):
    """The answer is larger than the limits allow: one event, or the whole turn."""

    kind = "limit"
