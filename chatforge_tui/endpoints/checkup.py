"""Looks at one endpoint step by step, as `chatforge doctor` tells it: credential, proxy, name, connection, TLS, agent, answer.

Each step has a time limit, and the first one that fails is the last. Nothing is contacted but the endpoint and the proxy on
the way to it, no credential leaves but as in a session, and no finding holds one. Loads httpx.
"""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from chatforge_tui.config import credentials
from chatforge_tui.config.settings import EndpointSettings
from chatforge_tui.domain.events import (
    Canceled,
    Failed,
    ReasoningDelta,
    StreamEvent,
    TaskBound,
    TextDelta,
    TextReplaced,
)
from chatforge_tui.domain.finding import Finding, Section, Verdict
from chatforge_tui.domain.ids import new_request_id, new_session_id, new_turn_id
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.endpoints.a2a.discovery import find_route
from chatforge_tui.endpoints.catalog import PROTOCOLS, EndpointCatalog, http_settings
from chatforge_tui.endpoints.detection import detect_protocol
from chatforge_tui.endpoints.first_hop import Hop, connect
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.endpoints.http_url import host_port, origin
from chatforge_tui.endpoints.http_wire import proxy_for
from chatforge_tui.endpoints.late_endpoint import Adapter
from chatforge_tui.endpoints.name_lookup import addresses, look_up
from chatforge_tui.endpoints.openai_chat.models import list_models
from chatforge_tui.errors import ChatForgeError, ConfigError, EndpointError, StreamStalled, Unauthorized, Unreachable
from chatforge_tui.safety.redact import register_userinfo
from chatforge_tui.safety.urls import has_userinfo

PROMPT: Final = "Reply with the one word: ready"
"""What `--ask` sends: as few tokens as can be."""
_LOOKUP_S: Final = 5.0
_CONNECT_S: Final = 10.0
"""At most, even where the endpoint's own limit is longer."""
_AGENT_S: Final = 20.0
_ANSWER_S: Final = 120.0
_CANCEL_S: Final = 5.0
_SOON_DAYS: Final = 14
"""A certificate that expires within this time is worth a word."""
_DAY_S: Final = 86_400.0


class CheckupOptions(NamedTuple):
    """What a checkup may do."""

    asks: bool = False
    """Send a tiny prompt, which costs tokens."""
    may_prompt: bool = True
    """Also get a credential in a way that may ask the user for something."""


