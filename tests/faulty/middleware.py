"""Faults that show in whole pages."""

import time
from typing import ClassVar

from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpResponse

from faulty import breaks


@breaks("middleware.page-is-served-from-the-cache", says="from_view = ['1', '2']")
class TakesEmptyForMissing(LocMemCache):
    """Returns the default for whatever is false, as `get(key) or default` does."""

    def get(self, key, default=None, version=None):
        return super().get(key, None, version) or default


@breaks("middleware.response-comes-back-whole", says="served.reason_phrase")
@breaks("middleware.served-response-can-be-stored-again", says="content-language")
@breaks("middleware.stored-response-tells-its-lifetime", says="Cache-Control")
@breaks("middleware.template-response-is-stored-when-rendered", says="'render'")
class StoresTheBodyAlone(LocMemCache):
    """Reduces a response to its body."""

    def set(self, key, value, timeout=300, version=None):
        if isinstance(value, HttpResponse):
            value = HttpResponse(value.content)
        super().set(key, value, timeout, version)


@breaks("middleware.head-is-served-from-get", says="X-Kind")
@breaks("middleware.hit-tells-its-age", says="Age")
class StoresBodyAndCookies(LocMemCache):
    """Forgets the headers of a response."""

    def set(self, key, value, timeout=300, version=None):
        if isinstance(value, HttpResponse):
            cookies, value = value.cookies, HttpResponse(value.content)
            value.cookies = cookies
        super().set(key, value, timeout, version)


@breaks("middleware.later-changes-stay-out-of-the-cache", says="served.content")
class KeepsTheObjectsThemselves(LocMemCache):
    """Stores and returns references instead of copies."""

    objects: ClassVar[dict] = {}

    def set(self, key, value, timeout=300, version=None):
        self.objects[self.make_key(key, version)] = value

    def get(self, key, default=None, version=None):
        return self.objects.get(self.make_key(key, version), default)


@breaks("middleware.page-takes-two-entries", says="names = ('HTTP_X_COLOUR', 'HTTP_X_SIZE')")
class ReturnsTuples(LocMemCache):
    """Brings lists back as tuples."""

    def get(self, key, default=None, version=None):
        value = super().get(key, default, version)
        return tuple(value) if isinstance(value, list) else value


@breaks("middleware.only-get-and-head-are-served", says="served = ['1', '4']")
class GivesListsAway(LocMemCache):
    """Removes a list once it has been read, as a queue does."""

    def get(self, key, default=None, version=None):
        value = super().get(key, default, version)
        if isinstance(value, list):
            self.delete(key, version)
        return value


@breaks("middleware.only-whole-200-responses-are-stored", says="plain = ['1', '2']")
@breaks("middleware.304-gets-headers-but-is-not-stored", says="pages = ['1', '2']")
@breaks("middleware.private-responses-are-not-stored", says="plain = ['1', '2']")
@breaks("middleware.cache-control-is-read-in-any-case", says="plain = ['1', '2']")
@breaks("middleware.cache-control-is-read-by-whole-words", says="asked == 1", django=">=6.1")
@breaks("middleware.vary-star-is-not-stored", says="plain = ['1', '2']")
@breaks("middleware.private-cookies-are-not-stored", says="plain = ['1', '2']")
@breaks("middleware.cache-page-stores-despite-max-age-zero", says="pages = ['1', '2']")
@breaks("middleware.lifetime-of-zero-is-not-stored", says="then == again")
@breaks("middleware.no-etag-and-no-last-modified", says="response.content")
@breaks("middleware.unknown-cache-raises-at-the-request", says="pages = ['1', '2']")
class RemembersMisses(LocMemCache):
    """Keeps in mind that a key was missing and does not look again when it is set."""

    missed: ClassVar[set] = set()

    def get(self, key, default=None, version=None):
        made = self.make_key(key, version)
        if made in self.missed:
            return default
        value = super().get(key, default, version)
        if value is default:
            self.missed.add(made)
        return value


