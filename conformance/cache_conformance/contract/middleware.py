"""The per-site and the per-view cache: whole pages, kept by Django's cache middleware."""

import time
from datetime import timedelta, timezone
from unittest import mock

from django.core.cache import InvalidCacheBackendError, caches
from django.http import HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.middleware.cache import FetchFromCacheMiddleware, UpdateCacheMiddleware
from django.template.backends.django import DjangoTemplates
from django.template.response import TemplateResponse
from django.test import RequestFactory, override_settings
from django.utils import timezone as time_zones
from django.utils import translation
from django.utils.http import parse_http_date
from django.views.decorators.cache import cache_page

from cache_conformance.clause import MUST, SHOULD, SNAPSHOTS, SYNC_ONLY, clause
from cache_conformance.vocabulary import after, before, raises, replaced

PER_SITE = "#the-per-site-cache"
PER_VIEW = "#the-per-view-cache"
VARY = "#using-vary-headers"
CACHED = ("middleware.page-is-served-from-the-cache",)


def fixed_in(oldest, *later):
    """Return the versions of Django with a fix that was released for several series at once."""
    unfixed = (
        f"!={series}.{patch}"
        for series, _, fixed in (release.rpartition(".") for release in later)
        for patch in range(int(fixed))
    )
    return ",".join((f">={oldest}", *unfixed))


def site(entry, **settings):
    """Return the settings of a site on the backend, whatever the project around it has set."""
    usual = {
        "CACHES": {"default": entry()},
        "CACHE_MIDDLEWARE_ALIAS": "default",
        "CACHE_MIDDLEWARE_KEY_PREFIX": "",
        "CACHE_MIDDLEWARE_SECONDS": 600,
        "ALLOWED_HOSTS": ["*"],
        "USE_I18N": False,
    }
    return override_settings(**usual | settings)


def per_site(view):
    """Return the view behind the two halves of the cache middleware, as a site has them."""
    return UpdateCacheMiddleware(FetchFromCacheMiddleware(view))


class Pages:
    """A view that never answers the same twice: its pages say 1, 2, 3 and so on."""

    def __init__(self, response=HttpResponse, **options):
        self.number = 0
        self.response = response
        self.options = options

    def __call__(self, request):
        self.number += 1
        return self.response(str(self.number), **self.options)


def get(path="/", **request):
    return RequestFactory().get(path, **request)


def read(page, path="/", **request):
    return page(get(path, **request)).content.decode()


@clause("middleware.page-is-served-from-the-cache", MUST, docs=PER_VIEW, apis=SYNC_ONLY)
def a_page_is_served_from_the_cache(entry):
    """The second request for a page, per view or per site, is answered without the view."""
    with site(entry):
        of_view, of_site = cache_page(60)(Pages()), per_site(Pages())
        from_view = [read(of_view, "/view"), read(of_view, "/view")]
        from_site = [read(of_site, "/site"), read(of_site, "/site")]
    assert from_view == ["1", "1"]
    assert from_site == ["1", "1"]


