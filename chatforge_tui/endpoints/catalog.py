"""Endpoints by name: from the configuration, from the program, or from a URL, to the adapter that speaks with them.

Owns which adapter serves which protocol, and what of the settings goes where. Opens no socket, and no credential leaves it
but inside `HttpSettings`, bound to the origin that the user configured.
"""

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from typing import Final

from msgspec import Struct, structs

from chatforge_tui.config import credentials
from chatforge_tui.config.card_hosts import CardHostQuestion, CardHosts, Permission
from chatforge_tui.config.endpoint_checks import url_faults
from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.endpoints.detection import detect_protocol
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.endpoints.late_endpoint import Adapter, LateEndpoint
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings, is_azure
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.secret import Secret

PROTOCOLS: Final = ("a2a", "openai-chat")
"""What ChatForge can speak, in the words of the configuration."""


class EndpointCatalog:
    """Makes connections by name. Matches `ports.Endpoints`."""

    def __init__(
        self,
        settings: Settings,
        extra: Mapping[str, EndpointSettings] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        card_hosts: CardHosts | None = None,
    ) -> None:
        """Keep what names stand for.

        Args:
            settings: the configuration.
            extra: endpoints that the program brings along; they win over configured ones of the same name.
            environ: where credentials are looked up; None = this process's environment.
            card_hosts: what the user answered about other servers that agent cards name; None = nobody can be asked.
        """
        self._settings = settings
        self._extra = extra or {}
        self._environ = os.environ if environ is None else environ
        self._card_hosts = card_hosts
        self._detected: dict[str, str] = {}
        """URL to protocol, for URLs that nobody named a protocol for; found out once a run."""

    def names(self) -> tuple[str, ...]:
        """Return every name that `connect` knows: configured ones in their order, then the program's own."""
        return tuple(dict.fromkeys((*self._settings.endpoints, *self._extra)))

    def connect(self, ref: EndpointRef) -> Adapter:
        """Return a connection of its own for one session; opens no socket yet.

        Raises:
            ConfigError: no such endpoint, or its settings or credential cannot be used.
        """
        protocol, settings = self.look_up(ref)
        name = "" if "://" in ref.name else ref.name
        if protocol and protocol not in PROTOCOLS:
            raise ConfigError(
                f"The protocol {protocol!r} of the endpoint {ref.name!r} cannot be spoken.",
                hint=f"Known are {', '.join(PROTOCOLS)}.",
            )
        if protocol and credentials.is_fixed(settings, self._environ):
            secret = credentials.resolve(settings, self._environ)
            http = http_settings(name, protocol, settings, secret)
            return _adapter(protocol, settings, http, self.asked_of(ref.name, http))
        if not credentials.may_prompt(settings, self._environ):
            credentials.resolve(settings, self._environ)  # what is missing is better said now than after the prompt
        return LateEndpoint(partial(self._connect_late, ref.name, protocol, settings), needs_history=protocol != "a2a")

    async def fetch_file(self, ref: EndpointRef, url: str, limit: int) -> bytes:
        """Return a file that an endpoint's agent offers by its address; the user has agreed to that.

        Raises:
            FileElsewhere: its server sends on to another origin.
            EndpointError: it cannot be had.
            ConfigError: as `connect`.
        """
        # Lazy: for whoever fetches a file.
        from chatforge_tui.endpoints.file_fetch import fetch_file  # noqa: PLC0415 - see above

        protocol, settings = self.look_up(ref)
        secret = await asyncio.to_thread(credentials.resolve, settings, self._environ)
        name = "" if "://" in ref.name else ref.name
        return await fetch_file(url, http_settings(name, protocol, settings, secret), limit=limit)

    def look_up(self, ref: EndpointRef) -> tuple[str, EndpointSettings]:
        """Return the protocol ("" = to be found out) and the settings that a reference means.

        Raises:
            ConfigError: there is no such endpoint, or the URL cannot be one.
        """
        if ref.name in self._extra:
            settings = self._extra[ref.name]
        elif ref.name in self._settings.endpoints:
            settings = self._settings.endpoints[ref.name]
        elif "://" in ref.name:
            for fault in url_faults((), ref.name):
                raise ConfigError(f"This URL cannot be an endpoint: {fault.message}.", hint=fault.hint)
            placeholder = "openai-chat"  # of the type's making: the protocol is decided below
            settings = EndpointSettings(protocol=placeholder, url=ref.name)
            return ref.protocol, _with_choices(settings, ref)
        else:
            raise ConfigError(
                f"There is no endpoint named {ref.name!r} in the configuration.",
                hint=f"Known are: {', '.join(self.names()) or 'none'}. A URL begins with http:// or https://.",
            )
        return ref.protocol or settings.protocol, _with_choices(settings, ref)

    def asked_of(self, endpoint: str, http: HttpSettings) -> "AskedOf | None":
        """Return what the user answered about one endpoint."""
        return None if self._card_hosts is None else AskedOf(self._card_hosts, endpoint, http.credential_source)

    async def _connect_late(self, endpoint: str, protocol: str, settings: EndpointSettings) -> Adapter:
        """Do what takes its time: run the credential's command, find out the protocol."""
        name = "" if "://" in endpoint else endpoint
        # A command may ask for a passphrase: it runs beside the event loop, for 10 s at most.
        secret = await asyncio.to_thread(credentials.resolve, settings, self._environ)
        spoken = protocol or self._detected.get(settings.url, "")
        if not spoken:
            spoken = await detect_protocol(settings.url, http_settings(name, "", settings, secret))
            self._detected[settings.url] = spoken
        http = http_settings(name, spoken, settings, secret)
        return _adapter(spoken, settings, http, self.asked_of(endpoint, http))


