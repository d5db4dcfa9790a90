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


class Watched(list[str]):
    """Prompts that count how often one of them is read."""

    reads = 0

    def __getitem__(self, index):
        self.reads += 1
        return super().__getitem__(index)


def test_prompts_that_were_taken_are_not_looked_at_again_with_every_frame():
    prompts = Watched(f"prompt {number}" for number in range(1_000))
    walk = PromptHistory()
    walk.load(prompts)
    prompts.reads = 0
    for _ in range(100):
        walk.follow(prompts)
    assert prompts.reads == 0
    prompts.append("new")
    walk.follow(prompts)
    assert prompts.reads <= 3
    assert walk.earlier("") == "new"


def test_a_prompt_that_was_taken_back_is_gone():
    walk = history("one", "two")
    walk.follow(["one"])
    assert [walk.earlier(""), walk.earlier("")] == ["one", None]
