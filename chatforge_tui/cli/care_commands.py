"""Commands that look after the store's file: check, repair, backup, compact. No session is shown, no engine runs."""

from pathlib import Path
from typing import Any

from chatforge_tui.cli import exit_codes
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.output import standard_output
from chatforge_tui.domain.repair import RepairReport, sessions_and_turns
from chatforge_tui.errors import StoreCorrupt, StoreUnavailable
from chatforge_tui.exchange import json_shapes
from chatforge_tui.store import care, salvage
from chatforge_tui.store.backups import list_backups
from chatforge_tui.store.care import CheckReport
from chatforge_tui.store.store_file import check_absence, stray_log

_UNSOUND = StoreCorrupt.exit_code
_MOST_TOLD = 20
"""Lines of damage told to people; JSON has all."""


def check_store(launch: Launch, *, as_json: bool) -> int:
    """Write whether the store is sound and what is wrong with it; return the exit code."""
    path = _existing(launch)
    try:
        report = care.check(path)
    except StoreCorrupt as error:
        if not as_json:
            raise
        report = CheckReport(0, 0, (str(error),), ())
    if as_json:
        _write_json(
            {
                "store": str(path),
                "sound": report.is_sound,
                "sessions": report.sessions,
                "turns": report.turns,
                "damage": list(report.damage),
                "altered": list(report.altered),
                "bytes": path.stat().st_size,
                "backups": [str(backup) for backup in list_backups(path)],
            }
        )
    else:
        standard_output().line("\n".join(_checked(path, report)))
    return exit_codes.DONE if report.is_sound else _UNSOUND


def repair_store(launch: Launch, *, as_json: bool) -> int:
    """Put a sound store in place of a damaged one; a sound one is left alone. Return the exit code."""
    path = launch.store_file
    if not path.exists() and stray_log(path) is None and not list_backups(path):
        _existing(launch)
    report = None if _is_sound(path) else salvage.repair(path)
    if as_json:
        _write_json({"store": str(path), "repaired": report is not None, **(_repair_shape(report) if report else {})})
    elif report is None:
        standard_output().line(f"The store {path} is sound; nothing was changed.")
    else:
        standard_output().line("\n".join(report.in_words()))
    return exit_codes.DONE


def back_up_store(launch: Launch, *, as_json: bool) -> int:
    """Copy the store and write where the copy is; return the exit code."""
    backup = care.back_up(_existing(launch))
    if as_json:
        _write_json({"backup": str(backup), "bytes": backup.stat().st_size})
    else:
        standard_output().line(f"Copied to {backup}.")
    return exit_codes.DONE


def compact_store(launch: Launch, *, as_json: bool) -> int:
    """Make the file as small as it can be; return the exit code."""
    before, after = care.compact(_existing(launch))
    if as_json:
        _write_json({"before_bytes": before, "after_bytes": after})
    else:
        standard_output().line(f"{before:,} bytes before, {after:,} bytes now.")
    return exit_codes.DONE


def _existing(launch: Launch) -> Path:
    """Return where the store is.

    Raises:
        StoreUnavailable: there is none yet.
        StoreCorrupt: there was one, and its log is left.
    """
    check_absence(launch.store_file)
    if not launch.store_file.exists():
        raise StoreUnavailable(f"There is no store {launch.store_file} yet.", hint="The first session makes it.")
    return launch.store_file


def _is_sound(path: Path) -> bool:
    """Return whether nothing is wrong with the file; what only its answers lost, no repair can bring back."""
    try:
        return path.exists() and not care.check(path).damage
    except StoreCorrupt:
        return False


def _checked(path: Path, report: CheckReport) -> list[str]:
    """Return a check's result in words."""
    lines = [f"{sessions_and_turns(report.sessions, report.turns)} can be read in {path}."]
    if report.is_sound:
        return [*lines, "The store is sound."]
    lines += report.damage[:_MOST_TOLD]
    if len(report.damage) > _MOST_TOLD:
        lines.append(f"... and {len(report.damage) - _MOST_TOLD} more.")
    lines += [f"Session {session_id} is not as it was stored." for session_id in report.altered[:_MOST_TOLD]]
    if report.damage:
        lines.append("`chatforge store repair` moves the file aside and brings back what can be read.")
    return lines


def _repair_shape(report: RepairReport) -> dict[str, Any]:
    """Return a repair's result as JSON spells it."""
    return {
        "moved_to": str(report.moved_to),
        "sessions": report.sessions,
        "turns": report.turns,
        "sessions_from_backup": report.sessions_from_backup,
        "turns_from_backup": report.turns_from_backup,
        "backup": str(report.backup) if report.backup else None,
    }


def _write_json(value: dict[str, Any]) -> None:
    standard_output().raw_line(json_shapes.dumps(value, indent=2))
