"""What the mock server says: the same Markdown for everyone, ordered by the prompt.

A prompt like `bench 2000 tokens at 200 named k7` orders 2,000 tokens at 200 a second (0 = as fast as they are taken),
whose last line is the word `ended-k7`: a driver waits for it on the screen. With ` after 1000` behind it the first 1,000
come at once.
"""

import re
from functools import lru_cache
from typing import NamedTuple

ORDER = re.compile(r"bench (\d+) tokens at (\d+) named ([a-z0-9]+)(?: after (\d+))?")
TOKEN = re.compile(r"\n+|[^\S\n]*[A-Za-z]{1,6}|[^\S\n]*\d{1,3}|[^\S\n]*[^\sA-Za-z0-9]{1,3}|[^\S\n]+")
"""Four characters or so, blanks in front, as tokenizers of models cut."""
SECTION = """\
## Part {n}: what a long answer is made of

An ordinary paragraph comes first, with **strong words**, *softer ones*, `names_of_things` and a [link](https://example.com/{n}).
It goes on for a few lines, because that is what answers do, and a terminal has to break it at the right edge while it grows.

- one item, short
- another item with `code` in it, long enough to be broken into two lines when the pane is narrow, as panes often are
  - an item below it
  - **and one more**
- the last one

```python
def total(prices: dict[str, float], *, discount: float = 0.0) -> float:
    \"\"\"Return what everything costs, part {n}.\"\"\"
    whole = sum(prices.values())  # nothing is rounded
    return whole * (1 - discount) if prices else 0.0
```

| station | minutes | late |
|:--------|--------:|:----:|
| harbour | {n}7 | no |
| **mill** | 1{n}4 | yes |
| 东站 | 31 | no |

1. 第一步：打开文件，然后检查每一行
2. 次に、結果を保存して終わります
3. done 🚀 ✅

> What someone said about it — quoted, in one line.

"""
FILLER = ("plain", " words", " fill", " what", " is", " left", " of", " it", ",")


class Order(NamedTuple):
    """What a prompt asks for."""

    tokens: int
    rate: int
    """Tokens a second; 0 = no limit."""
    name: str
    head_start: int = 0
    """Tokens that come at once, before those at the rate."""


def prompt(order: Order) -> str:
    """Return the prompt that orders this."""
    ahead = f" after {order.head_start}" if order.head_start else ""
    return f"bench {order.tokens} tokens at {order.rate} named {order.name}{ahead}"


def end_of(name: str) -> str:
    """Return the word that ends an answer."""
    return f"ended-{name}"


def read_order(text: str) -> Order | None:
    """Return what the last order in a text asks for."""
    found = ORDER.findall(text)
    if not found:
        return None
    tokens, rate, name, ahead = found[-1]
    return Order(int(tokens), int(rate), name, int(ahead or 0))


@lru_cache(maxsize=64)
def _body(count: int) -> tuple[str, ...]:
    """Return so many tokens: whole sections, then plain words."""
    tokens: list[str] = []
    number = 1
    while len(tokens) + len(section := TOKEN.findall(SECTION.replace("{n}", str(number)))) <= count:
        tokens += section
        number += 1
    tokens += [FILLER[at % len(FILLER)] for at in range(count - len(tokens))]
    return tuple(tokens)


def tokens_of(order: Order) -> tuple[str, ...]:
    """Return the answer in tokens; its end is always there."""
    return (*_body(max(0, order.tokens - 2)), "\n\n", end_of(order.name))
