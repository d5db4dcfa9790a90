"""Credentials that a server throws back, in every way and form: none is written, shown, logged or exported.

The real program talks to an agent that puts the credential it was sent into error bodies, events, redirects, headers and
its card. Then the program's other commands look at what came of it. An answer itself is the agent's own text and stays as
received, wherever it is kept: that is the contract of the store.
"""

import asyncio
import base64
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.cli.program import Program
from tests.hostile.agent import ORDINARY, A2aScene, Play, chunk, finish, says
from tests.hostile.canary import Canary, hits, hits_below
from tests.hostile.corpus import squashed
from tests.servers.raw_server import RawServer, Request, answer, raw_server, stream
from tests.store.values import a_session, a_turn, ended
from tests.store.waiting import rows
from tests.terminal import PROGRAM, Terminal, terminal

pytestmark = pytest.mark.timeout(300)

ENV, FILE, COMMAND, PROXY, USER, QUERY = map(Canary, ("Env", "File", "Command", "Proxy", "User", "Query"))
CANARIES = (ENV, FILE, COMMAND, PROXY, USER, QUERY)
HOLDERS = ("config.toml", "token", "environ")
"""Files of the home in which the user keeps them."""
FILLER = "x" * 170
"""Brings a credential across the place where a quotation is cut."""


def spellings(sent: str) -> list[str]:
    """Return a credential as a server could give it back."""
    raw = sent.encode()
    pairs = [
        base64.b64encode(before + raw + after).decode()
        for before in (b"", b"u:", b"user:", b"me:")
        for after in (b"", b"\n")
    ]
    urls = [quote(sent, safe=""), quote(sent), quote_plus(sent), quote(sent, safe="").lower()]
    safe = base64.urlsafe_b64encode(b"user:" + raw).decode()
    return [sent, f"Bearer {sent}", *urls, json.dumps(sent), *(f"Basic {pair}" for pair in pairs), safe]


