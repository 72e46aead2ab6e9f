"""Time: instants as the API writes them, and waiting for what is promised to come."""

import time
from datetime import UTC, datetime, timedelta

WAIT_SECONDS_MAX = 20


def until(is_so, seconds_max=WAIT_SECONDS_MAX):
    """Asks again and again, for a while; answers what was said in the end."""
    deadline = time.monotonic() + seconds_max
    while not (said := is_so()):
        assert time.monotonic() < deadline, f"still {said!r} after {seconds_max} s"
        time.sleep(0.01)
    return said


def from_now(seconds):
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def has_come(instant):
    return datetime.fromisoformat(instant) <= datetime.now(UTC)


def before_it_ends(act):
    """What `act` answers when it is given an instant at which something is to end, which must not
    have come when it returns: on a slow machine it is given a later one."""
    for seconds in [1, 4, 16]:
        ends = from_now(seconds)
        said = act(ends)
        if not has_come(ends):
            return said
    raise AssertionError("it takes too long")


def instant_between():
    """An instant behind all that has happened and before all that comes next.

    Instants are whole milliseconds, and what happens within one belongs to it: without a gap on both
    sides, what comes next may bear the instant of what was told last.
    """
    instant, later = from_now(0.01), from_now(0.02)
    until(lambda: has_come(later))
    return instant
