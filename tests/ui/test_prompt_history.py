from chatforge_tui.ui.widgets.prompt_history import PromptHistory


def history(*prompts: str) -> PromptHistory:
    made = PromptHistory()
    made.load(prompts)
    return made


def test_going_up_shows_earlier_prompts_and_stops_at_the_first():
    walk = history("one", "two")

    assert [walk.earlier("draft"), walk.earlier("two"), walk.earlier("one")] == ["two", "one", None]


def test_going_down_again_brings_back_what_was_being_written():
    walk = history("one", "two")
    walk.earlier("draft")
    walk.earlier("two")

    assert [walk.later(), walk.later(), walk.later()] == ["two", "draft", None]


def test_the_same_prompt_twice_in_a_row_counts_once():
    walk = history("one", "one", "two")

    assert [walk.earlier(""), walk.earlier(""), walk.earlier("")] == ["two", "one", None]


def test_a_new_prompt_does_not_move_somebody_who_is_walking():
    walk = history("one", "two")
    walk.earlier("")
    walk.follow(["one", "two", "three"])

    assert walk.earlier("two") == "one"
