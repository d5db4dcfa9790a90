"""What can be configured: the settings, their types, limits, defaults and sentences.

Owns the vocabulary of `config.toml`. Reading the file is `load.py`, credentials are `credentials.py`; both go by what
stands here, and so does the configuration reference.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Protocol = Literal["a2a", "openai-chat"]
"""What an adapter speaks: a protocol that none does is refused when the file is read, not when a prompt is sent."""
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
CopyWay = Literal["auto", "osc52", "command", "off"]


BUILT_IN = "built-in"
"""Name of the endpoint that ChatForge brings along: the agent inside it. No configured endpoint may have it."""


class EndpointSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[endpoints.NAME]` table: where an agent answers, and how to ask it."""

    protocol: Annotated[Protocol, Meta(description="What the endpoint speaks.")]
    url: Annotated[str, Meta(description="Where it answers, http or https, without a user name or password.")]
    model: Annotated[str, Meta(description="Model to ask for; empty = the endpoint's own choice.")] = ""
    system: Annotated[str, Meta(description="Instruction that goes before every conversation.")] = ""
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None, Meta(description="Randomness, 0 to 2; unset = the endpoint's own.")
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Longest answer, in tokens; unset = the endpoint's own.")
    ] = None
    token_env: Annotated[str, Meta(description="Environment variable that holds the credential.")] = ""
    token_file: Annotated[str, Meta(description="File whose content is the credential; `~` is your home.")] = ""
    token_command: Annotated[
        tuple[str, ...], Meta(description="Command that prints the credential, as a list: program, arguments.")
    ] = ()
    token_keyring: Annotated[
        str, Meta(description="Keyring entry that is the credential, as service/user; needs `chatforge-tui[keyring]`.")
    ] = ""
    token_header: Annotated[
        str, Meta(description="Header that carries the credential as it is; empty = the protocol's own way.")
    ] = ""
    headers: Annotated[dict[str, str], Meta(description="Further headers; none of them a credential.")] = field(
        default_factory=dict[str, str]
    )
    a2a_version: Annotated[
        Literal["auto", "0.3", "1.0"],
        Meta(description="A2A only: the version to speak; auto = as the agent card says."),
    ] = "auto"
    use_card_url: Annotated[
        bool, Meta(description="A2A only: follow the agent card to another host, credential included.")
    ] = False
    verify: Annotated[bool, Meta(description="Whether the server's certificate is checked.")] = True
    ca_file: Annotated[str, Meta(description="PEM file with further certificate authorities.")] = ""
    client_cert: Annotated[str, Meta(description="PEM file with a client certificate.")] = ""
    client_key: Annotated[str, Meta(description="PEM file with its key, if it is not in the same file.")] = ""
    proxy: Annotated[
        str, Meta(description="Proxy URL for this endpoint; `direct` = none, empty = as the environment says.")
    ] = ""
    connect_s: Annotated[Seconds, Meta(description="Seconds until a connection must stand.")] = 10.0
    first_byte_s: Annotated[Seconds, Meta(description="Seconds until the first byte of an answer.")] = 120.0
    idle_s: Annotated[Seconds, Meta(description="Seconds without any byte until a stream counts as stalled.")] = 120.0
    progress_s: Annotated[
        Seconds, Meta(description="Seconds with nothing but keepalives until it counts as stalled.")
    ] = 300.0


class UiSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The `[ui]` table: how the terminal UI looks and behaves."""

    theme: Annotated[str, Meta(description="Name of a theme; empty = the one chosen last.")] = ""
    abort: Annotated[
        Literal["single", "double"], Meta(description="Whether one press of Esc stops an answer, or two.")
    ] = "single"
    enter: Annotated[
        Literal["replace", "queue"],
        Meta(description="What sending does while an answer runs: take its place, or wait until it is done."),
    ] = "replace"
    plan_dock: Annotated[
        Literal["auto", "on", "off"], Meta(description="When the plan has its own column; auto = where there is room.")
    ] = "auto"
    copy: Annotated[
        CopyWay,
        Meta(
            description="How text is copied: by asking the terminal (OSC 52), by a clipboard's program, auto = both, or off."
        ),
    ] = "auto"
    copy_command: Annotated[
        tuple[str, ...],
        Meta(
            description="Program that takes copied text on its standard input, as a list; empty = wl-copy and its like."
        ),
    ] = ()
    ascii: Annotated[bool, Meta(description="Draw marks and lines with ASCII only.")] = False
    reduced_motion: Annotated[bool, Meta(description="Nothing moves but text that arrives.")] = False


class FileSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The `[files]` table: what may be attached to a prompt, and where files of agents go."""

    attachment_limit: Annotated[
        int, Meta(ge=1, le=40, description="Largest file that can be attached to a prompt, in MiB.")
    ] = 10
    download_limit: Annotated[
        int, Meta(ge=1, le=1000, description="Largest file of an agent that is fetched from its address, in MiB.")
    ] = 50
    folder: Annotated[
        str, Meta(description="Folder for the files of agents; `~` is your home, empty = the one used last.")
    ] = ""
    total_limit: Annotated[
        int, Meta(ge=1, le=40, description="What the files of one prompt may be together, in MiB.")
    ] = 20


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of `config.toml`."""

    default_endpoint: Annotated[
        str,
        Meta(
            description="Endpoint of new sessions; empty = the first one below, or the built-in agent when there is none."
        ),
    ] = ""
    endpoints: Annotated[
        dict[str, EndpointSettings], Meta(description="The endpoints, each in a table `[endpoints.NAME]`.")
    ] = field(default_factory=dict[str, EndpointSettings])
    outbox: Annotated[
        Literal["ask", "auto"],
        Meta(
            description="What becomes of prompts whose endpoint cannot be reached: they wait for /send, or go by themselves, once, when it answers again."
        ),
    ] = "ask"
    trash_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Days until a deleted session is gone for good; 0 = never.")
    ] = 7
    keys: Annotated[
        dict[str, str | list[str]], Meta(description='Keys of actions: `"session.new" = "ctrl+n"`, or a list, or "".')
    ] = field(default_factory=dict[str, str | list[str]])
    files: Annotated[
        FileSettings, Meta(description="What may be attached to a prompt, and where files of agents go.")
    ] = FileSettings()
    ui: Annotated[UiSettings, Meta(description="How the terminal UI looks and behaves.")] = UiSettings()
