import msgspec

from chatforge_tui.config.reference import allowed_values, describe_settings
from chatforge_tui.config.settings import EndpointSettings, FileSettings, Settings, UiSettings


def test_every_setting_is_described_once_with_type_and_sentence():
    described = {one.name: one for one in describe_settings()}
    expected = [name for name in Settings.__struct_fields__ if name not in ("endpoints", "files", "ui")]
    expected += [f"endpoints.NAME.{name}" for name in EndpointSettings.__struct_fields__]
    expected += [f"ui.{name}" for name in UiSettings.__struct_fields__]
    expected += [f"files.{name}" for name in FileSettings.__struct_fields__]
    assert sorted(described) == sorted(expected)
    for one in described.values():
        assert one.type
        assert one.description.endswith("."), one.name


def test_defaults_are_told_as_they_would_be_written():
    described = {one.name: one for one in describe_settings()}
    assert described["endpoints.NAME.url"].default == "required"
    assert described["endpoints.NAME.verify"].default == "true"
    assert described["endpoints.NAME.connect_s"].default == "10"
    assert described["ui.abort"].default == '"single"'
    assert described["endpoints.NAME.temperature"].default == ""
    assert described["ui.abort"].type == "`single`, `double`"


def test_closed_lists_are_known_and_others_are_not():
    assert allowed_values(UiSettings, "abort") == ("single", "double")
    assert allowed_values(UiSettings, "theme") == ()


def test_settings_cannot_be_changed_after_they_were_read():
    for struct in (Settings, EndpointSettings, FileSettings, UiSettings):
        assert issubclass(struct, msgspec.Struct)
        assert struct.__struct_config__.frozen
