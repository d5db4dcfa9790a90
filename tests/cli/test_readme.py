"""The README's tables are what the program says about itself."""

import re

import pytest

from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.program_reference import command_entries, program_reference
from chatforge_tui.cli.reference_pages import PAGES, page
from chatforge_tui.config.keymap import ACTIONS
from chatforge_tui.ui.slash_commands import COMMANDS
from tests.cli.program import ROOT

CARE = {"check", "repair", "backup", "compact"}


@pytest.mark.parametrize("name", PAGES)
def test_the_readme_is_in_step(name, tmp_path):
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", readme, re.DOTALL)
    if found is None:
        pytest.skip(f"the README has no place for {name} yet")
    assert found[1].strip() == page(Launch(home=tmp_path), name).strip(), f"run: chatforge keys --markdown {name}"


def test_every_action_and_every_setting_is_in_the_reference(tmp_path):
    keys, config = page(Launch(home=tmp_path), "keys"), page(Launch(home=tmp_path), "config")
    for action in ACTIONS:
        family = re.sub(r"\.\d$", ".N", action.id)
        assert f"`{family}`" in keys
    assert "`endpoints.NAME.token_command`" in config


def test_every_command_is_described_and_hidden_ones_are_not(tmp_path):
    usages = [entry.usage for entry in command_entries()]
    assert usages[0].startswith("chatforge [OPTIONS]")
    names = {usage.split()[1] for usage in usages[1:]}
    assert names == {
        "send",
        "sessions",
        "search",
        "show",
        "export",
        "import",
        "delete",
        "restore",
        "store",
        "endpoints",
        "doctor",
        "config",
    }
    assert {usage.split()[2] for usage in usages if usage.startswith("chatforge store")} == CARE
    assert all(entry.description.endswith(".") for entry in command_entries())
    reference = program_reference(Launch(home=tmp_path))
    assert [code.code for code in reference.exit_codes][:3] == [0, 1, 2]
    assert {place.name for place in reference.places} >= {"configuration file", "store", "log file"}


def test_no_table_is_broken_by_a_bar_in_a_cell(tmp_path):
    for name in PAGES:
        for block in page(Launch(home=tmp_path), name).split("\n\n"):
            rows = [line for line in block.split("\n") if line.startswith("|")]
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1


def test_the_tour_names_every_command_of_the_prompt():
    tour = (ROOT / "README.md").read_text("utf-8").partition("- **Commands.**")[2].partition("work in the prompt")[0]
    assert re.findall(r"/([a-z]+)", tour) == [command.name for command in COMMANDS]
