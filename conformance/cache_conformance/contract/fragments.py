"""The template fragment cache: parts of pages, kept by the template tag ``cache``."""

from itertools import count

from django.core.cache import caches
from django.core.cache.utils import make_template_fragment_key
from django.template import Context, Engine, TemplateSyntaxError
from django.test import override_settings
from django.utils.safestring import SafeString

from cache_conformance.clause import MUST, SYNC_ONLY, clause
from cache_conformance.vocabulary import after, before, raises

FRAGMENTS = "#template-fragment-caching"
CACHED = ("fragment.is-rendered-once",)

SIDEBAR = "{% cache 60 sidebar %}{{ text }}{% endcache %}"
FOOTER = "{% cache 60 footer %}{{ text }}{% endcache %}"
VARYING = "{% cache 60 sidebar one two %}{{ text }}{% endcache %}"
SPECIAL = '{% cache 60 sidebar using="special" %}{{ text }}{% endcache %}'
TIMED = "{% cache timeout sidebar %}{{ text }}{% endcache %}"


def default(entry, **settings):
    """Return the settings of a project with one cache, built from these settings."""
    return override_settings(CACHES={"default": entry(**settings)})


def render(template, **variables):
    engine = Engine(builtins=["django.templatetags.cache"])
    return engine.from_string(template).render(Context(variables))


@clause("fragment.is-rendered-once", MUST, docs=FRAGMENTS, apis=SYNC_ONLY)
def a_fragment_is_rendered_once(entry):
    """The cache tag renders its block and stores it; the next time it returns the stored text."""
    numbers = count(1)
    with default(entry):
        texts = [render(SIDEBAR, text=lambda: str(next(numbers))) for _ in range(3)]
    assert texts == ["1", "1", "1"]
    assert next(numbers) == 2


@clause("fragment.empty-one-is-stored", MUST, docs=FRAGMENTS, apis=SYNC_ONLY, requires=CACHED)
def an_empty_fragment_is_stored(entry):
    """A block that renders to nothing is stored like any other."""
    with default(entry):
        texts = [render(SIDEBAR, text=text) for text in ("", "later")]
    assert texts == ["", ""]


@clause("fragment.name-separates", MUST, docs=FRAGMENTS, apis=SYNC_ONLY, requires=CACHED)
def the_name_separates_fragments(entry):
    """Fragments with different names do not share a text."""
    with default(entry):
        texts = [render(SIDEBAR, text="side"), render(FOOTER, text="foot")]
        again = [render(SIDEBAR, text=""), render(FOOTER, text="")]
    assert texts == ["side", "foot"]
    assert again == ["side", "foot"]


DIFFERENT_ARGUMENTS = (
    (("a", "b"), ("a", "c")),
    (("a", "b"), ("b", "a")),
    (("a", "b"), ("A", "b")),
    (("a", "b"), ("a", "b ")),
    (("a", ""), ("", "a")),
    (("", ""), (" ", "")),
    ((1, 2), (1, 3)),
    ((1, 0), (True, False)),
    ((None, ""), ("", "")),
    (("\xfc", "\u4e16"), ("\xfb", "\u4e16")),
    ((5000 * "x", ""), (5000 * "x" + "y", "")),
)


@clause(
    "fragment.arguments-separate",
    MUST,
    docs=FRAGMENTS,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=DIFFERENT_ARGUMENTS,
)
def arguments_separate_fragments(entry, value):
    """A fragment is stored once for each set of additional arguments."""
    (one, two), (other_one, other_two) = value
    with default(entry):
        texts = [
            render(VARYING, one=one, two=two, text="first"),
            render(VARYING, one=other_one, two=other_two, text="second"),
            render(VARYING, one=one, two=two, text="third"),
            render(VARYING, one=other_one, two=other_two, text="fourth"),
        ]
    assert texts == ["first", "second", "first", "second"]


SAME_AS_STRINGS = (
    (None, "None"),
    (1, "1"),
    (True, "True"),
    (SafeString("<b>"), "<b>"),
)


@clause(
    "fragment.arguments-count-as-strings",
    MUST,
    docs=FRAGMENTS,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=SAME_AS_STRINGS,
)
def arguments_count_as_strings(entry, value):
    """Arguments whose str() is the same name the same fragment."""
    with default(entry):
        texts = [render(VARYING, one=one, two="", text=repr(one)) for one in value]
    assert texts[0] == texts[1]


@clause(
    "fragment.arguments-cannot-be-shifted",
    MUST,
    docs="releases/6.1/#miscellaneous",
    apis=SYNC_ONLY,
    requires=CACHED,
    django=">=6.1",
)
def arguments_cannot_be_shifted(entry):
    """Characters that move from one argument to the next make another fragment."""
    with default(entry):
        texts = [
            render(VARYING, one="a:b", two="c", text="first"),
            render(VARYING, one="a", two="b:c", text="second"),
            render(VARYING, one="a:b", two="c", text="third"),
        ]
    assert texts == ["first", "second", "first"]


