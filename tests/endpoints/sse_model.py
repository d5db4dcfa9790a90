"""The WHATWG event stream interpretation, written down as the standard reads: one character at a time, slow and plain.

What the decoder is compared with. It takes the whole stream at once and knows nothing of chunks.
"""

BOM = "\ufeff"


def interpret(stream: bytes) -> list[tuple[str, str, str]]:
    """Return (type, data, last event id) of every dispatched event."""
    text = stream.decode("utf-8", "replace")
    text = text.removeprefix(BOM)
    events: list[tuple[str, str, str]] = []
    data, event_type, last_id = "", "", ""
    for line in _lines(text):
        if line == "":
            if data:
                events.append((event_type or "message", data[:-1], last_id))
            data, event_type = "", ""
            continue
        if line[0] == ":":
            continue
        name, value = line, ""
        if ":" in line:
            name, value = line[: line.index(":")], line[line.index(":") + 1 :]
            if value[:1] == " ":
                value = value[1:]
        if name == "data":
            data += value + "\n"
        elif name == "event":
            event_type = value
        elif name == "id" and "\0" not in value:
            last_id = value
    return events


def _lines(text: str) -> list[str]:
    """Return the complete lines: what stands after the last line end is none."""
    lines, line, at = [], "", 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "\r":
            if text[at : at + 1] == "\n":
                at += 1
            lines.append(line)
            line = ""
        elif character == "\n":
            lines.append(line)
            line = ""
        else:
            line += character
    return lines
