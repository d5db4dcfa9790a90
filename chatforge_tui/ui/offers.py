"""What a new session could be opened on beside what is configured, as the command line finds it."""

from chatforge_tui.domain.session import EndpointRef

Offer = tuple[EndpointRef, str, str]
"""An endpoint that could be used, its name for people, and one line about it."""
