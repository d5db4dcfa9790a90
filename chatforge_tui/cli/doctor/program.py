"""What can be said about the program itself: versions, where things are, and the proxies of the environment."""

import platform
import ssl
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from chatforge_tui import __version__
from chatforge_tui.cli.launch import Launch
from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.finding import Finding, Section, Verdict
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.redact import register_userinfo
from chatforge_tui.safety.urls import has_userinfo, without_userinfo
from chatforge_tui.store.examination import engine_version

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_PACKAGES = ("textual", "httpx")


def versions(launch: Launch) -> Section:
    """Return which versions run, and whether the configuration can be used."""
    parts = {
        "ChatForge": __version__,
        "Python": platform.python_version(),
        **{package: _version(package) for package in _PACKAGES},
        "SQLite": engine_version(),
        "OpenSSL": ssl.OPENSSL_VERSION.removeprefix("OpenSSL "),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    findings = [Finding(name, Verdict.GOOD, text, facts={"version": text}) for name, text in parts.items()]
    return Section("program", "Program", (*findings, _configuration(launch)))


def proxies(environ: Mapping[str, str]) -> Section:
    """Return the proxies that the environment names, without user name and password."""
    findings = tuple(_proxies(environ))
    if not findings:
        findings = (Finding("environment", Verdict.GOOD, "It names no proxy."),)
    return Section("proxies", "Proxies", findings)


def _proxies(environ: Mapping[str, str]) -> Iterator[Finding]:
    for name in _PROXIES:
        for spelled in (name, name.upper()):
            if url := environ.get(spelled, "").strip():
                whole = url if "://" in url else f"http://{url}"
                register_userinfo(whole)
                bare, authenticates = without_userinfo(whole), has_userinfo(whole)
                text = f"{bare}{', with a user name' if authenticates else ''}"
                yield Finding(spelled, Verdict.NOTE, text, facts={"url": bare, "authenticates": authenticates})
    for spelled in ("no_proxy", "NO_PROXY"):
        if hosts := environ.get(spelled, "").strip():
            yield Finding(spelled, Verdict.NOTE, f"No proxy for {hosts}.", facts={"hosts": hosts})


def _configuration(launch: Launch) -> Finding:
    file = launch.locations.config_file
    facts: dict[str, object] = {"path": str(file), "exists": file.exists()}
    try:
        amount = len(launch.settings.endpoints)
    except ConfigError as error:
        return Finding("configuration", Verdict.WRONG, str(error), error.hint, facts)
    if not file.exists():
        return Finding("configuration", Verdict.NOTE, f"None yet; it belongs in {file}.", facts=facts)
    return Finding(
        "configuration",
        Verdict.GOOD,
        f"{file}, {counted(amount, 'endpoint')}",
        facts={**facts, "endpoints": amount},
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
