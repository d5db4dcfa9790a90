"""The registry and the token: who is live, and why one is not any more."""

from chatforge_tui.domain.ids import RequestId, SessionId
from chatforge_tui.streaming.cancellation import CancellationToken, CancelReason
from chatforge_tui.streaming.registry import StreamingRegistry
from tests.streaming.values import fresh

A, B = SessionId("a"), SessionId("b")
ONE, TWO = RequestId("1"), RequestId("2")


def test_a_lookup_never_creates():
    registry = StreamingRegistry()
    assert registry.get(A) is None
    assert not registry.is_current(A, ONE)
    assert len(registry) == 0


def test_the_late_end_of_an_old_request_leaves_its_successor_alone():
    registry = StreamingRegistry()
    old, new = fresh(session=A, request=ONE), fresh(session=A, request=TWO)
    registry.begin(old)
    registry.begin(new)
    assert not registry.release(old)
    assert registry.get(A) is new
    assert registry.release(new)
    assert not registry.release(new)


def test_only_the_newest_request_of_its_own_session_is_current():
    registry = StreamingRegistry()
    registry.begin(fresh(session=A, request=ONE))
    registry.begin(fresh(session=B, request=TWO))
    assert registry.is_current(A, ONE)
    assert not registry.is_current(A, TWO)
    assert not registry.is_current(B, ONE)


def test_a_cancelled_request_is_not_current_and_a_retry_takes_over_from_the_try_before():
    registry = StreamingRegistry()
    state = fresh(session=A, request=ONE)
    registry.begin(state)
    state.retrying(TWO)
    assert not registry.is_current(A, ONE)
    assert registry.is_current(A, TWO)
    state.token.cancel(CancelReason.USER)
    assert not registry.is_current(A, TWO)


def test_the_first_reason_wins():
    token = CancellationToken()
    assert token.reason is None
    assert token.cancel(CancelReason.USER)
    assert not token.cancel(CancelReason.SHUTDOWN)
    assert token.reason is CancelReason.USER
