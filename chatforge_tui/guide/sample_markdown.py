"""One long Markdown text with everything an answer may hold. Data only."""

SAMPLE_MARKDOWN = '''# A page of Markdown

What a model writes is Markdown, and it is shown as a page *while it streams*: nothing jumps when a fence closes or a
table grows. This text has a little of **everything**, with `inline code`, ~~struck words~~, a [link](https://example.com/)
and a bare one, https://example.org/path?q=1.

## Lists

1. First, a numbered list.
2. With a second point
   - and a nested one,
   - whose text is long enough to be broken at the edge of the page, so that the hanging indent of the second line can
     be judged by eye,
     - and one level more.
3. The third point.

- [x] a task that is done
- [ ] a task that is not
- [ ] one with `code` and **weight**

## A table

| Mark | State | When | Count |
|:----:|:------|:-----|------:|
| ● | streaming | an answer is arriving | 3 |
| ◆ | waiting | the agent asks *you* | 1 |
| ✕ | failed | the agent or the network said so | 0 |
| ↯ | interrupted | the stream broke off; its text is kept | 12 |

## A quotation

> Simple things should be simple, complex things should be possible.
>
> > A quotation in a quotation, with a list:
> >
> > - one
> > - two

## Code

```python
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation with one endpoint."""

    title: str
    turns: int = 0

    def mark(self) -> str:
        return "●" if self.turns else "○"
```

```rust
fn main() {
    let sessions: Vec<String> = (1..=5).map(|n| format!("session {n}")).collect();
    println!("{}", sessions.join(", "));
}
```

```yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: payments
spec:
  replicas: 3   # one for each zone
```

```diff
- image: payments:1.9.0
+ image: payments:1.8.3
```

```sh
chatforge send --json "stream 3 lines" | jq -r .text
```

## Other scripts

日本語のテキストは幅が二倍です。折り返しても列がずれません。中文也一樣，全形標點、數字 123 與 English 混排。한국어도 됩니다.
Grüße aus Köln, Ελληνικά, Русский, עברית, العربية.

Emoji, plain and joined: ✅ 🚀 👩‍💻 👍🏽 🇪🇺 and a keycap 1️⃣.

### The end

---

*That was all of it.* A rule, a heading of the third level, and a last paragraph.
'''