TIMEOUTS = (
    60,
    "60",
    " 60 ",
    SafeString("60"),
    60.9,
)


@clause(
    "fragment.timeout-may-be-a-variable",
    MUST,
    docs=FRAGMENTS,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=TIMEOUTS,
)
def the_timeout_may_be_a_variable(entry, value):
    """The timeout may be a variable that int() can convert."""
    with default(entry):
        texts = [render(TIMED, timeout=value, text=text) for text in ("first", "second")]
    assert texts == ["first", "first"]


@clause("fragment.expires", MUST, docs=FRAGMENTS, apis=SYNC_ONLY, requires=CACHED)
def a_fragment_expires(entry):
    """A fragment is stored for the seconds that the tag gives, as a literal or as a variable."""
    literal = "{% cache 2 literal %}{{ text }}{% endcache %}"
    with default(entry):
        texts = [render(literal, text="first"), render(TIMED, timeout="2", text="first")]
    assert texts == ["first", "first"]
    yield before(2)
    with default(entry):
        texts = [render(literal, text="second"), render(TIMED, timeout="2", text="second")]
    assert texts == ["first", "first"]
    yield after(2)
    with default(entry):
        texts = [render(literal, text="third"), render(TIMED, timeout="2", text="third")]
    assert texts == ["third", "third"]


@clause("fragment.timeout-none-is-for-ever", MUST, docs=FRAGMENTS, apis=SYNC_ONLY, requires=CACHED)
def a_timeout_of_none_is_for_ever(entry):
    """With a timeout of None a fragment outlives the default timeout of its cache."""
    literal = "{% cache None literal %}{{ text }}{% endcache %}"
    with default(entry, TIMEOUT=1):
        texts = [render(literal, text="first"), render(TIMED, timeout=None, text="first")]
    assert texts == ["first", "first"]
    yield after(1)
    with default(entry, TIMEOUT=1):
        texts = [render(literal, text="second"), render(TIMED, timeout=None, text="second")]
    assert texts == ["first", "first"]


ZEROS = (
    0,
    "0",
    0.9,
)


@clause(
    "fragment.timeout-zero-is-not-stored",
    MUST,
    docs=FRAGMENTS,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=ZEROS,
)
def a_timeout_of_zero_is_not_stored(entry, value):
    """With a timeout of 0 a fragment is rendered every time."""
    with default(entry):
        texts = [render(TIMED, timeout=value, text=text) for text in ("first", "second")]
    assert texts == ["first", "second"]


NO_TIMEOUTS = (
    {"timeout": "abc"},
    {"timeout": ""},
    {"timeout": "60.5"},
    {"timeout": []},
    {},
)


@clause(
    "fragment.other-timeout-is-a-syntax-error",
    MUST,
    docs="source:django.templatetags.cache.CacheNode.render",
    apis=SYNC_ONLY,
    requires=CACHED,
    each=NO_TIMEOUTS,
)
def another_timeout_is_a_syntax_error(entry, value):
    """A timeout that is no integer, or undefined, is a TemplateSyntaxError and stores nothing."""
    with default(entry):
        with raises(TemplateSyntaxError):
            render(TIMED, text="first", **value)
        texts = [render(TIMED, timeout=60, text=text) for text in ("second", "third")]
    assert texts == ["second", "second"]


def with_special(entry, cache, **others):
    """Return the settings of a project with a cache "special", apart from the default one."""
    special = entry(KEY_PREFIX=cache.key_prefix + "-special")
    return override_settings(CACHES={"default": entry(), "special": special, **others})


@clause("fragment.using-chooses-the-cache", MUST, docs=FRAGMENTS, apis=SYNC_ONLY, requires=CACHED)
def using_chooses_the_cache(cache, entry):
    """The tag keeps its fragment in the cache that using= names, and in no other."""
    variable = "{% cache 60 sidebar using=name %}{{ text }}{% endcache %}"
    with with_special(entry, cache):
        texts = [
            render(SPECIAL, text="special"),
            render(SIDEBAR, text="default"),
            render(SPECIAL, text=""),
            render(SIDEBAR, text=""),
            render(variable, name="special", text=""),
        ]
    assert texts == ["special", "default", "special", "default", "special"]