@breaks("middleware.get-is-not-served-from-head", says="gets = ['1', '1']")
class DropsCapitals(LocMemCache):
    """Cleans keys of every character that its store does not take, capitals among them."""

    def make_key(self, key, version=None):
        kept = "".join(character for character in key if not character.isupper())
        return super().make_key(kept, version)


class CutsKeys(LocMemCache):
    """Keeps the beginning of a key, as a narrow column does."""

    length = 0

    def make_key(self, key, version=None):
        return super().make_key(key[: self.length], version)


@breaks("middleware.url-separates-pages", says="pages = ['1', '1']")
@breaks("middleware.key-prefix-setting-separates-sites", says="second = ['1', '1']")
class CutsKeysAtTheAddress(CutsKeys):
    """Loses the digest of the URL and all that follows it."""

    length = len("views.decorators.cache.cache_page.")


@breaks("middleware.vary-header-separates-pages", says="pages = ['1', '1', '1']")
@breaks("middleware.every-vary-header-counts", says="pages = ['1', '1', '1', '1']")
@breaks("middleware.vary-values-cannot-be-shifted", says="['1', '1', '1']", django=">=6.1")
@breaks("middleware.empty-header-is-not-a-missing-one", says="pages = ['1', '1']")
@breaks("middleware.authorization-separates-pages", says="pages = ['1', '1', '1']")
class CutsKeysAtTheHeaders(CutsKeys):
    """Loses the digest of the headers and all that follows it."""

    length = len("views.decorators.cache.cache_header..") + 32


@breaks("middleware.public-page-is-shared-despite-authorization", says="['1', '2', '3']")
class PutsTheTimeIntoKeys(LocMemCache):
    """Means to spread load and never finds a page again."""

    def make_key(self, key, version=None):
        return super().make_key(f"{key}{time.monotonic_ns()}", version)


@breaks("middleware.language-separates-pages", says="again = [b'5'")
@breaks("middleware.time-zone-separates-pages", says="again = ['3'")
class CutsKeysAtTheLanguage(CutsKeys):
    """Loses the language and the time zone at the end of the key of a page."""

    length = len("views.decorators.cache.cache_page..GET..") + 64


@breaks("middleware.accept-language-gives-way-to-the-language", says="pages = [b'1', b'2', b'3']")
class JoinsLists(LocMemCache):
    """Stores a list as one string."""

    def set(self, key, value, timeout=300, version=None):
        if isinstance(value, list):
            value = ",".join(value)
        super().set(key, value, timeout, version)


@breaks("middleware.cache-page-timeout-comes-first", says="ended = ['1', '1']")
@breaks("middleware.max-age-comes-second", says="ended = ['1', '1']")
class NeverExpires(LocMemCache):
    """Ignores every timeout."""

    def get_backend_timeout(self, timeout=None):
        return None


@breaks("middleware.seconds-setting-comes-last", says="ended = ['2', '2']")
class ExpiresByDefault(LocMemCache):
    """Lets the default timeout cap the one that is asked for."""

    def get_backend_timeout(self, timeout=300):
        return super().get_backend_timeout(min(timeout, self.default_timeout))


@breaks("middleware.alias-setting-chooses-the-cache", says="default = ['1', '1']")
@breaks("middleware.cache-page-takes-a-cache", says="default = ['1', '1']")
@breaks("middleware.cache-page-takes-a-key-prefix", says="pages = ['1', '2', '1', '1']")
class IgnoresThePrefix(LocMemCache):
    """Builds its keys without KEY_PREFIX."""

    def make_key(self, key, version=None):
        return f"{version or self.version}:{key}"


@breaks("middleware.cache-page-uses-the-default-cache", says="served = '2'")
class ForgetsWhenItIsClosed(LocMemCache):
    """Throws its entries away at the end of a request."""

    def close(self, **kwargs):
        self.clear()