def a_rich_response(request):
    response = HttpResponse(
        bytes(range(256)),
        content_type="image/png; charset=iso-8859-15",
        reason="Fine",
        headers={"Content-Language": "de, en", "X-Empty": "", "X-Text": "caf\xe9"},
    )
    response.set_cookie(
        "colour",
        "blue; dark",
        max_age=3600,
        path="/shop",
        domain="shop.example",
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    response.set_cookie("size", "xl")
    return response


@clause(
    "middleware.response-comes-back-whole",
    MUST,
    docs="source:django.middleware.cache.FetchFromCacheMiddleware",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def a_response_comes_back_whole(entry):
    """A page from the cache has the status, headers, cookies and content that the view gave it."""
    with site(entry):
        page = per_site(a_rich_response)
        made, served = page(get()), page(get())
    assert type(served) is HttpResponse
    assert (served.status_code, served.reason_phrase) == (200, "Fine")
    assert served.charset == made.charset
    assert served.content == bytes(range(256))
    assert {**served.headers, "Age": ""} == {**made.headers, "Age": ""}
    assert served.cookies.output() == made.cookies.output()


@clause(
    "middleware.served-response-can-be-stored-again",
    MUST,
    docs="source:django.middleware.cache.UpdateCacheMiddleware",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def a_served_response_can_be_stored_again(entry):
    """A response that came from the cache can go into it once more, cookies included."""
    with site(entry):
        page = per_site(a_rich_response)
        made, served = page(get("/original")), page(get("/original"))
        copy = per_site(lambda request: served)
        copy(get("/copy"))
        again = copy(get("/copy"))
    assert again.content == made.content
    assert again.headers["Content-Language"] == "de, en"
    assert again.cookies.output() == made.cookies.output()


@clause(
    "middleware.later-changes-stay-out-of-the-cache",
    MUST,
    docs=PER_VIEW,
    apis=SYNC_ONLY,
    requires=(*CACHED, SNAPSHOTS),
)
def later_changes_stay_out_of_the_cache(entry):
    """What other middleware does to a response after it was stored or served is not kept."""
    with site(entry):
        page = cache_page(60)(a_rich_response)
        for _ in ("when it is stored", "when it is served"):
            response = page(get())
            response.content = b"changed"
            response.headers["X-Later"] = "1"
            response.set_cookie("sessionid", "of one visitor")
            served = page(get())
            assert served.content == bytes(range(256))
            assert "X-Later" not in served.headers
            assert list(served.cookies) == ["colour", "size"]


@clause(
    "middleware.page-takes-two-entries",
    MUST,
    docs="source:django.utils.cache.learn_cache_key",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def a_page_takes_two_entries(entry):
    """A miss sets the list of Vary header names, then the response; a hit gets these two."""
    with site(entry):
        backend = caches["default"]
        page = cache_page(60)(Pages(headers={"Vary": "X-Size, X-Colour"}))
        with replaced(backend, "set", mock.Mock(wraps=backend.set)) as setting:
            page(get())
        with replaced(backend, "get", mock.Mock(wraps=backend.get)) as getting:
            page(get())
        written = [call.args[0] for call in setting.call_args_list]
        looked_up = [call.args[0] for call in getting.call_args_list]
        assert len(written) == 2
        assert looked_up == written
        names, response = backend.get(written[0]), backend.get(written[1])
    assert type(names) is list
    assert [type(name) for name in names] == [str, str]
    assert names == ["HTTP_X_COLOUR", "HTTP_X_SIZE"]
    assert type(response) is HttpResponse


UNSAFE_METHODS = (
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
)


@clause(
    "middleware.only-get-and-head-are-served",
    MUST,
    docs=PER_SITE,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=UNSAFE_METHODS,
)
def only_get_and_head_are_served(entry, value):
    """A request by another method goes to the view, is not stored, and leaves the page alone."""
    with site(entry):
        page = cache_page(60)(Pages())
        made = read(page)
        others = [page(RequestFactory().generic(value, "/")).content for _ in range(2)]
        served = [read(page), read(page)]
    assert made == "1"
    assert others == [b"2", b"3"]
    assert served == ["1", "1"]


def visits(entry, view):
    """Return how often ``view`` is asked in two visits, and what a plain page says after it."""
    with site(entry):
        for _ in range(2):
            cache_page(60)(view)(get())
        page = cache_page(60)(Pages())
        return view.number, [read(page), read(page)]


def not_modified(content):
    return HttpResponseNotModified()


UNSTORED_RESPONSES = (
    {"status": 201},
    {"status": 203},
    {"status": 301, "headers": {"Location": "/there"}},
    {"status": 302, "headers": {"Location": "/there"}},
    {"status": 404},
    {"status": 500},
    {"response": not_modified},
    {"response": StreamingHttpResponse},
)


@clause(
    "middleware.only-whole-200-responses-are-stored",
    MUST,
    docs=PER_SITE,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=UNSTORED_RESPONSES,
)
def only_whole_200_responses_are_stored(entry, value):
    """A response with another status than 200, or a streaming one, is not stored."""
    asked, plain = visits(entry, Pages(**value))
    assert asked == 2
    assert plain == ["1", "1"]


@clause(
    "middleware.304-gets-headers-but-is-not-stored",
    MUST,
    docs="source:django.middleware.cache.UpdateCacheMiddleware.process_response",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def a_304_gets_headers_but_is_not_stored(entry):
    """A response 304 gets the caching headers of its page, and the page itself stays stored."""
    with site(entry):
        page = cache_page(60)(Pages())
        unmodified = per_site(lambda request: HttpResponseNotModified())
        headers = unmodified(get("/unmodified")).headers
        pages = [read(page, "/unmodified"), read(page, "/unmodified")]
    assert headers["Cache-Control"] == "max-age=600"
    assert "Expires" in headers
    assert pages == ["1", "1"]


@clause("middleware.head-is-served-from-get", MUST, docs=PER_SITE, apis=SYNC_ONLY, requires=CACHED)
def head_is_served_from_get(entry):
    """A HEAD request may be answered with the stored response to a GET request."""
    with site(entry):
        page = cache_page(60)(Pages(headers={"X-Kind": "page"}))
        page(get())
        served = page(RequestFactory().head("/"))
        again = read(page)
    assert served.content == b"1"
    assert served.headers["X-Kind"] == "page"
    assert again == "1"


@clause(
    "middleware.get-is-not-served-from-head", MUST, docs=PER_SITE, apis=SYNC_ONLY, requires=CACHED
)
def get_is_not_served_from_head(entry):
    """The stored response to a HEAD request answers HEAD requests, never a GET request."""
    with site(entry):
        page = cache_page(60)(Pages())
        heads = [page(RequestFactory().head("/")).content for _ in range(2)]
        gets = [read(page), read(page)]
    assert heads == [b"1", b"1"]
    assert gets == ["2", "2"]


OTHER_PAGES = (
    {"path": "/Page?a=1&b=2"},
    {"path": "/page/?a=1&b=2"},
    {"path": "/page"},
    {"path": "/page?b=2&a=1"},
    {"path": "/page?a=1&b=2&c="},
    {"path": "/page?a=1&B=2"},
    {"path": "/p\xe4ge?a=1&b=2"},
    {"path": "/page?a=1&b=" + 3000 * "2"},
    {"path": "/page?a=1&b=2", "headers": {"Host": "other.example"}},
    {"path": "/page?a=1&b=2", "headers": {"Host": "testserver:8000"}},
    {"path": "/page?a=1&b=2", "secure": True},
)


@clause(
    "middleware.url-separates-pages",
    MUST,
    docs=PER_SITE,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=OTHER_PAGES,
)
def the_url_separates_pages(entry, value):
    """Two URLs that differ in scheme, host, path or query string are two pages."""
    with site(entry):
        page = cache_page(60)(Pages())
        pages = [read(page, "/page?a=1&b=2"), read(page, **value)]
        again = [read(page, "/page?a=1&b=2"), read(page, **value)]
    assert pages == ["1", "2"]
    assert again == ["1", "2"]


VARY_HEADERS = (
    "X-Colour",
    "x-colour",
    "X-COLOUR",
    "Accept, X-Colour",
    "X-Colour,Cookie",
)


@clause(
    "middleware.vary-header-separates-pages",
    MUST,
    docs=VARY,
    apis=SYNC_ONLY,
    requires=CACHED,
    each=VARY_HEADERS,
)
def a_vary_header_separates_pages(entry, value):
    """Requests that differ in a header that Vary names, in whatever case, get their own pages."""
    with site(entry):
        page = cache_page(60)(Pages(headers={"Vary": value}))
        pages = [read(page, headers={"X-Colour": c}) for c in ("red", "blue", "RED")]
        again = [read(page, headers={"X-Colour": c}) for c in ("red", "blue", "RED")]
    assert pages == ["1", "2", "3"]
    assert again == ["1", "2", "3"]


@clause("middleware.every-vary-header-counts", MUST, docs=VARY, apis=SYNC_ONLY, requires=CACHED)
def every_vary_header_counts(entry):
    """Each combination of the headers that Vary names has a page of its own; others share one."""
    browsers = (
        {"User-Agent": "Mozilla", "Cookie": "foo=bar"},
        {"User-Agent": "Mozilla", "Cookie": "foo=ham"},
        {"User-Agent": "Opera", "Cookie": "foo=bar"},
        {"User-Agent": "Mozilla", "Cookie": "foo=bar", "X-Unnamed": "1"},
    )
    with site(entry):
        page = cache_page(60)(Pages(headers={"Vary": "User-Agent, Cookie"}))
        pages = [read(page, headers=browser) for browser in browsers]
    assert pages == ["1", "2", "3", "1"]


@clause(
    "middleware.vary-values-cannot-be-shifted",
    MUST,
    docs="releases/6.1/#miscellaneous",
    apis=SYNC_ONLY,
    requires=CACHED,
    django=">=6.1",
)
def vary_values_cannot_be_shifted(entry):
    """Characters that move from one Vary header to the next make another page."""
    with site(entry):
        page = cache_page(60)(Pages(headers={"Vary": "X-A, X-B"}))
        pages = [
            read(page, headers={"X-A": "one", "X-B": "two"}),
            read(page, headers={"X-A": "onet", "X-B": "wo"}),
            read(page, headers={"X-A": "one", "X-B": "two"}),
        ]
    assert pages == ["1", "2", "1"]


@clause(
    "middleware.empty-header-is-not-a-missing-one",
    MUST,
    docs="releases/5.2.19/",
    apis=SYNC_ONLY,
    requires=CACHED,
    django=fixed_in("5.2.19", "6.0.10", "6.1.3"),
)
def an_empty_header_is_not_a_missing_one(entry):
    """A request without a header that Vary names and one where it is empty get two pages."""
    with site(entry):
        page = cache_page(60)(Pages(headers={"Vary": "X-Colour"}))
        pages = [read(page), read(page, headers={"X-Colour": ""})]
        again = [read(page), read(page, headers={"X-Colour": ""})]
    assert pages == ["1", "2"]
    assert again == ["1", "2"]


PRIVATE = (
    "private",
    "no-cache",
    "no-store",
    "max-age=60, private",
    'private="Set-Cookie"',
)


@clause(
    "middleware.private-responses-are-not-stored",
    MUST,
    docs="#controlling-cache-using-other-headers",
    apis=SYNC_ONLY,
    requires=CACHED,
    each=PRIVATE,
)
def private_responses_are_not_stored(entry, value):
    """A response whose Cache-Control says private, no-cache or no-store is not stored."""
    asked, plain = visits(entry, Pages(headers={"Cache-Control": value}))
    assert asked == 2
    assert plain == ["1", "1"]


PRIVATE_IN_CAPITALS = (
    "Private",
    "No-Cache",
    "NO-STORE",
)


@clause(
    "middleware.cache-control-is-read-in-any-case",
    MUST,
    docs="releases/5.2.15/",
    apis=SYNC_ONLY,
    requires=CACHED,
    django=fixed_in("5.2.15", "6.0.6"),
    each=PRIVATE_IN_CAPITALS,
)
def cache_control_is_read_in_any_case(entry, value):
    """Cache-Control keeps a response out of the cache in capitals as in small letters."""
    asked, plain = visits(entry, Pages(headers={"Cache-Control": value}))
    assert asked == 2
    assert plain == ["1", "1"]


@clause(
    "middleware.cache-control-is-read-by-whole-words",
    SHOULD,
    docs="source:django.middleware.cache.UpdateCacheMiddleware.process_response",
    apis=SYNC_ONLY,
    requires=CACHED,
    django=">=6.1",
)
def cache_control_is_read_by_whole_words(entry):
    """A directive whose name only contains "private" does not keep a response out of the cache."""
    asked, plain = visits(entry, Pages(headers={"Cache-Control": "myprivate"}))
    assert asked == 1
    assert plain == ["1", "1"]


STARS = (
    "*",
    "Accept, *",
    " * ",
)


@clause(
    "middleware.vary-star-is-not-stored",
    MUST,
    docs="releases/5.2.15/",
    apis=SYNC_ONLY,
    requires=CACHED,
    django=fixed_in("5.2.15", "6.0.6"),
    each=STARS,
)
def a_response_that_varies_on_everything_is_not_stored(entry, value):
    """A response whose Vary header holds an asterisk is not stored."""
    asked, plain = visits(entry, Pages(headers={"Vary": value}))
    assert asked == 2
    assert plain == ["1", "1"]


def with_cookie(content, **options):
    response = HttpResponse(content, **options)
    response.set_cookie("sessionid", "of one visitor")
    return response


COOKIES_IN_REQUESTS = (
    {},
    {"Cookie": "theme=dark"},
)


@clause(
    "middleware.private-cookies-are-not-stored",
    MUST,
    docs="releases/5.2.16/",
    apis=SYNC_ONLY,
    requires=CACHED,
    django=fixed_in("5.2.16", "6.0.7"),
    each=COOKIES_IN_REQUESTS,
)
def private_cookies_are_not_stored(entry, value):
    """A response that sets a cookie while it varies on Cookie is not stored."""
    with site(entry):
        page = cache_page(60)(Pages(with_cookie, headers={"Vary": "Cookie"}))
        private = [read(page, headers=value), read(page, headers=value)]
        page = cache_page(60)(Pages(headers={"Vary": "Cookie"}))
        plain = [read(page, headers=value), read(page, headers=value)]
    assert private == ["1", "2"]
    assert plain == ["1", "1"]


AUTHORIZATION = {"docs": VARY, "django": fixed_in("5.2.15", "6.0.6")}


@clause(
    "middleware.authorization-separates-pages",
    MUST,
    apis=SYNC_ONLY,
    requires=CACHED,
    **AUTHORIZATION,
)
def authorization_separates_pages(entry):
    """A page that was made for one Authorization is served to no other, and not without any."""
    with site(entry):
        page = cache_page(60)(Pages())
        visitors = ("Bearer a", "Bearer b", "Bearer a")
        pages = [read(page, headers={"Authorization": visitor}) for visitor in visitors]
        anonymous = read(page)
    assert pages == ["1", "2", "1"]
    assert anonymous == "3"


@clause(
    "middleware.public-page-is-shared-despite-authorization",
    MUST,
    apis=SYNC_ONLY,
    requires=CACHED,
    **AUTHORIZATION,
)
def a_public_page_is_shared_despite_authorization(entry):
    """A page that Cache-Control calls public is the same for every Authorization."""
    with site(entry):
        page = cache_page(60)(Pages(headers={"Cache-Control": "public"}))
        visitors = ({"Authorization": "Bearer a"}, {"Authorization": "Bearer b"}, {})
        pages = [read(page, headers=visitor) for visitor in visitors]
    assert pages == ["1", "1", "1"]


@clause(
    "middleware.cache-page-timeout-comes-first",
    MUST,
    docs=PER_VIEW,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def the_timeout_of_cache_page_comes_first(entry):
    """A page lives as long as cache_page() says, whatever its own max-age says."""
    brief = cache_page(2)(Pages(headers={"Cache-Control": "max-age=60"}))
    lasting = cache_page(60)(Pages(headers={"Cache-Control": "max-age=1"}))
    with site(entry):
        made = [read(brief, "/brief"), read(lasting, "/lasting")]
    assert made == ["1", "1"]
    yield before(2)
    with site(entry):
        assert read(brief, "/brief") == "1"
    yield after(2)
    with site(entry):
        ended = [read(brief, "/brief"), read(lasting, "/lasting")]
    assert ended == ["2", "1"]


@clause(
    "middleware.cache-page-stores-despite-max-age-zero",
    MUST,
    docs=PER_VIEW,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def cache_page_stores_despite_max_age_zero(entry):
    """cache_page() with a timeout stores even a response whose max-age is 0."""
    with site(entry):
        page = cache_page(60)(Pages(headers={"Cache-Control": "max-age=0"}))
        pages = [read(page), read(page)]
    assert pages == ["1", "1"]


@clause("middleware.max-age-comes-second", MUST, docs=PER_SITE, apis=SYNC_ONLY, requires=CACHED)
def max_age_comes_second(entry):
    """Without cache_page() a page lives as long as the max-age of its Cache-Control."""
    brief = Pages(headers={"Cache-Control": "max-age=2"})
    lasting = Pages(headers={"Cache-Control": "max-age=60"})
    with site(entry):
        made = [read(per_site(brief), "/brief")]
    with site(entry, CACHE_MIDDLEWARE_SECONDS=1):
        made += [read(per_site(lasting), "/lasting")]
    assert made == ["1", "1"]
    yield before(2)
    with site(entry):
        assert read(per_site(brief), "/brief") == "1"
    yield after(2)
    with site(entry):
        ended = [read(per_site(brief), "/brief"), read(per_site(lasting), "/lasting")]
    assert ended == ["2", "1"]


@clause(
    "middleware.seconds-setting-comes-last",
    MUST,
    docs="ref/settings/#cache-middleware-seconds",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def the_seconds_setting_comes_last(entry):
    """Without cache_page() and max-age a page lives for CACHE_MIDDLEWARE_SECONDS."""
    brief, lasting = Pages(), Pages()
    with site(entry, CACHE_MIDDLEWARE_SECONDS=2):
        made = [read(per_site(brief), "/brief")]
    with site(entry, CACHES={"default": entry(TIMEOUT=1)}):
        made += [read(per_site(lasting), "/lasting")]
    assert made == ["1", "1"]
    yield before(2)
    with site(entry):
        assert read(per_site(brief), "/brief") == "1"
    yield after(2)
    with site(entry):
        ended = [read(per_site(brief), "/brief"), read(per_site(lasting), "/lasting")]
    assert ended == ["2", "1"]


@clause(
    "middleware.lifetime-of-zero-is-not-stored",
    MUST,
    docs=PER_SITE,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def a_lifetime_of_zero_is_not_stored(entry):
    """cache_page(0), a max-age of 0 and CACHE_MIDDLEWARE_SECONDS of 0 all prevent storing."""
    with site(entry, CACHE_MIDDLEWARE_SECONDS=0):
        view = cache_page(0)(Pages())
        of_view = [read(view, "/view"), read(view, "/view")]
        of_site = [read(per_site(view), "/site"), read(per_site(view), "/site")]
    with site(entry):
        page = per_site(Pages(headers={"Cache-Control": "max-age=0"}))
        of_header = [read(page, "/header"), read(page, "/header")]
        page = cache_page(60)(Pages())
        then = [read(page, "/view"), read(page, "/site"), read(page, "/header")]
        again = [read(page, "/view"), read(page, "/site"), read(page, "/header")]
    assert of_view == ["1", "2"]
    assert of_site == ["3", "4"]
    assert of_header == ["1", "2"]
    assert then == again == ["1", "2", "3"]


@clause(
    "middleware.stored-response-tells-its-lifetime",
    MUST,
    docs=PER_SITE,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def a_stored_response_tells_its_lifetime(entry):
    """A response gets Expires and the max-age of Cache-Control, and keeps them in the cache."""
    with site(entry, CACHE_MIDDLEWARE_SECONDS=300):
        page = per_site(Pages())
        started = int(time.time())
        made = page(get()).headers
        ended = time.time()
        served = page(get()).headers
    assert made["Cache-Control"] == "max-age=300"
    assert started + 300 <= parse_http_date(made["Expires"]) <= ended + 300
    assert served["Cache-Control"] == made["Cache-Control"]
    assert served["Expires"] == made["Expires"]


@clause(
    "middleware.hit-tells-its-age",
    MUST,
    docs="source:django.middleware.cache.FetchFromCacheMiddleware.process_request",
    apis=SYNC_ONLY,
    requires=(*CACHED, SNAPSHOTS),
)
def a_hit_tells_its_age(entry):
    """A response from the cache has an Age, its seconds there; one from the view has none."""
    page = cache_page(60)(Pages())
    with site(entry):
        made, served = page(get()).headers, page(get()).headers
    assert "Age" not in made
    assert served["Age"] in ("0", "1")
    yield before(3)
    with site(entry):
        later = page(get()).headers
    assert later["Age"] in ("1", "2")


@clause(
    "middleware.no-etag-and-no-last-modified",
    MUST,
    docs="releases/1.11/",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def no_etag_and_no_last_modified(entry):
    """The cache middleware adds neither ETag nor Last-Modified."""
    with site(entry):
        page = per_site(Pages())
        responses = [page(get()), page(get())]
    assert [response.content for response in responses] == [b"1", b"1"]
    for response in responses:
        assert "ETag" not in response.headers
        assert "Last-Modified" not in response.headers


def in_language(language, **request):
    """Return a request whose language is active as LocaleMiddleware activates it."""
    translation.activate(language)
    request = get(**request)
    request.LANGUAGE_CODE = language
    return request


@clause(
    "middleware.language-separates-pages",
    MUST,
    docs="#i18n-cache-key",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def the_language_separates_pages(entry):
    """With USE_I18N every language has its own page."""
    languages = ("en", "de", "pt", "pt-br", "zh-hans")
    with site(entry, USE_I18N=True), translation.override(None):
        page = cache_page(60)(Pages())
        pages = [page(in_language(language)).content for language in languages]
        again = [page(in_language(language)).content for language in languages]
    assert pages == [b"1", b"2", b"3", b"4", b"5"]
    assert again == [b"1", b"2", b"3", b"4", b"5"]


@clause(
    "middleware.accept-language-gives-way-to-the-language",
    MUST,
    docs="source:django.utils.cache.learn_cache_key",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def accept_language_gives_way_to_the_language(entry):
    """With USE_I18N the language stands for Accept-Language, whose own value does not count."""
    with site(entry, USE_I18N=True), translation.override(None):
        page = cache_page(60)(Pages(headers={"Vary": "Accept-Language, X-Colour"}))
        requests = (
            in_language("de", headers={"Accept-Language": "de, en", "X-Colour": "red"}),
            in_language("de", headers={"Accept-Language": "de-AT", "X-Colour": "red"}),
            in_language("de", headers={"Accept-Language": "de", "X-Colour": "blue"}),
        )
        pages = [page(request).content for request in requests]
    with site(entry):
        page = cache_page(60)(Pages(headers={"Vary": "Accept-Language"}))
        plain = [read(page, headers={"Accept-Language": accepted}) for accepted in ("de", "en")]
    assert pages == [b"1", b"1", b"2"]
    assert plain == ["1", "2"]


@clause(
    "middleware.time-zone-separates-pages",
    MUST,
    docs=PER_SITE,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def the_time_zone_separates_pages(entry):
    """With USE_TZ every current time zone has its own page."""
    zones = [
        timezone(timedelta(hours=9), "Asia/Tokyo"),
        timezone(timedelta(hours=-3), "America/Argentina/Buenos_Aires"),
        timezone(timedelta(hours=-3), "America/Argentina/Ushuaia"),
    ]

    def read_in(zone):
        with time_zones.override(zone):
            return read(page)

    with site(entry, USE_TZ=True):
        page = cache_page(60)(Pages())
        pages = [read_in(zone) for zone in zones]
        again = [read_in(zone) for zone in zones]
    assert pages == ["1", "2", "3"]
    assert again == ["1", "2", "3"]


def two_aliases(entry, cache):
    """Return a CACHES setting with a second alias, which has a prefix of its own."""
    return {"default": entry(), "special": entry(KEY_PREFIX=cache.key_prefix + "-special")}


@clause(
    "middleware.alias-setting-chooses-the-cache",
    MUST,
    docs="ref/settings/#cache-middleware-alias",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def the_alias_setting_chooses_the_cache(cache, entry):
    """The per-site cache keeps its pages in the cache that CACHE_MIDDLEWARE_ALIAS names."""
    aliases = two_aliases(entry, cache)
    view = Pages()
    with site(entry, CACHES=aliases, CACHE_MIDDLEWARE_ALIAS="special"):
        special = [read(per_site(view)), read(per_site(view))]
    with site(entry, CACHES=aliases):
        default = [read(per_site(view)), read(per_site(view))]
    with site(entry, CACHES={"default": aliases["special"]}):
        moved = read(per_site(view))
    assert special == ["1", "1"]
    assert default == ["2", "2"]
    assert moved == "1"


@clause(
    "middleware.key-prefix-setting-separates-sites",
    MUST,
    docs="ref/settings/#cache-middleware-key-prefix",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def the_key_prefix_setting_separates_sites(entry):
    """The per-site cache puts CACHE_MIDDLEWARE_KEY_PREFIX into its keys."""
    view = Pages()
    with site(entry, CACHE_MIDDLEWARE_KEY_PREFIX="site1"):
        first = [read(per_site(view)), read(per_site(view))]
    with site(entry, CACHE_MIDDLEWARE_KEY_PREFIX="site2"):
        second = [read(per_site(view)), read(per_site(view))]
    with site(entry, CACHE_MIDDLEWARE_KEY_PREFIX="site1"):
        again = read(per_site(view))
    assert first == ["1", "1"]
    assert second == ["2", "2"]
    assert again == "1"


@clause(
    "middleware.cache-page-uses-the-default-cache",
    MUST,
    docs=PER_VIEW,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def cache_page_uses_the_default_cache(cache, entry):
    """cache_page() uses the cache "default" and no prefix, whatever the per-site cache uses."""
    page = cache_page(60)(Pages())
    elsewhere = {"CACHE_MIDDLEWARE_ALIAS": "special", "CACHE_MIDDLEWARE_KEY_PREFIX": "site1"}
    with site(entry, CACHES=two_aliases(entry, cache), **elsewhere):
        made = read(page)
    with site(entry):
        served = read(page)
    assert made == served == "1"


@clause("middleware.cache-page-takes-a-cache", MUST, docs=PER_VIEW, apis=SYNC_ONLY, requires=CACHED)
def cache_page_takes_a_cache(cache, entry):
    """cache_page(cache=...) keeps the page in that cache alone."""
    view = Pages()
    with site(entry, CACHES=two_aliases(entry, cache)):
        special = [read(cache_page(60, cache="special")(view)) for _ in range(2)]
        default = [read(cache_page(60)(view)) for _ in range(2)]
        again = read(cache_page(60, cache="special")(view))
    assert special == ["1", "1"]
    assert default == ["2", "2"]
    assert again == "1"


@clause(
    "middleware.cache-page-takes-a-key-prefix",
    MUST,
    docs=PER_VIEW,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def cache_page_takes_a_key_prefix(cache, entry):
    """cache_page(key_prefix=...) adds to the KEY_PREFIX of the cache, and replaces nothing."""
    view = Pages()
    page = cache_page(60, key_prefix="site1")(view)
    with site(entry, CACHES=two_aliases(entry, cache)):
        pages = [
            read(page),
            read(cache_page(60)(view)),
            read(cache_page(60, cache="special", key_prefix="site1")(view)),
            read(page),
        ]
    assert pages == ["1", "2", "3", "1"]


@clause(
    "middleware.unknown-cache-raises-at-the-request",
    MUST,
    docs=PER_VIEW,
    apis=SYNC_ONLY,
    requires=CACHED,
)
def an_unknown_cache_raises_at_the_request(entry):
    """cache_page() of an alias that does not exist raises InvalidCacheBackendError when used."""
    with site(entry):
        page = cache_page(60, cache="absent")(Pages())
        with raises(InvalidCacheBackendError):
            page(get())
    with site(entry, CACHES={"default": entry(), "absent": entry()}):
        pages = [read(page), read(page)]
    assert pages == ["1", "1"]


@clause(
    "middleware.template-response-is-stored-when-rendered",
    MUST,
    docs="source:django.middleware.cache.UpdateCacheMiddleware.process_response",
    apis=SYNC_ONLY,
    requires=CACHED,
)
def a_template_response_is_stored_when_rendered(entry):
    """A TemplateResponse goes into the cache once it is rendered, and comes back rendered."""
    engine = DjangoTemplates({"NAME": "django", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}})
    template = engine.from_string("<b>{{ page }}</b>")
    view = Pages(lambda number: TemplateResponse(None, template, {"page": number}))
    with site(entry):
        of_view = cache_page(60)(view)
        of_view(get("/view"))  # and never rendered
        from_view = [of_view(get("/view")).render() for _ in range(2)]
        of_site = per_site(lambda request: view(request).render())
        from_site = [of_site(get("/site")) for _ in range(2)]
    assert [response.content for response in from_view] == [b"<b>2</b>", b"<b>2</b>"]
    assert [response.content for response in from_site] == [b"<b>3</b>", b"<b>3</b>"]
    for response in from_view + from_site:
        assert type(response) is TemplateResponse
        assert response.is_rendered is True
