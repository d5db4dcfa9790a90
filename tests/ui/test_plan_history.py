from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead
from chatforge_tui.ui.plan_history import PlanHistory


def head(name: str) -> TurnHead:
    return TurnHead(TurnId(name), SessionId("s"), 0, Prompt(f"do {name}\nand more"), RequestId("r"), started=1.0)


def plan(*titles: str, done: int = 0) -> Plan:
    states = [StepStatus.COMPLETED] * done + [StepStatus.PENDING] * len(titles)
    return Plan(tuple(PlanStep(title, state) for title, state in zip(titles, states, strict=False)))


def test_progress_of_the_same_steps_is_one_plan():
    history = PlanHistory()
    history.record(head("a"), plan("x", "y"))
    history.record(head("a"), plan("x", "y", done=1))
    history.record(head("a"), plan("x", "y", "z", done=1))

    assert history.current is not None
    assert (len(history.current.plan.steps), history.current.plan.done) == (3, 1)
    assert history.earlier == ()


def test_a_plan_with_other_steps_makes_the_one_before_history():
    history = PlanHistory()
    history.record(head("a"), plan("x", "y"))
    history.record(head("a"), plan("q"))

    assert [entry.plan.steps[0].title for entry in history.earlier] == ["x"]


def test_the_plans_of_earlier_turns_stand_newest_first_under_their_prompt():
    history = PlanHistory()
    history.load(
        [Turn(head("a"), plans=(plan("x"),)), Turn(head("b"), plans=(plan("y"),)), Turn(head("c"), plans=(plan("z"),))]
    )

    assert [entry.title for entry in history.earlier] == ["do b", "do a"]


def test_a_turn_that_ends_is_not_counted_twice():
    history = PlanHistory()
    history.record(head("a"), plan("x"))
    history.put_turn(Turn(head("a"), plans=(plan("x", done=1),)))

    assert history.current is not None
    assert history.current.plan.done == 1
    assert history.earlier == ()
