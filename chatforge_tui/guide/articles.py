"""What the tables do not say: how the program's ideas hang together. Written by hand, without a single key name.

`{session.new}` stands for the keys that are bound to that action now, `{place:configuration file}` for a path,
`{protocols}` for what the program speaks; `passages` fills them in. A test keeps every such name true.
"""

from msgspec import Struct


class Article(Struct, frozen=True):
    """A hand-written passage, before its names are filled in."""

    title: str
    body: str
    keywords: str = ""


ARTICLES = (
    Article(
        "What ChatForge is",
        """ChatForge is a terminal client for many agent conversations at once. Each tab is a session; each session has a
worker of its own that streams from an agent into its own pane, so nothing you do in one tab stops another. Sessions,
text and drafts are kept on disk and come back after a restart.

Open another session with {session.new}, move between them with {session.next} and {session.prev}, stop what runs with
{turn.abort}, and see everything else with {app.help} or {app.palette}.""",
        "about overview tour introduction beginner first steps basics concept purpose",
    ),
    Article(
        "The built-in agent",
        """The agent you talk to now is a small program inside ChatForge, not a model. I answer from the program's own
reference and can show what the program does. I listen on the loopback address of this machine only, on a port the system chose, behind a
token made for this run, and I end with the program. I speak A2A 1.0, A2A 0.3 and the OpenAI chat protocol over a real
socket, so what you see here is how any other agent looks. Nothing you tell me leaves this machine.

To talk to a model or to an agent of your own, name it in the configuration file: {place:configuration file}""",
        "who are you bot guide chatgpt claude ai real human gpt intelligence loopback",
    ),
    Article(
        "Sessions and tabs",
        """A session is one conversation with one endpoint, shown as one tab. {session.new} opens one at once,
{session.new_on} lets you choose the endpoint first. Every session streams on its own: switching, closing or deleting
one touches no other. There is no limit on their number; the strip of tabs scrolls.

The mark on a tab says how it is: `●` answering, `◆` needs you, `✕` failed, `↯` interrupted, `○` idle. A bold title has
something you have not read.""",
        "session what is a session tab mark meaning icon unread number many parallel concurrent simultaneously limit",
    ),
    Article(
        "Closing, deleting, undoing",
        """Closing a tab ({session.close}) only puts it away: its stream goes on, and the session can be opened again from the
list of sessions ({session.board}). Deleting a session ({session.delete}) stops its stream, tells the agent, and puts it
into the trash. {session.undo} takes back the last close or delete.""",
        "tab difference reopen closed get back trash",
    ),
    Article(
        "Sending a file along",
        """Write `@` and a path in the prompt, or `/attach FILE`, or choose one with {prompt.attach}; pasting nothing but
paths does it, too. Each file stands above the prompt with its name, type and size before anything is sent, and
{prompt.detach} takes it back. What stands there is what goes with the next prompt. Only files under
`files.attachment_limit` can be attached, and a link only after you saw where it leads.

Without the screen: `chatforge send --attach FILE TEXT`.""",
        "attach attachment upload image photo picture document pdf file path mention at sign send add",
    ),
    Article(
        "Stopping an answer",
        """{turn.abort} stops the answer in this session and in no other. What was received so far stays, marked as aborted,
and an A2A agent is told to cancel its task. Sending another prompt while an answer runs also replaces it.""",
        "esc generation response stream running cancel interrupt",
    ),
    Article(
        "Writing and sending a prompt",
        """{prompt.send} sends what stands in the composer, {prompt.newline} begins a new line. Every session keeps its own
draft, also over a restart. A text of several lines can be pasted; it is not sent before you send it.""",
        "message type write multiline paste text composer compose edit draft question",
    ),
    Article(
        "Plans",
        """When an agent says what it means to do, its steps appear in the plan beside the transcript and change as the work
goes on; earlier plans of the session stay readable. {view.plan} shows or hides it. In a narrow terminal (under 100
columns) the plan is a part of the transcript. Write `show me a plan` and I will make one.""",
        "dock panel sidebar execution steps progress todo",
    ),
    Article(
        "Reasoning and tool calls",
        """What a model thinks before it answers, and the tools an agent calls, are folded lines in the transcript.
{view.fold} opens and closes them. Write `think` or `use tools` and I will produce some.""",
        "collapse expand details thinking thoughts function output",
    ),
    Article(
        "When an agent asks you something",
        """A question from an agent ends its turn as waiting: the tab shows `◆` and, where the agent sent fields, the pane
shows a form. Your next prompt, or the form, goes to the very task that asked. Write `ask me something` to try it.""",
        "form question waiting input required human approve approval needs me diamond fields",
    ),
    Article(
        "Talking to your own model",
        """Any server that speaks the OpenAI chat protocol will do: Ollama, LM Studio, llama.cpp, vLLM. Put this into
{place:configuration file}:

```toml
default_endpoint = "local"

[endpoints.local]
protocol = "openai-chat"
url = "http://127.0.0.1:11434/v1"
model = "qwen3"
```

Or without a file: `chatforge --endpoint http://127.0.0.1:11434/v1 --protocol openai-chat --model qwen3`. The usual ports
are 11434 (Ollama), 1234 (LM Studio), 8080 (llama.cpp) and 8000 (vLLM); {session.new_on} offers those that answer.""",
        "ollama lmstudio llama.cpp vllm llm gpt openai connect use add endpoint custom different qwen offline gguf",
    ),
    Article(
        "Talking to an A2A agent",
        """Give the agent's base URL; its card and its version of the protocol (0.3 or 1.0) are found by themselves:

```toml
[endpoints.platform]
protocol = "a2a"
url = "https://agents.example.com"
token_env = "PLATFORM_TOKEN"
```

Or without a file: `chatforge --endpoint https://agents.example.com --protocol a2a --token-env PLATFORM_TOKEN`.""",
        "agent2agent platform caipe supervisor card endpoint add connect server remote",
    ),
    Article(
        "Tokens and API keys",
        """A credential never stands in the configuration file; it is refused there. An endpoint says where to find it:
`token_env = "NAME"` (an environment variable), `token_file = "PATH"`, `token_command = ["pass", "show", "x"]`, or
`token_keyring = "service/user"` (after `pip install 'chatforge-tui[keyring]'`).
It goes to the configured origin only, and is struck out of logs and messages.""",
        "api key password secret credential login auth bearer environment variable openai_api_key a2a_token",
    ),
    Article(
        "Which protocols are spoken",
        """An endpoint's `protocol` is one of: {protocols}. The configuration file must name it; for a URL given with
`--endpoint` it is found out. I myself serve A2A and the OpenAI chat protocol.""",
        "a2a openai anthropic ag-ui responses support supported compatible api",
    ),
    Article(
        "What is found without configuration",
        """With nothing configured you talk to me. The dialog behind {session.new_on} also offers model servers that answer
on their usual loopback ports, and what the environment names: `A2A_HOST`, `A2A_PORT`, `A2A_TOKEN`, `A2A_TLS`,
`OPENAI_BASE_URL` and `OPENAI_API_KEY`. Nothing beyond this machine is contacted before you choose it.""",
        "discover discovery detect automatic environment variables offer default nothing configured",
    ),
    Article(
        "Where everything is kept",
        """{places}

`CHATFORGE_HOME=DIR` or `--home DIR` puts all of it under one directory. `chatforge config path` prints the paths.""",
        "config file location folder directory store database data logs path disk saved conversations backup move",
    ),
    Article(
        "After a crash or a restart",
        """A prompt is on disk before it is sent, and streamed text at most a quarter of a second after it arrived. After a
crash the tabs, titles, drafts and texts are back; an answer that was cut off keeps its text and is marked interrupted.
Nothing is sent again unasked: `/retry` sends the last prompt again.""",
        "power restart reboot kill resume recover lose lost persist interrupted reattach restore safe durable",
    ),
    Article(
        "Changing keys",
        """Every key can be changed in the configuration file, by the action's name:

```toml
[keys]
"session.new" = "ctrl+n"
"app.help" = ["f1", "f10"]
```

A conflict or an unknown action is reported at the start. {app.help} lists every action with its keys.""",
        "keybinding remap rebind shortcut customise customize bindings own different key hotkey",
    ),
    Article(
        "Changing the theme",
        """Set it in the configuration file:

```toml
[ui]
theme = "textual-light"
```

Themes of both kinds, light and dark, come with the program; {app.palette} lists them under "theme".""",
        "theme colour color dark light mode appearance look background style",
    ),
    Article(
        "Without the screen",
        """`chatforge send "TEXT"` has one prompt answered and prints it; `-` reads standard input, `--json` prints one event a
line, `--session ID` goes on with a session. It runs the same engine and the same store as the screen does, so the
session is there when you open `chatforge`. {commands} are the other commands; each explains itself with `--help`.""",
        "headless script pipe automation stdin stdout json batch ci shell command line cli one-shot",
    ),
    Article(
        "An endpoint cannot be reached",
        """Nothing was sent, and it is tried again twice. Check the URL and the port (a browser or `curl` should get an
answer), whether the server listens on the address you named (a container's `127.0.0.1` is not yours), and whether a
proxy stands between (`proxy` of the endpoint). `chatforge endpoints` shows what is configured.""",
        "unreachable refused connection network timeout dns host offline not answer error cannot connect failed",
    ),
    Article(
        "An endpoint says unauthorized",
        """The server answered 401 or 403: the credential is missing, wrong or not enough. The message names where it was
looked for (`token_env`, `token_file`, `token_command` or `token_keyring`), never its value. Check that the variable is set in the shell
that starts `chatforge`.""",
        "401 403 forbidden denied permission token expired login unauthorised unauthorized error",
    ),
    Article(
        "What came back is not the protocol",
        """A redirect, a login page, or another protocol: the URL or `protocol` is wrong. For OpenAI-compatible servers the
URL usually ends in `/v1`; for A2A it is the base URL whose `/.well-known/agent-card.json` answers. `a2a_version` forces
a version where an agent's card is wrong.""",
        "html redirect 404 wrong url json card mismatch unexpected not found content type error v1",
    ),
    Article(
        "A certificate is not trusted",
        """Name the authority of the server with `ca_file = "PATH"` at the endpoint; `client_cert` and `client_key` are for
servers that ask for a certificate of yours.""",
        "tls ssl https certificate self-signed ca verify trust error expired",
    ),
    Article(
        "An answer does not come or stands still",
        """The status line shows how long the answer has been running. A connection without a byte for two minutes, or with
keepalives only for five, counts as stalled: the turn is marked interrupted and its text stays. {turn.abort} stops it
before. Write `stall` to see one.""",
        "stalled hang hangs stuck frozen slow waiting forever nothing happens no response silent timeout keepalive",
    ),
    Article(
        "Rate limits",
        """When a server answers 429 and says how long to wait, ChatForge waits that long, shows it, and {turn.abort} ends the
wait. Before the first byte of an answer it tries at most twice more; after it, never by itself.""",
        "429 too many requests quota credit retry again wait backoff",
    ),
    Article(
        "Keys that do not arrive",
        """Some terminals and multiplexers keep keys for themselves or send them as others: Ctrl+I is Tab, Ctrl+M is Enter,
Ctrl+H is Backspace everywhere; many know no Shift+Enter or Ctrl+Enter; Alt with a digit may type a symbol. Every action
is also in {app.palette}, and every key can be changed in the `[keys]` table of the configuration file.""",
        "key does not work nothing tmux screen ssh alt shift+enter ctrl+enter terminal option macos iterm ignored",
    ),
    Article(
        "Odd characters on the screen",
        """If marks and lines look wrong, the terminal's font or locale lacks them: set `ascii = true` under `[ui]`, and
check that the locale is UTF-8 (`locale`). The program needs 80 columns by 24 lines to show everything.""",
        "garbled wrong odd colours colors symbols boxes question marks font unicode utf-8 ascii glyph broken display small size 80x24",
    ),
    Article(
        "What leaves this machine",
        """Your prompts go to the endpoint of their session and nowhere else. There is no telemetry, no update check, and
nothing beyond loopback is contacted before you choose it. Text from agents is cleaned of control codes before it is
shown, and links open only when you choose them.""",
        "privacy private telemetry tracking data security secure safe network phone home collect",
    ),
    Article(
        "What I can show",
        """{abilities}""",
        "demo demonstrate example try capability abilities features can do commands list show",
    ),
)
