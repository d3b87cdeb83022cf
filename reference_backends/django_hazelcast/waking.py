"""A remedy for a wake-up that the Hazelcast client may lose, and with it all later ones.

The client's thread sleeps for up to 10 ms at a time, unless another thread that has something to
send wakes it: that one sets a flag and writes a byte. The client's thread takes the flag back first
and the bytes then, so it may swallow a byte that was written in between. The flag says then that a
byte is on its way, nobody writes one any more, and every request of the process waits for those
10 ms from then on. Seen with hazelcast-python-client 5.7.0, `hazelcast/reactor.py`.
"""

from typing import Any

from hazelcast.client import HazelcastClient


def keep_awake(client: HazelcastClient) -> None:
    """Have the client's thread take the flag back after the bytes, too; it looks for work then."""
    waker: Any = getattr(client._reactor._loop, "waker", None)
    if waker is None:
        return  # a loop that cannot be woken has no flag
    take_the_bytes = waker.handle_read

    def handle_read() -> None:
        take_the_bytes()
        waker.awake = False

    waker.handle_read = handle_read
    waker.awake = False
