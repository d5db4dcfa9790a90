"""Every key that a widget or a screen binds leads to a method that takes what the binding gives it."""

import importlib
import inspect
import pkgutil

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.dom import DOMNode

import chatforge_tui.ui
from chatforge_tui.ui.app import ChatForgeApp

for module in pkgutil.walk_packages(chatforge_tui.ui.__path__, "chatforge_tui.ui."):
    importlib.import_module(module.name)


def own_classes(base: type = DOMNode) -> list[type]:
    found = [base] if base.__module__.startswith("chatforge_tui.") else []
    return [*found, *(one for child in base.__subclasses__() for one in own_classes(child))]


BINDINGS = sorted(
    {
        (owner, action.strip())
        for owner in own_classes()
        for binding in owner.__dict__.get("BINDINGS", ())
        for action in [binding.action if isinstance(binding, Binding) else binding[1]]
    },
    key=lambda one: (one[0].__name__, one[1]),
)


@pytest.mark.parametrize(("owner", "action"), BINDINGS, ids=lambda one: getattr(one, "__name__", one))
def test_a_bound_action_can_be_called_as_it_is_bound(owner, action):
    namespace, name, parameters = parse(action)
    target = {"": owner, "app": ChatForgeApp}[namespace]

    inspect.signature(getattr(target, f"action_{name}")).bind(None, *parameters)


def test_there_are_bindings_to_check():
    assert len(BINDINGS) > 10
