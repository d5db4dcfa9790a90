"""Where a file of an agent is fetched from, as the question about it shows it."""

from msgspec import Struct

from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.urls import SafeLink


class FileSource(Struct, frozen=True):
    """An address that the agent gave."""

    link: SafeLink
    takes_credential: bool
    """Whether the endpoint's credential goes along, if it has one."""

    @property
    def name(self) -> str:
        """What the file is called by its address; it is hostile as any name."""
        return self.link.url.partition("?")[0].partition("#")[0].rpartition("/")[2]

    def rows(self) -> list[tuple[str, str]]:
        """Return labels and cleaned words: the real host first, whatever the address looks like."""
        link = self.link
        rows = [("Fetched from", f"{link.origin}{'' if link.origin.scheme == 'https' else ', without encryption'}")]
        if link.is_disguised:
            rows.append(("Written as", clean_name(link.shown_host)))
        if link.had_userinfo:
            rows.append(("Left out", "the user name in the address, a common disguise"))
        along = "the endpoint's credential: it is its own server" if self.takes_credential else "no credential"
        return [*rows, ("Sent there", along)]
