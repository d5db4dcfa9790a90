"""What every test of a fault asks of the error that a person is shown."""

from chatforge_tui.errors import EndpointError
from tests.contracts.endpoint_run import run


def a_sentence(error: EndpointError) -> bool:
    """Whether the message is one for a person: a sentence, without traces of the program or a whole URL."""
    text = f"{error} {error.hint}"
    return (
        str(error)[-1] in ".…"
        and "Errno" not in text
        and "httpx" not in text
        and "?" not in text
        and "http" not in str(error)
    )


async def fails(endpoint, kind, *, retryable=False, text=""):
    """Run a request that must fail in this way; return the error."""
    found = await run(endpoint)
    assert type(found.error) is kind, found
    assert found.error.retryable is retryable
    assert found.text == text
    assert found.terminal is None
    return found.error
