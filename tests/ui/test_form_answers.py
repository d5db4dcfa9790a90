import pytest

from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.ui.form_answers import check_form, form_prompt


def problem(question: FormField, typed: str | bool) -> str:
    return check_form(Form((question,)), {question.name: typed}).problems.get(question.name, "")


@pytest.mark.parametrize(
    ("question", "typed", "is_right"),
    [
        (FormField("a", required=True), "", False),
        (FormField("a", required=True), "  ", False),
        (FormField("a"), "", True),
        (FormField("a", minimum=3), "ab", False),
        (FormField("a", minimum=3), "abc", True),
        (FormField("a", maximum=3), "abcd", False),
        (FormField("a", kind=FieldKind.NUMBER), "4.5", True),
        (FormField("a", kind=FieldKind.NUMBER), "four", False),
        (FormField("a", kind=FieldKind.NUMBER), "nan", False),
        (FormField("a", kind=FieldKind.NUMBER), "inf", False),
        (FormField("a", kind=FieldKind.NUMBER, minimum=1, maximum=5), "0", False),
        (FormField("a", kind=FieldKind.NUMBER, minimum=1, maximum=5), "6", False),
        (FormField("a", kind=FieldKind.NUMBER, minimum=1, maximum=5), "5", True),
        (FormField("a", kind=FieldKind.EMAIL), "ada", False),
        (FormField("a", kind=FieldKind.EMAIL), "ada@example.com", True),
        (FormField("a", kind=FieldKind.SELECT, options=("x", "y")), "z", False),
        (FormField("a", kind=FieldKind.SELECT, options=("x", "y")), "y", True),
        (FormField("a", kind=FieldKind.SELECT, options=("x",), required=True), "", False),
        (FormField("a", kind=FieldKind.PASSWORD, pattern="[a-z]+"), "abc", True),
        (FormField("a", pattern="[a-z]+"), "abc1", False),
        (FormField("a", pattern="("), "anything", True),
        (FormField("a", kind=FieldKind.BOOLEAN, required=True), False, True),
    ],
)
def test_an_answer_is_judged_by_its_field(question, typed, is_right):
    assert (problem(question, typed) == "") is is_right


def test_a_pattern_made_to_take_for_ever_is_not_run():
    assert problem(FormField("a", pattern="(a+)+b"), "a" * 60) == ""


def test_values_have_the_type_of_their_field_and_empty_ones_are_left_out():
    form = Form(
        (
            FormField("n", kind=FieldKind.NUMBER),
            FormField("ok", kind=FieldKind.BOOLEAN),
            FormField("text"),
            FormField("none"),
            FormField("zero", kind=FieldKind.NUMBER),
        )
    )

    answers = check_form(form, {"n": " 3 ", "ok": True, "text": " as typed ", "zero": "0"})

    assert answers.values == {"n": 3.0, "ok": True, "text": " as typed ", "zero": 0.0}
    assert answers.problems == {}


def test_the_prompt_reads_line_by_line_and_hides_the_password():
    form = Form(
        (
            FormField("name"),
            FormField("pw", kind=FieldKind.PASSWORD),
            FormField("n", kind=FieldKind.NUMBER),
            FormField("ok", kind=FieldKind.BOOLEAN),
        )
    )

    prompt = form_prompt(form, {"name": "Ada", "pw": "s3cret", "n": 3.0, "ok": False})

    assert prompt.text == "name: Ada\npw: ********\nn: 3\nok: no"
    assert prompt.form == {"name": "Ada", "pw": "s3cret", "n": 3.0, "ok": False}
