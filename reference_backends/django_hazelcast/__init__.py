"""Django's cache on Hazelcast.

`HazelcastCache` speaks Hazelcast's own protocol, `HazelcastMemcachedCache` that of Memcached to the
same server. Name one of them as BACKEND in CACHES.
"""

from django_hazelcast import checks as checks
from django_hazelcast.backend import HazelcastCache
from django_hazelcast.errors import HazelcastUnavailable
from django_hazelcast.memcached import HazelcastMemcachedCache

__version__ = "0.1.0"

__all__ = ["HazelcastCache", "HazelcastMemcachedCache", "HazelcastUnavailable"]