@clause(
    "fragment.template-fragments-is-the-first-choice",
    MUST,
    docs=FRAGMENTS,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def template_fragments_is_the_first_choice(cache, entry):
    """Without using= the tag takes the cache "template_fragments", if the project has one."""
    fragments = entry(KEY_PREFIX=cache.key_prefix + "-fragments")
    key = make_template_fragment_key("sidebar")
    with with_special(entry, cache, template_fragments=fragments):
        chosen = [render(SIDEBAR, text="chosen"), render(SIDEBAR, text="")]
        stored = [caches[alias].get(key) for alias in ("template_fragments", "default")]
        special = [render(SPECIAL, text="special"), render(SPECIAL, text="")]
    with default(entry):
        fallen_back = [render(SIDEBAR, text="default"), render(SIDEBAR, text="")]
    assert chosen == ["chosen", "chosen"]
    assert stored == ["chosen", None]
    assert special == ["special", "special"]
    assert fallen_back == ["default", "default"]


@clause(
    "fragment.unknown-cache-is-a-syntax-error",
    MUST,
    docs=FRAGMENTS,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def an_unknown_cache_is_a_syntax_error(cache, entry):
    """An alias in using= that does not exist is a TemplateSyntaxError."""
    with default(entry), raises(TemplateSyntaxError):
        render(SPECIAL, text="first")
    with with_special(entry, cache):
        texts = [render(SPECIAL, text="second"), render(SPECIAL, text="third")]
    assert texts == ["second", "second"]


@clause("fragment.using-must-come-last", MUST, docs=FRAGMENTS, apis=SYNC_ONLY, requires=CACHED)
def using_must_come_last(cache, entry):
    """An argument after using= is a TemplateSyntaxError; arguments before it separate."""
    early = '{% cache 60 sidebar using="special" one %}{{ text }}{% endcache %}'
    late = '{% cache 60 sidebar one using="special" %}{{ text }}{% endcache %}'
    with with_special(entry, cache):
        with raises(TemplateSyntaxError):
            render(early, one="a", text="first")
        texts = [render(late, one=one, text=one) for one in ("a", "b")]
        again = [render(late, one=one, text="") for one in ("a", "b")]
    assert texts == ["a", "b"]
    assert again == ["a", "b"]


@clause(
    "fragment.key-reaches-the-fragment",
    MUST,
    docs="#django.core.cache.utils.make_template_fragment_key",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def the_key_reaches_the_fragment(entry):
    """make_template_fragment_key() gives the key by which a fragment is overwritten or deleted."""
    key = make_template_fragment_key("sidebar", ["ann", 7])
    plain = make_template_fragment_key("sidebar")
    with default(entry):
        backend = caches["default"]
        render(SIDEBAR, text="of all")
        first = render(VARYING, one="ann", two=7, text="first")
        stored = [backend.get(key), backend.get(plain)]
        backend.set(key, "overwritten")
        second = render(VARYING, one="ann", two=7, text="second")
        deleted = backend.delete(key)
        third = render(VARYING, one="ann", two=7, text="third")
        of_all = render(SIDEBAR, text="other")
    assert (first, second, third) == ("first", "overwritten", "third")
    assert stored == ["first", "of all"]
    assert deleted is True
    assert of_all == "of all"


ANY_ARGUMENTS = (
    "",
    "two words",
    "two\r\nlines\t",
    "\x00\x7f",
    "\u043a\u043b\u044e\u0447 \U0001f511",
    5000 * "x",
    {"a": [1, 2]},
)


@clause(
    "fragment.any-argument-makes-a-valid-key",
    MUST,
    docs="#django.core.cache.utils.make_template_fragment_key",
    apis=SYNC_ONLY,
    requires=CACHED,
    each=ANY_ARGUMENTS,
)
def any_argument_makes_a_valid_key(entry, value):
    """Arguments of any length and content give a key that the backend takes."""
    with default(entry):
        texts = [render(VARYING, one=value, two="", text=text) for text in ("first", "second")]
        deleted = caches["default"].delete(make_template_fragment_key("sidebar", [value, ""]))
        third = render(VARYING, one=value, two="", text="third")
    assert texts == ["first", "first"]
    assert deleted is True
    assert third == "third"


MARKUP = (
    "<b>bold</b>",
    "<b>{{ text }}</b> {{ markup }}",
    "{{ text }}{% cache 60 inner %}<i>{{ text }}</i>{% endcache %}",
    " \r\n\t{{ text }}\n ",
    "\u043a\u043b\u044e\u0447 \U0001f511 &nbsp;\xa0&amp;",
    "{% autoescape off %}{{ text }}{% endautoescape %}",
)


@clause(
    "fragment.hit-renders-like-the-miss",
    MUST,
    docs=FRAGMENTS,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=MARKUP,
)
def a_hit_renders_like_the_miss(entry, value):
    """A stored fragment comes back character by character, with no markup escaped again."""
    variables = {"text": "<&'\">", "markup": SafeString("<u>under</u>")}
    cached = "<p>{% cache 60 outer %}" + value + "{% endcache %}</p>"
    with default(entry):
        miss, hit = render(cached, **variables), render(cached, **variables)
        plain = render("<p>" + value + "</p>", **variables)
    assert miss == plain
    assert hit == plain
