"""Faults that show in template fragments."""

import html

from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


@breaks("fragment.is-rendered-once", says="texts = ['1', '2', '3']")
@breaks("fragment.arguments-count-as-strings", says="texts = ['None', ")
@breaks("fragment.timeout-may-be-a-variable", says="texts = ['first', 'second']")
@breaks("fragment.other-timeout-is-a-syntax-error", says="texts = ['second', 'third']")
class DatesEntriesBack(LocMemCache):
    """Subtracts what it should add, so that entries are past when they are stored."""

    def get_backend_timeout(self, timeout=300):
        expiry = super().get_backend_timeout(timeout)
        return expiry and expiry - 600


@breaks("fragment.empty-one-is-stored", says="texts = ['', 'later']")
class TakesEmptyForMissing(LocMemCache):
    """Returns the default for whatever is false, as `get(key) or default` does."""

    def get(self, key, default=None, version=None):
        return super().get(key, None, version) or default


@breaks("fragment.name-separates", says="texts = ['side', 'side']")
class CutsKeysAtTheName(LocMemCache):
    """Keeps the beginning of a key, as a narrow column does."""

    def make_key(self, key, version=None):
        return super().make_key(key[: len("template.cache.")], version)


@breaks("fragment.arguments-separate", says="texts = ['first', 'first', 'first', 'first']")
@breaks("fragment.arguments-cannot-be-shifted", says="'first', 'first'", django=">=6.1")
@breaks("fragment.using-must-come-last", says="texts = ['a', 'a']")
class CutsKeysAtTheArguments(LocMemCache):
    """Takes what follows the last dot for an extension."""

    def make_key(self, key, version=None):
        return super().make_key(key.rpartition(".")[0], version)


@breaks("fragment.expires", says="texts = ['first', 'first']")
class NeverExpires(LocMemCache):
    """Ignores every timeout."""

    def get_backend_timeout(self, timeout=None):
        return None


@breaks("fragment.timeout-none-is-for-ever", says="texts = ['second', 'second']")
class TakesNoneForTheDefault(LocMemCache):
    """Uses the default timeout when it is told None."""

    def get_backend_timeout(self, timeout=300):
        return super().get_backend_timeout(self.default_timeout if timeout is None else timeout)


@breaks("fragment.timeout-zero-is-not-stored", says="texts = ['first', 'first']")
class TakesZeroForTheDefault(LocMemCache):
    """Uses the default timeout when it is told 0, as `timeout or default` does."""

    def get_backend_timeout(self, timeout=300):
        return super().get_backend_timeout(timeout or self.default_timeout)


@breaks("fragment.using-chooses-the-cache", says="texts = ['special', 'special', ")
@breaks("fragment.template-fragments-is-the-first-choice", says="stored = ['chosen', 'chosen']")
class IgnoresThePrefix(LocMemCache):
    """Builds its keys without KEY_PREFIX."""

    def make_key(self, key, version=None):
        return f"{version or self.version}:{key}"


@breaks("fragment.unknown-cache-is-a-syntax-error", says="texts = ['second', 'third']")
class LosesEntriesWithPrefix(LocMemCache):
    """Writes with the prefix and reads without."""

    def get(self, key, default=None, version=None):
        prefix, self.key_prefix = self.key_prefix, ""
        try:
            return super().get(key, default, version)
        finally:
            self.key_prefix = prefix


@breaks("fragment.key-reaches-the-fragment", says="deleted is True")
class DeletesWithoutAWord(LocMemCache):
    """Returns nothing from delete()."""

    def delete(self, key, version=None):
        super().delete(key, version)


@breaks("fragment.any-argument-makes-a-valid-key", says="third = 'first'")
class DeletesInTheBackground(LocMemCache):
    """Says that it has deleted an entry and leaves that for later."""

    def delete(self, key, version=None):
        return self.has_key(key, version)


@breaks("fragment.hit-renders-like-the-miss", says="hit = '<p>&lt;b&gt;bold")
class EscapesText(LocMemCache):
    """Escapes text on its way out, to be on the safe side."""

    def get(self, key, default=None, version=None):
        value = super().get(key, default, version)
        return html.escape(value) if isinstance(value, str) else value


@breaks("fragment.hit-renders-like-the-miss", says="value = ' ")
class StripsText(LocMemCache):
    """Strips text, as a line-based protocol does."""

    def get(self, key, default=None, version=None):
        value = super().get(key, default, version)
        return value.strip() if isinstance(value, str) else value
