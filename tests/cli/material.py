"""A session in which everything occurs once, with hostile texts where texts come from outside."""

from msgspec.structs import replace

from chatforge_tui.domain.form import Form, FormField
from chatforge_tui.domain.ids import ContextId, RequestId, SessionId, TaskId, TurnId
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
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

OSC = "\x1b]52;c;ZXZpbA==\x07"
ANSWER = f"  An answer\r\nwith {OSC} and \u202e and [link=https://evil.example]y[/]\n"
SESSION = SessionId("01a00000-0000-7000-8000-000000000001")

PLAN = Plan((PlanStep("Find it", StepStatus.COMPLETED, "github"), PlanStep(f"Apply {OSC}", StepStatus.PENDING)))

HEAD = SessionHead(
    SESSION,
    EndpointRef(f"plat{OSC}form"),
    f"a {OSC}\x00 title\nof two lines",
    position=0,
    is_open=True,
    context_id=ContextId("ctx-1"),
    turns=2,
    last_state=TurnState.FAILED,
    created=1_700_000_000.0,
    updated=1_700_000_100.25,
)

FIRST = Turn(
    TurnHead(
        TurnId("01a00000-0000-7000-8000-00000000000a"),
        SESSION,
        0,
        Prompt("Roll back"),
        RequestId("01a00000-0000-7000-8000-00000000000b"),
        TurnState.COMPLETE,
        started=1_700_000_000.0,
        accepted=1_700_000_001.0,
        ended=1_700_000_002.5,
        agent="ag\x9bent",
        protocol="a2a 1.0",
        task_id=TaskId("task-1"),
        usage=Usage(10, 20, reasoning_tokens=5),
    ),
    (
        ReasoningPart(0, "Let me think\nhard"),
        ToolPart(1, "call-1", f"argocd{OSC}", ToolState.DONE, '{"app": "pay"}', "```\ndone\n```"),
        PlanPart(2, PLAN),
        TextPart(3, ANSWER),
        FilePart(4, f"../../{OSC}x.txt", url="https://user:pw@agent.example/x"),
        NoticePart(5, NoticeLevel.STATUS, f"working {OSC}"),
    ),
    (Plan((PlanStep("Find it"),)), PLAN),
)

SECOND = Turn(
    TurnHead(
        TurnId("01a00000-0000-7000-8000-00000000000c"),
        SESSION,
        1,
        Prompt(f"more {OSC}"),
        RequestId("01a00000-0000-7000-8000-00000000000d"),
        TurnState.FAILED,
        started=1_700_000_050.0,
        ended=1_700_000_051.0,
        problem=TurnProblem("unauthorized", f"the server said {OSC} no", "Set the token."),
    ),
)

WAITING = Turn(
    replace(SECOND.head, state=TurnState.WAITING, problem=None),
    (
        TextPart(0, "I can do that."),
        QuestionPart(
            1,
            QuestionKind.INPUT,
            f"Which {OSC} version?",
            Form((FormField("v", f"Version{OSC}", options=("1", f"2{OSC}"), required=True), FormField("why"))),
        ),
    ),
)
