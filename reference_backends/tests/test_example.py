"""The example site, served by two separate gunicorn instances that preload it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, nullcontext
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from cache_targets.port import ReservedPort

EXAMPLE = Path(__file__).parents[2] / "docs" / "example"


def serve(member, port):
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "shop.wsgi", "--bind", f"127.0.0.1:{port}"],
        cwd=EXAMPLE,
        env=os.environ | {"HAZELCAST": member.location, "DJANGO_SETTINGS_MODULE": "shop.settings"},
    )


def answers(server, port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/visits", timeout=10)
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return True
    return False


@pytest.fixture(scope="module")
def site(member):
    """The addresses of two instances."""
    with ExitStack() as stack:
        ports = [stack.enter_context(closing(ReservedPort())).number for _ in range(2)]
        servers = [serve(member, port) for port in ports]
        for server in servers:
            stack.callback(server.wait, 60)
            stack.callback(server.terminate)
        assert all(answers(server, port) for server, port in zip(servers, ports, strict=True))
        yield [f"http://127.0.0.1:{port}" for port in ports]


class Browser:
    """Somebody who sees one site, as behind a load balancer."""

    def __init__(self):
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, url):
        request = urllib.request.Request(url, headers={"Host": "localhost"})
        with self._opener.open(request, timeout=30) as response:
            return response.read().decode()


def occupied(address):
    """Connect and ask for nothing, so that one worker of the instance waits for the request."""
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)))


def test_the_site_was_loaded_once_for_each_instance(site, raw):
    loaded = raw.get_map("shop").blocking().get(":1:loaded")
    assert bytes(loaded).endswith(b"K\x02.")


def test_a_session_goes_on_whoever_answers(site):
    browser, workers = Browser(), set()
    for number in range(40):
        instance = site[number % 2]
        with occupied(instance) if number % 4 > 1 else nullcontext():
            answer = json.loads(browser.get(f"{instance}/visits"))
        assert answer["visits"] == number + 1
        workers.add(answer["worker"])
    assert len(workers) > 2
    assert json.loads(Browser().get(f"{site[0]}/visits"))["visits"] == 1


def test_a_page_is_made_once_for_all(site):
    pages = {Browser().get(f"{site[number % 2]}/page") for number in range(20)}
    assert len(pages) == 1


def test_a_fragment_is_made_once_for_all(site):
    pages = [Browser().get(f"{site[number % 2]}/fragment") for number in range(20)]
    assert len({re.search('"kept">(.*?)<', page)[1] for page in pages}) == 1
    assert len({re.search('"new">(.*?)<', page)[1] for page in pages}) == 20
