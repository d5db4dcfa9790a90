"""Plans that agents wrote as text, in the spellings that were seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.domain.plan import PlanStep, StepStatus
from chatforge_tui.domain.plan_text import MAX_STEPS, parse_plan_text, step_status

P, R, C, F = StepStatus.PENDING, StepStatus.IN_PROGRESS, StepStatus.COMPLETED, StepStatus.FAILED


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("⏳ [Jira] Find it", [PlanStep("Find it", P, "Jira")]),
        ("- ⏳ Find it", [PlanStep("Find it", P)]),
        (
            "📋 **Plan**\n\n1. 🔄 [GitHub Agent] Look\n2. ❌ Tell",
            [PlanStep("Look", R, "GitHub Agent"), PlanStep("Tell", F)],
        ),
        ("- [ ] a\n* [x] b\n+ [X] c\n[~] d", [PlanStep("a", P), PlanStep("b", C), PlanStep("c", C), PlanStep("d", R)]),
        ("- [x] ❌ b", [PlanStep("b", F)]),
        ("✅\ufe0f done", [PlanStep("done", C)]),
        ("⟦✅ a⟧", [PlanStep("a", C)]),
        ("[{'content': 'it\\'s', 'status': 'completed'}]", [PlanStep("it's", C)]),
        ('x = [{"content": "a\\u00e9\\n", "status": "in-progress", "agent": "B"}] y', [PlanStep("aé\n", R, "B")]),
        ("[{'title': 'a', 'n': 1, 'sub': [{'content': 'no'}]}, {'description': 'b'}]", [PlanStep("a"), PlanStep("b")]),
        ('[{"content": "\\ud83d\\ude00"}]', [PlanStep("😀")]),
    ],
)
def test_a_plan_is_read(text, steps):
    plan = parse_plan_text(text)
    assert plan is not None
    assert list(plan.steps) == steps


@pytest.mark.parametrize(
    "text",
    ["", "⟦⟧", "e", "It is ✅ done", "⏳", "- [x]", "[{'content': 'a'", "[{'a': 1}]", "[{}]", "[]", "[{'content"],
)
def test_what_is_no_plan_is_none(text):
    assert parse_plan_text(text) is None


def test_a_plan_without_end_is_cut():
    plan = parse_plan_text("✅ x\n" * (MAX_STEPS + 5))
    assert plan is not None
    assert len(plan.steps) == MAX_STEPS


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["[{" + "\\'" * 500_000, "[{'" * 300_000, "[" * 10**6, "✅" * 10**6, "[{'\\" * 10**5])
def test_hostile_text_is_read_in_time_linear_in_its_length(text):
    assert parse_plan_text(text) is None or text.startswith("✅")


@given(st.text(alphabet="⟦⟧[]{}'\"\\:,ux0 ⏳✅\n-a\ud800", max_size=40))
def test_any_text_is_read_without_an_error_and_titles_can_be_stored(text):
    plan = parse_plan_text(text)
    for step in plan.steps if plan else ():
        assert step.title


@pytest.mark.parametrize(
    ("word", "status"), [("Done", C), ("in progress", R), ("IN-PROGRESS", R), ("?", P), ("error", F)]
)
def test_words_for_a_status(word, status):
    assert step_status(word) is status