class Checkup:
    """One endpoint under examination."""

    def __init__(
        self, catalog: EndpointCatalog, name: str, environ: Mapping[str, str], options: CheckupOptions
    ) -> None:
        """Contact nobody yet.

        Args:
            catalog: knows the endpoint.
            name: in the configuration, or a URL.
            environ: where credentials are looked up.
            options: what may be done.
        """
        self._catalog = catalog
        self._name = name
        self._environ = environ
        self._options = options
        self._step = "settings"
        self._is_bare = False
        """The endpoint has a credential that was not looked up."""
        self._findings: list[Finding] = []

    async def examine(self) -> Section:
        """Return what is found; never raises for what is wrong with the endpoint."""
        try:
            await self._examine()
        except ChatForgeError as error:
            if self._is_bare and isinstance(error, Unauthorized):
                self._find(self._step, Verdict.NOTE, "It wants the credential, which was not looked up.")
                return Section("endpoint", self._name, tuple(self._findings))
            facts: dict[str, object] = {"kind": error.kind}
            self._findings.append(Finding(self._step, Verdict.WRONG, str(error), error.hint, facts))
        return Section("endpoint", self._name, tuple(self._findings))

    async def _examine(self) -> None:
        protocol, settings = self._catalog.look_up(EndpointRef(self._name))
        self._look_at_settings(protocol, settings)
        http = await self._look_for_credential(protocol, settings)
        proxy = self._look_at_proxy(settings.url, http)
        await self._look_up_host(proxy or settings.url)
        await self._connect(settings.url, http, proxy)
        await self._meet_agent(protocol, settings, http)
        if self._options.asks and self._is_bare:
            self._find("answer", Verdict.NOTE, "Not asked for, because the credential was not looked up.")
        elif self._options.asks:
            await self._ask()
        else:
            self._find("answer", Verdict.NOTE, "Not asked for; --ask sends a tiny prompt, which costs tokens.")

    def _find(self, subject: str, verdict: Verdict, text: str, remedy: str = "", **facts: object) -> None:
        self._findings.append(Finding(subject, verdict, text, remedy, facts))

    def _look_at_settings(self, protocol: str, settings: EndpointSettings) -> None:
        """Say what is meant, and what is not as safe as it should be."""
        if protocol and protocol not in PROTOCOLS:
            raise ConfigError(
                f"The protocol {protocol} cannot be spoken yet.", hint=f"Known are {', '.join(PROTOCOLS)}."
            )
        where = origin(settings.url)
        self._find(
            "settings",
            Verdict.GOOD,
            f"{protocol or 'the protocol it shows'} at {where}",
            protocol=protocol,
            origin=where,
        )
        if not settings.verify and settings.url.startswith("https:"):
            text = "verify = false: anybody on the way can read and change everything."
            self._find(
                "trust", Verdict.WARNING, text, "Name the authority's PEM file in ca_file instead.", verify=False
            )

    async def _look_for_credential(self, protocol: str, settings: EndpointSettings) -> HttpSettings:
        """Get the credential, and say where it came from."""
        self._step = "credential"
        source = credentials.source(settings)
        name = "" if "://" in self._name else self._name
        if source and not self._options.may_prompt and credentials.may_prompt(settings, self._environ):
            self._find("credential", Verdict.NOTE, f"Not looked up, because {source} may ask.", source=source)
            self._is_bare = True
            return http_settings(name, protocol, settings, None)
        secret = await asyncio.to_thread(credentials.resolve, settings, self._environ)
        if secret is None:
            self._find("credential", Verdict.NOTE, "None is configured.", source=None)
        else:
            self._find("credential", Verdict.GOOD, f"Found: {source}.", source=source)
        return http_settings(name, protocol, settings, secret)

    def _look_at_proxy(self, url: str, http: HttpSettings) -> str:
        """Return the URL of the proxy in between, "" for none."""
        self._step = "proxy"
        proxy = proxy_for(url, http)
        if proxy:
            register_userinfo(proxy)
            whose = "its own setting" if http.proxy else "the environment"
            how = ", with a user name" if has_userinfo(proxy) else ""
            text = f"{host_port(proxy)}, from {whose}{how}"
            self._find("proxy", Verdict.NOTE, text, proxy=host_port(proxy), authenticates=has_userinfo(proxy))
        return proxy

    async def _look_up_host(self, url: str) -> None:
        """Find the addresses of whom to connect to; an address needs no look-up."""
        self._step = "name"
        host, _, port = host_port(url).rpartition(":")
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            pass
        else:
            return
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_LOOKUP_S):
                found = addresses(await look_up(host, int(port)))
        except TimeoutError as error:
            raise Unreachable(
                f"The look-up of {host} took longer than {_LOOKUP_S:g} s.", hint="Check this computer's name servers."
            ) from error
        except (OSError, UnicodeError) as error:
            raise Unreachable(
                f"No host named {host} was found.", hint="Check the URL, the network connection, or the VPN."
            ) from error
        took = _ms(began)
        self._find(
            "name",
            Verdict.GOOD,
            f"{host} is {', '.join(found)}  ({took:g} ms)",
            addresses=found,
            lookup_ms=took,
        )

    async def _connect(self, url: str, http: HttpSettings, proxy: str) -> None:
        """Connect, with TLS where the URL says so."""
        self._step = "connection"
        hop = await connect(url, http, proxy=proxy, timeout_s=min(http.connect_s, _CONNECT_S))
        through = f", tunnel {hop.tunnel_ms:g} ms" if hop.tunnel_ms is not None else ""
        text = f"{hop.address} answers  ({hop.connect_ms:g} ms{through})"
        self._find("connection", Verdict.GOOD, text, connect_ms=hop.connect_ms, tunnel_ms=hop.tunnel_ms)
        if hop.tls_ms is not None:
            self._judge_tls(hop)

    def _judge_tls(self, hop: Hop) -> None:
        """Say what TLS met, and whether it will last."""
        met = f"{hop.tls_version}, {hop.cipher}  ({hop.tls_ms:g} ms)"
        facts: dict[str, Any] = {"tls": hop.tls_version, "cipher": hop.cipher, "tls_ms": hop.tls_ms}
        ends = hop.certificate.get("notAfter")
        if not isinstance(ends, str):
            self._find("TLS", Verdict.WARNING, f"{met}; the certificate is not checked.", **facts, checked=False)
            return
        days = int((ssl.cert_time_to_seconds(ends) - time.time()) / _DAY_S)
        facts |= {"checked": True, "certificate_ends": ends, "days_left": days}
        if days < _SOON_DAYS:
            text = f"{met}; the certificate expires in {days} days."
            self._find("TLS", Verdict.WARNING, text, "Its owner has to renew it.", **facts)
        else:
            self._find("TLS", Verdict.GOOD, f"{met}; the certificate is good for {days} days.", **facts)

    async def _meet_agent(self, protocol: str, settings: EndpointSettings, http: HttpSettings) -> None:
        """Read the agent card, or the list of models."""
        self._step = "agent"
        began = time.perf_counter()
        channel = HttpChannel(http)
        try:
            async with asyncio.timeout(_AGENT_S):
                spoken = protocol or await detect_protocol(settings.url, http)
                self._step = "agent card" if spoken == "a2a" else "models"
                if spoken == "a2a":
                    await self._read_card(channel, settings, http, began)
                else:
                    await self._read_models(channel, settings, began)
        except TimeoutError as error:
            raise StreamStalled(
                f"{host_port(settings.url)} said nothing about itself within {_AGENT_S:g} s.",
                hint="The server may be busy, or not be what the protocol says.",
            ) from error
        finally:
            await channel.aclose()

    async def _read_card(
        self, channel: HttpChannel, settings: EndpointSettings, http: HttpSettings, began: float
    ) -> None:
        route = await find_route(
            channel,
            settings.url,
            version=settings.a2a_version,
            use_card_url=settings.use_card_url,
            asked=self._catalog.asked_of(self._name, http),
        )
        took, agent, where = _ms(began), route.agent or "an agent without a name", origin(route.url)
        away = "" if where == origin(settings.url) else f", answering at {where}"
        text = f"{agent[:80]}{away}  ({took:g} ms)"
        self._find("agent card", Verdict.GOOD, text, agent=route.agent[:80], card_ms=took, answers_at=where)

    async def _read_models(self, channel: HttpChannel, settings: EndpointSettings, began: float) -> None:
        models = await list_models(channel, settings.url)
        took = _ms(began)
        if models is None:
            self._find("models", Verdict.NOTE, "The server lists none.", models=None)
        elif settings.model and settings.model not in models:
            text = f"{settings.model} is not among the {len(models)} models it lists."
            remedy = f"Set model to one of them, such as {models[0]}." if models else "Load a model into the server."
            self._find(
                "models", Verdict.WARNING, text, remedy, models=len(models), model=settings.model, models_ms=took
            )
        elif not models:
            self._find("models", Verdict.WARNING, "It has none loaded.", "Load a model into the server.", models=0)
        else:
            named = settings.model or f"the first is {models[0]}"
            text = f"{len(models)} listed, {named}  ({took:g} ms)"
            self._find("models", Verdict.GOOD, text, models=len(models), model=settings.model or None, models_ms=took)

    async def _ask(self) -> None:
        """Have a tiny prompt answered, and measure the first token."""
        self._step = "answer"
        adapter = self._catalog.connect(EndpointRef(self._name))
        try:
            await self._time_answer(adapter)
        finally:
            await adapter.aclose()

    async def _time_answer(self, adapter: Adapter) -> None:
        request = PromptRequest(new_session_id(), new_turn_id(), new_request_id(), Prompt(PROMPT))
        began, first, said = time.perf_counter(), 0.0, ""
        task: TaskRef | None = None
        try:
            async with asyncio.timeout(_ANSWER_S), aclosing(adapter.stream(request)) as events:
                async for event in events:
                    _refuse_failure(event)
                    if isinstance(event, TaskBound) and event.task_id is not None:
                        task = TaskRef(event.task_id, event.context_id)
                    if isinstance(event, TextDelta | TextReplaced | ReasoningDelta) and event.text:
                        first = first or _ms(began)
                        said += "" if isinstance(event, ReasoningDelta) else event.text
        except TimeoutError as error:
            await _cancel(adapter, task)
            raise StreamStalled(
                f"The answer was not complete within {_ANSWER_S:g} s.", hint="The server may be busy."
            ) from error
        took = _ms(began)
        if not first:
            self._find("answer", Verdict.WARNING, f"It ended without a word after {took:g} ms.", answer_ms=took)
            return
        text = f"First token after {first:g} ms, complete after {took:g} ms: {' '.join(said.split())[:60]}"
        self._find("answer", Verdict.GOOD, text, first_token_ms=first, answer_ms=took)


def _refuse_failure(event: StreamEvent) -> None:
    """Raise what an agent says went wrong as what it is.

    Raises:
        EndpointError: the event says that the answer failed.
    """
    if isinstance(event, Failed):
        raise EndpointError(event.problem.message, hint=event.problem.hint)
    if isinstance(event, Canceled):
        raise EndpointError(f"The agent stopped: {event.message or 'it did not say why'}.")


async def _cancel(adapter: Adapter, task: TaskRef | None) -> None:
    """Tell the agent that nobody waits any more; that it does not hear is no finding of its own."""
    if task is None:
        return
    try:
        async with asyncio.timeout(_CANCEL_S):
            await adapter.cancel_task(task)
    except (EndpointError, TimeoutError):
        return


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
