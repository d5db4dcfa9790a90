from chatforge_tui import errors
from chatforge_tui.cli.exit_codes import EXIT_CODES


def tree(error):
    return [error, *(one for child in error.__subclasses__() for one in tree(child))]


def test_every_error_ends_with_a_code_that_the_table_explains():
    codes = {code for code, _ in EXIT_CODES}
    assert {error.exit_code for error in tree(errors.ChatForgeError)} <= codes


def test_the_table_is_ascending_and_says_each_code_once():
    codes = [code for code, _ in EXIT_CODES]
    assert codes == sorted(set(codes))
    assert all(meaning for _, meaning in EXIT_CODES)