def sent_with(request: Request) -> str:
    """Return the credential of a request, however it came."""
    basic = request.headers.get("proxy-authorization", "").removeprefix("Basic ")
    if basic:
        return base64.b64decode(basic).decode().partition(":")[2]
    return request.headers.get("authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "none")


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def echo_of_errors(text: str) -> dict[str, Callable[[], Play]]:
    """Return what is said to each prompt, with this text in it."""
    line = " ".join(text.split())
    long_error = {"error": {"message": f"{FILLER} {line}", "type": line, "code": line}}
    return {
        "plain401": lambda: answer(f"You sent {text}".encode(), "401 Unauthorized", "text/plain"),
        "json403": lambda: answer(json.dumps(long_error).encode(), "403 Forbidden"),
        "json400": lambda: answer(json.dumps({"detail": [{"msg": line, "loc": [line]}]}).encode(), "400 Bad Request"),
        "html404": lambda: answer(f"<h1>{line}</h1>".encode(), "404 Not Found", "text/html"),
        "odd500": lambda: answer(json.dumps({"unknown": {line: line}}).encode(), "500 Internal Server Error"),
        "page200": lambda: answer(f"{FILLER}{line}".encode(), "200 OK", "text/html"),
        "first200": lambda: answer(f"{line}".encode(), "200 OK", "text/plain"),
        "json200": lambda: answer(json.dumps(long_error).encode()),
        "location": lambda: answer(b"", "302 Found", location=f"http://127.0.0.1:1/{quote(line)}?key={quote(line)}"),
        "elsewhere": lambda: answer(
            b"", "307 Temporary", location=f"http://{quote(text.split(maxsplit=1)[0], safe='')}.invalid/"
        ),
        "userinfo": lambda: answer(
            b"", "308 Moved", location=f"http://me:{quote(text.split(maxsplit=1)[0], safe='')}@127.0.0.1:1/"
        ),
        "cookie": lambda: answer(
            b"{}", "400 Bad Request", set_cookie=line.replace(";", ""), x_echo=line, retry_after=line
        ),
        "phrase": lambda: [b"HTTP/1.1 418 " + line[:400].encode() + b"\r\ncontent-length: 0\r\n\r\n"],
        "errorevent": lambda: stream(chunk(content="begun "), event(long_error)),
        "oddevents": lambda: stream(chunk(content="begun "), *[f"data: {{{FILLER}{line}\n\n".encode()] * 5),
        "oddshort": lambda: stream(*[f"data: {{{line}\n\n".encode()] * 5),
        "finish": lambda: stream(chunk(content=ORDINARY), *finish(line)),
        "model": lambda: stream(event({"model": line, "choices": [{"delta": {"content": ORDINARY}}]}), *finish()),
        "ordinary": lambda: says(ORDINARY),
    }


def echo_of_agents(text: str) -> dict[str, A2aScene]:
    return {
        "rpcerror": A2aScene(error={"code": -32603, "message": text, "data": {"why": text}}),
        "rpcodd": A2aScene(error={"code": -32000, "message": FILLER * 11 + text}),
        "plain": A2aScene(end=ORDINARY),
    }


CHAT_CASES = tuple(echo_of_errors("x y"))
AGENT_CASES = tuple(echo_of_agents("x"))


class EchoServer:
    """Throws back what it was sent."""

    def __init__(self, server: RawServer) -> None:
        self.url = server.url
        self.was_sent: set[str] = set()
        server.beside = self._answer

    def _answer(self, request: Request) -> Play:
        sent = sent_with(request)
        self.was_sent.add(sent)
        text = "\n".join(spellings(sent))
        if request.method == "GET":
            return self._get(request, text)
        body = json.loads(request.body)
        if "messages" in body:
            return echo_of_errors(text).get(_case(body["messages"][-1]["content"]), lambda: says(ORDINARY))()
        case = _case("".join(part.get("text", "") for part in body["params"]["message"]["parts"]))
        return echo_of_agents(text).get(case, A2aScene(end=ORDINARY)).play(body["id"])

    def _get(self, request: Request, text: str) -> Play:
        if request.target.endswith("agent-card.json"):
            card = {
                "protocolVersion": "0.3.0",
                "name": f"Echo {text}",
                "description": text,
                "version": text,
                "url": f"http://{text.split(maxsplit=1)[0]}.invalid/{text}"
                if "/other/" in request.target
                else self.url + "/a2a/",
                "provider": {"organization": text, "url": text},
                "preferredTransport": "JSONRPC",
                "capabilities": {"streaming": True},
                "skills": [{"id": text, "name": text, "description": text}],
            }
            return answer(json.dumps(card).encode(), server=text.split(maxsplit=1)[0])
        if request.target.endswith("/models"):
            return answer(
                json.dumps({"data": [{"id": text}, {"id": f"x{text}"}]}).encode(), server=text.split(maxsplit=1)[0]
            )
        return answer(text.encode(), "404 Not Found", "text/plain")


def _case(prompt: str) -> str:
    return prompt.rpartition("case ")[2].strip()


def configure(home: Path, url: str) -> dict[str, str]:
    """Write the configuration and what it names; return the environment."""
    home.mkdir(parents=True)
    (home / "token").write_text(FILE.value + "\n")
    (home / "environ").write_text(COMMAND.value)
    port = url.rpartition(":")[2]
    proxy = f"http://me:{quote(PROXY.value, safe='')}@127.0.0.1:{port}"
    chat = f'protocol = "openai-chat"\nurl = "{url}/v1"\n'
    command = json.dumps([sys.executable, "-c", f"print(open({str(home / 'environ')!r}).read())"])
    (home / "config.toml").write_text(
        f'default_endpoint = "env"\n[keys]\n"app.doctor" = "alt+z"\n[endpoints.env]\n{chat}model = "m"\ntoken_env = "CANARY"\n'
        f'[endpoints.file]\n{chat}model = "m"\ntoken_file = "{home}/token"\ntoken_header = "X-API-Key"\n'
        f"[endpoints.command]\n{chat}token_command = {command}\n"
        f'[endpoints.proxy]\n{chat}model = "m"\nproxy = "{proxy}"\n'
        f'[endpoints.agent]\nprotocol = "a2a"\nurl = "{url}/a2a/"\ntoken_env = "CANARY"\n'
        f'[endpoints.other]\nprotocol = "a2a"\nurl = "{url}/other/"\ntoken_file = "{home}/token"\n'
    )
    return {"CANARY": ENV.value, "CHATFORGE_LOG": "debug"}


async def fill(home: Path, endpoints: Sequence[str]) -> None:
    """Put one session for each endpoint into the store, the first in front."""
    store = SqliteStore(home / "data" / "sessions.db")
    await store.open()
    for position, endpoint in enumerate(endpoints):
        await store.create_session(
            a_session(position=position, title=endpoint, is_active=not position, endpoint=EndpointRef(endpoint))
        )
    await store.close()


class Tour:
    """The real program on its way past every endpoint and every screen that may show something of a credential."""

    def __init__(self, screen: Terminal, database: Path) -> None:
        self._screen, self._database = screen, database
        self.seen: list[str] = []
        """Each screen, without blanks."""

    async def go(self, played: Mapping[str, Sequence[str]], *, looks: bool = True) -> None:
        for number, (endpoint, cases) in enumerate(played.items()):
            if number:
                self._screen.press("ctrl+pagedown")
                await self._screen.until_quiet()
            for case in cases:
                await self._prompt(f"{endpoint} case {case}")
            if looks:
                await self._look("ctrl+o", leave=["ctrl+o"])
        if looks:
            await self._look_around()

    async def _look_around(self) -> None:
        for key in ("ctrl+s", "ctrl+p", "ctrl+r", "f1"):
            await self._look_into(key)
        self._screen.send(b"/trust\r")
        await self._look()
        for command in (b"/export md", b"/export html", b"/export json", b"/export all"):
            self._screen.send(command + b"\r")
            await self._look(leave=["enter"])
        self._screen.press("alt+z")
        await self._screen.wait_for("OpenSSL", seconds=60)
        await self._look()

    async def _prompt(self, text: str) -> None:
        screen = self._screen
        screen.send(text.encode())
        screen.press("enter")
        await screen.until(lambda: self._is_over(text), f"the end of {text}", every=0.03)
        await screen.until_quiet(0.1)
        self.seen.append(squashed(screen.text))

    def _is_over(self, text: str) -> bool:
        found = rows(self._database, "SELECT state FROM turn WHERE prompt = ?", text)
        return bool(found) and found[0][0] not in {"queued", "connecting", "streaming"}

    async def _look_into(self, key: str) -> None:
        """Look at a dialog. That it opens and closes is seen, however busy the machine is."""
        screen, begin = self._screen, len(self._screen.raw)
        screen.press(key)
        await screen.until(lambda: len(screen.raw) > begin, f"{key} opens")
        await screen.until_quiet(0.3)
        self.seen.append(squashed(screen.text))
        shown = len(screen.raw)
        screen.press("escape")
        await screen.until(lambda: len(screen.raw) > shown, f"{key} closes")
        await screen.until_quiet(0.1)

    async def _look(self, *keys: str, leave: Sequence[str] = ("escape",)) -> None:
        self._screen.press(*keys)
        await self._screen.until_quiet(0.3)
        self.seen.append(squashed(self._screen.text))
        self._screen.press(*leave)
        await self._screen.until_quiet(0.1)


FORMS = ((), ("--json",))
EX_SOFTWARE = 70
PLAYED = {
    "env": CHAT_CASES,
    "file": CHAT_CASES,
    "command": ("plain401", "ordinary"),
    "proxy": ("json400", "oddevents", "page200"),
    "agent": AGENT_CASES,
    "other": ("plain",),
}


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> tuple[Path, bytes, list[str], set[str]]:
    """Run the program once; return its home, every byte it wrote, its screens, and the credentials that the server saw."""
    home = tmp_path_factory.mktemp("canary") / "home"

    async def play() -> tuple[bytes, list[str], set[str]]:
        async with raw_server() as server:
            echo = EchoServer(server)
            environ = configure(home, echo.url)
            await fill(home, list(PLAYED))
            async with terminal(PROGRAM, home=home, environ=environ, size=(100, 40)) as screen:
                await screen.wait_for("Enter send")
                tour = Tour(screen, home / "data" / "sessions.db")
                await tour.go(PLAYED)
                files = hits_below(CANARIES, home, besides=HOLDERS)  # while the side files of the store are there
                screen.press("ctrl+q")
                await screen.until_ended()
            commands = await run_commands(Program(home), environ)
            return bytes(screen.raw), [*tour.seen, *commands], echo.was_sent, files

    return home, *asyncio.run(play())


async def run_commands(program: Program, environ: Mapping[str, str]) -> list[str]:
    """Return what the program's other commands write, each in a process that knows no credential yet."""
    at_once = asyncio.Semaphore(2)

    async def run(*words: str) -> str:
        async with at_once:
            process = await program.start(*words, **environ)
            out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode != EX_SOFTWARE, (words, err)
        return f"{words[0]}: {out.decode()}{err.decode()}"

    sessions = {
        each["endpoint"]: each["id"]
        for each in json.loads((await asyncio.to_thread(program.run_process, "sessions", "--json")).out)
    }
    commands = [
        ("export", sessions[endpoint], "--format", form, "-o", "-")
        for endpoint in ("env", "agent", "other")
        for form in ("md", "json", "html")
    ]
    commands += [("show", sessions["env"]), ("show", sessions["agent"], "--json"), ("sessions",), ("search", "Echo")]
    commands += [("endpoints",), ("endpoints", "--json"), ("export", "--all", "-o", "-"), ("store", "backup")]
    commands += [("doctor",), ("doctor", "--json"), ("doctor", "--ask")]
    commands += [("send", "--endpoint", "env", *form, f"case {case}") for case in CHAT_CASES[:6] for form in FORMS]
    commands += [("send", "--endpoint", endpoint, "case plain401") for endpoint in ("file", "command", "proxy")]
    commands += [
        ("send", "--endpoint", endpoint, *form, "case rpcerror") for endpoint in ("agent", "other") for form in FORMS
    ]
    commands += [
        (command, *endpoint, *text)
        for spelled in (
            f"http://me:{quote(USER.value, safe='')}@127.0.0.1:9/v1",
            f"http://127.0.0.1:9/v1?key={quote(QUERY.value)}",
        )
        for command, endpoint, text in (("send", ("--endpoint", spelled), ("hello",)), ("doctor", (spelled,), ()))
    ]
    return list(await asyncio.gather(*(run(*words) for words in commands)))


WITHOUT_REDACTION = (
    sys.executable,
    "-c",
    "from chatforge_tui.safety.redact import Redactor\n"
    "Redactor.redact = lambda self, text, *, is_cut=False: text\n"
    "from chatforge_tui.cli.main import main\n"
    "main()\n",
)
CRASHING = (
    sys.executable,
    "-c",
    "import os\n"
    "from chatforge_tui.cli.main import main\n"
    "import chatforge_tui.ui.app as app\n"
    "def broken(self):\n"
    "    secret = os.environ['CANARY']\n"
    "    raise RuntimeError(f'a fault that names {secret}')\n"
    "app.ChatForgeApp.repaint = broken\n"
    "main()\n",
)
"""The program, with a fault of its own behind Ctrl+L."""


async def briefly(home: Path, program: Sequence[str], *keys: str) -> bytes:
    """Have one credential thrown back, press keys, and leave; return what was written to the terminal."""
    async with raw_server() as server:
        environ = configure(home, EchoServer(server).url)
        await fill(home, ["env"])
        async with terminal(program, home=home, environ=environ) as screen:
            await screen.wait_for("Enter send")
            await Tour(screen, home / "data" / "sessions.db").go({"env": ["plain401"]}, looks=False)
            screen.press(*keys, "ctrl+q")
            await screen.until_ended()
            return bytes(screen.raw)


async def test_without_redaction_the_same_run_finds_the_credential_on_the_screen_and_in_the_store(tmp_path):
    raw = await briefly(tmp_path / "home", WITHOUT_REDACTION)
    assert hits([ENV], raw, "what was written to the terminal")
    assert any("sessions.db" in hit for hit in hits_below([ENV], tmp_path / "home", besides=HOLDERS))


async def test_a_crash_tells_no_credential(tmp_path):
    home = tmp_path / "home"
    raw = await briefly(home, CRASHING, "ctrl+l")
    found = [*hits(CANARIES, raw, "what was written to the terminal"), *hits_below(CANARIES, home, besides=HOLDERS)]
    assert not found, "\n".join(found)
    assert "a fault that names ***" in "".join(path.read_text() for path in home.rglob("*.log"))


@pytest.mark.parametrize("spelled", [*spellings(ENV.value), " ".join(ENV.value), ENV.value.lower()])
def test_the_finder_sees_a_credential_in_every_spelling_and_place(spelled, tmp_path):
    data = spelled.encode()
    assert hits([ENV], b"before " + data + b" after", "bytes")
    assert hits([ENV], b"\x1b]2;" + data + b"\x07", "a title")
    assert hits([ENV], b"\x1b]52;c;" + base64.b64encode(data) + b"\x07", "the clipboard")
    assert hits([ENV], b"\x1b[3;9H".join(data[at : at + 7] for at in range(0, len(data), 7)), "a screen")
    (tmp_path / "file").write_bytes(data)
    assert hits_below([ENV], tmp_path)
    assert not hits_below([FILE], tmp_path)


def test_the_server_saw_every_credential(played):
    sent = played[3]
    assert {ENV.value, FILE.value, COMMAND.value, PROXY.value} <= sent


def test_no_byte_of_the_screen_betrays_a_credential(played):
    _, raw, seen, _, _ = played
    found = hits(CANARIES, raw, "what was written to the terminal")
    found += [hit for text in seen for hit in hits(CANARIES, text.encode(), text[:40])]
    assert not found, "\n".join(found)


def test_no_file_holds_a_credential_but_those_that_the_user_keeps_it_in(played):
    home, _, _, _, while_running = played
    found = [*while_running, *hits_below(CANARIES, home, besides=HOLDERS)]
    assert not found, "\n".join(found)


def test_an_answer_stays_as_received_and_is_masked_in_what_is_written_for_people(tmp_path):
    program = Program(tmp_path / "home")
    configure(tmp_path / "home", "http://127.0.0.1:9")
    session = a_session(endpoint=EndpointRef("env"))
    text = f"You sent {ENV.value} and {FILE.value}."
    program.fill((session, [ended(a_turn(session), text)]))

    def exported(form: str) -> str:
        return program.run("export", session.session_id, "--format", form, "-o", "-", CANARY=ENV.value).out

    assert "You sent *** and ***." in exported("md")
    assert "You sent *** and ***." in program.run("show", session.session_id, CANARY=ENV.value).out
    assert not hits(CANARIES, exported("html").encode(), "the page")
    assert json.loads(exported("json"))["turns"][0]["answer"] == text
    assert program.run("show", session.session_id, "--json").json["turns"][0]["answer"] == text
