"""What goes wrong between Django and a Hazelcast cluster."""


class HazelcastUnavailable(ConnectionError):
    """The cluster has not answered within OPTIONS["TIMEOUT"] seconds, or has refused the client.

    Whether an operation that raises this has been carried out is not known; a member that was
    frozen may do it later.
    """


class NotBackedUp(HazelcastUnavailable):
    """A write has reached its member, but no backup of it has been confirmed in time."""
