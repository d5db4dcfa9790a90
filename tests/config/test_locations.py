from pathlib import Path

from chatforge_tui.config.locations import Locations


def test_a_home_puts_everything_under_one_directory(tmp_path):
    locations = Locations.find(tmp_path, {"CHATFORGE_HOME": "/elsewhere"})
    assert locations.config_file == tmp_path / "config.toml"
    for directory in (locations.data_dir, locations.state_dir, locations.log_dir, locations.run_dir):
        assert directory.is_relative_to(tmp_path)


def test_the_environment_names_a_home_and_an_empty_variable_counts_as_unset(tmp_path):
    assert Locations.find(None, {"CHATFORGE_HOME": str(tmp_path)}).config_file == tmp_path / "config.toml"
    assert Locations.find(None, {"CHATFORGE_HOME": ""}) == Locations.find(None, {})


def test_a_relative_home_does_not_move_when_the_program_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Locations.find(Path("x"), {}).data_dir == tmp_path / "x" / "data"


def test_without_a_home_each_kind_of_file_is_where_the_system_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    locations = Locations.find(None, {})
    assert locations.config_file.name == "config.toml"
    assert "chatforge" in str(locations.config_file)
    assert len({locations.config_file.parent, locations.data_dir, locations.log_dir}) == 3


def test_finding_makes_nothing(tmp_path):
    Locations.find(tmp_path / "new", {})
    assert not (tmp_path / "new").exists()