class AskedOf(Struct, frozen=True):
    """What the user answered about one endpoint. Matches `a2a.discovery.AskedHosts`."""

    hosts: CardHosts
    endpoint: str
    credential_source: str

    def permission(self, configured: str, named: str) -> Permission | None:
        """Return the answer for a pair of origins."""
        return self.hosts.permission(CardHostQuestion(self.endpoint, configured, named, self.credential_source))


def http_settings(name: str, protocol: str, settings: EndpointSettings, secret: Secret | None) -> HttpSettings:
    """Return what an endpoint's connections need.

    Args:
        name: of the endpoint in the configuration; "" when it was given as a URL.
        protocol: "" = not known yet.
        settings: of the endpoint.
        secret: its credential; None = it has none.
    """
    headers: dict[str, str | Secret] = dict(settings.headers)
    if secret is not None:
        header, value = _credential(protocol, settings, secret)
        headers[header] = value
    return HttpSettings(
        name=name,
        headers=headers,
        credential_source=credentials.source(settings) if secret is not None else "",
        origin=settings.url,
        connect_s=settings.connect_s,
        first_byte_s=settings.first_byte_s,
        idle_s=settings.idle_s,
        progress_s=settings.progress_s,
        verify=settings.verify,
        ca_file=settings.ca_file,
        client_cert=settings.client_cert,
        client_key=settings.client_key,
        proxy=settings.proxy,
    )


def _credential(protocol: str, settings: EndpointSettings, secret: Secret) -> tuple[str, Secret]:
    """Return the header that carries the credential: as configured, else the protocol's own."""
    if settings.token_header:
        return settings.token_header, secret
    if protocol != "a2a" and is_azure(settings.url):
        return "api-key", secret
    return "Authorization", Secret(f"Bearer {secret.reveal()}")


def _with_choices(settings: EndpointSettings, ref: EndpointRef) -> EndpointSettings:
    """Return the settings with what the session chose itself."""
    chosen = structs.replace(settings, model=ref.model) if ref.model else settings
    if ref.token_env:
        return structs.replace(chosen, token_env=ref.token_env, token_file="", token_command=(), token_keyring="")
    return chosen


def _adapter(protocol: str, settings: EndpointSettings, http: HttpSettings, asked: AskedOf | None) -> Adapter:
    """Make the adapter that speaks a protocol. Each is loaded when it is first needed."""
    if protocol == "a2a":
        # Lazy: 15 ms, for sessions that speak it.
        from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint, A2aSettings  # noqa: PLC0415 - see above

        a2a = A2aSettings(url=settings.url, version=settings.a2a_version, use_card_url=settings.use_card_url)
        return A2aEndpoint(settings=a2a, channel=HttpChannel(http), asked=asked)
    # Lazy: 10 ms, for sessions that speak it.
    from chatforge_tui.endpoints.openai_chat.endpoint import OpenAiChatEndpoint  # noqa: PLC0415 - see above

    chat = OpenAiChatSettings(
        url=settings.url,
        model=settings.model,
        system=settings.system,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
    )
    return OpenAiChatEndpoint(settings=chat, channel=HttpChannel(http))
