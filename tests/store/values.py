"""Sessions, turns and parts for the store's tests: every field filled, nothing left at its default."""

from msgspec.structs import replace

from chatforge_tui.domain.digest import attachment, digest
from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.domain.ids import ContextId, SessionId, TaskId, TurnId, new_request_id, new_session_id, new_turn_id
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    Part,
    PlanPart,
    QuestionKind,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnProblem, TurnState, Usage

ODD_TEXT = (
    'NUL \x00 tab \t CRLF \r\n line separator \u2028 bell \x07 RTL \u202e "quote" \\ 100 % 中文 👩‍👩‍👧 \U0010ffff '
)
"""Text that breaks what is careless with text."""
CONTENTS = {digest(data): data for data in (b"", b"%PDF-1.7 \x00\xff", bytes(range(256)) * 40)}
"""Contents of attachments, by digest."""


def files():
    """Return attachments with the contents above: an empty one, one with a hostile name, one of some size."""
    names = ("empty", f"../{ODD_TEXT}.pdf", "bytes.bin")
    types = ("application/octet-stream", "application/pdf", "application/octet-stream")
    return tuple(attachment(*both, data) for *both, data in zip(names, types, CONTENTS.values(), strict=True))


def a_session(**changes) -> SessionHead:
    head = SessionHead(
        session_id=new_session_id(),
        endpoint=EndpointRef("platform", "a2a", "large", "PLATFORM_TOKEN"),
        title="Roll back payments",
        created=1_700_000_000.25,
        updated=1_700_000_000.5,
    )
    return replace(head, **changes)


def a_full_session() -> SessionHead:
    return a_session(
        title_is_manual=True,
        position=3,
        is_open=True,
        is_active=True,
        context_id=ContextId("context-1"),
        waiting_task=TaskId("task-1"),
        draft="half a sen",
        attachments=files()[:2],
        anchor="turn:3:17",
        unread=True,
        title=ODD_TEXT,
    )


def a_turn(session: SessionHead, ordinal: int = 0, text: str = "Roll payments back to v1.8", **changes) -> TurnHead:
    head = TurnHead(
        turn_id=new_turn_id(),
        session_id=session.session_id,
        ordinal=ordinal,
        prompt=Prompt(text),
        request_id=new_request_id(),
        started=1_700_000_001.0,
    )
    return replace(head, **changes)


def a_full_turn(session: SessionHead, ordinal: int = 0) -> Turn:
    head = a_turn(
        session,
        ordinal,
        prompt=Prompt(ODD_TEXT, {"name": "Ada", "agree": True, "count": 2.5}, files()),
        state=TurnState.FAILED,
        accepted=1_700_000_002.0,
        first_output=1_700_000_003.0,
        ended=1_700_000_004.125,
        agent="platform-engineer",
        protocol="a2a 1.0",
        task_id=TaskId("task-2"),
        answers_task=TaskId("task-1"),
        usage=Usage(10, 20, 5, 3, 0.25),
        finish_reason="length",
        problem=TurnProblem("refused", "The agent refused.", "Ask again."),
    )
    return Turn(head, every_part(), (a_plan(0), a_plan(1), a_plan(2)))


def every_part() -> tuple[Part, ...]:
    form = Form(
        (
            FormField("name", "Name", "Who?", FieldKind.TEXTAREA, (), True, "Ada", "…", 1, 80, "[a-z]+"),
            FormField("size", kind=FieldKind.SELECT, options=("S", "M")),
        ),
        "Details",
        "Before I go on",
    )
    return (
        NoticePart(0, NoticeLevel.STATUS, "Looking"),
        ReasoningPart(1, "Let me think", 1.5),
        ToolPart(2, "call-1", "argocd.diff", ToolState.DONE, '{"app": 1}', ODD_TEXT, 0.75),
        PlanPart(4, a_plan(2)),
        TextPart(5, ODD_TEXT),
        TextPart(6, "⟦plan⟧", is_plan_source=True, is_separate=True),
        FilePart(7, "report.pdf", "application/pdf", "https://example.com/r", bytes(range(256))),
        FilePart(8, "empty", data=b""),
        QuestionPart(9, QuestionKind.INPUT, "Which size?", form),
        QuestionPart(12, QuestionKind.AUTH, ""),
    )


def a_plan(done: int) -> Plan:
    return Plan(
        tuple(
            PlanStep(f"Step {number}", StepStatus.COMPLETED if number < done else StepStatus.PENDING, "github")
            for number in range(3)
        )
    )


def ended(head: TurnHead, *texts: str, state: TurnState = TurnState.COMPLETE) -> Turn:
    parts = tuple(TextPart(index, text) for index, text in enumerate(texts))
    return Turn(replace(head, state=state, ended=1_700_000_009.0), parts)


def counted(session: SessionHead, turns: int, state: TurnState) -> SessionHead:
    return replace(session, turns=turns, last_state=state)


def unknown_session() -> SessionId:
    return new_session_id()


def unknown_turn() -> TurnId:
    return new_turn_id()
