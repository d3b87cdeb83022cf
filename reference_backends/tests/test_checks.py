"""The system checks of CACHES."""

import os
import subprocess
import sys

import pytest
from django.core.checks import Tags, run_checks
from django.test import override_settings
from django_hazelcast.checks import check_caches

ENTRY = {"BACKEND": "django_hazelcast.HazelcastCache", "LOCATION": "127.0.0.1:5701"}


def found(caches, deploy=False):
    with override_settings(CACHES={"default": ENTRY, **caches}):
        messages = run_checks(tags=[Tags.caches], include_deployment_checks=deploy)
    return {message.id: message.msg for message in messages}


def test_a_right_entry_is_right():
    assert found({}) == {}


def test_what_the_cache_would_refuse_is_an_error():
    bad = {**ENTRY, "OPTIONS": {"bogus": 1, "SERIALIZER": "no.such"}}
    with override_settings(CACHES={"default": ENTRY, "bad": bad}):
        (error,) = check_caches(app_configs=None)
    assert error.id == "django_hazelcast.E001"
    assert error.is_serious()
    assert "CACHES['bad']" in error.msg
    assert "SERIALIZER" in error.msg


def test_no_member_is_a_warning():
    nowhere = {"BACKEND": "django_hazelcast.HazelcastCache"}
    assert "'other'" in found({"other": nowhere})["django_hazelcast.W001"]


def test_one_map_in_two_formats_is_a_warning():
    json = {
        **ENTRY,
        "OPTIONS": {
            "MAP_NAME": "default",
            "SERIALIZER": "django_hazelcast.serializers.JSONSerializer",
        },
    }
    assert "'default'" in found({"json": json})["django_hazelcast.W002"]


@pytest.mark.parametrize(("tls", "warnings"), [(False, {"django_hazelcast.W003"}), (True, set())])
def test_a_password_in_the_clear_is_a_warning_before_deployment(tls, warnings):
    secret = {**ENTRY, "OPTIONS": {"creds_password": "p", "ssl_enabled": tls}}
    assert found({"default": secret}, deploy=True).keys() == warnings
    assert found({"default": secret}) == {}


def test_manage_py_check_names_the_valid_options(tmp_path):
    wrong = {**ENTRY, "OPTIONS": {"bogus": 1}}
    (tmp_path / "wrong.py").write_text(
        f'INSTALLED_APPS = ["django_hazelcast"]\nCACHES = {{"default": {wrong!r}}}'
    )
    check = subprocess.run(
        [sys.executable, "-m", "django", "check", "--settings=wrong"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert check.returncode != 0
    assert "bogus" in check.stderr
    assert "MAP_NAME" in check.stderr
