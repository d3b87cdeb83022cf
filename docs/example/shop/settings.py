"""Settings with one cache, for sessions, pages and fragments."""

import os
from pathlib import Path

SECRET_KEY = "not a secret: this is an example"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.sessions", "django_hazelcast"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
    }
]
USE_TZ = True

CACHES = {
    "default": {
        "BACKEND": "django_hazelcast.HazelcastCache",
        "LOCATION": os.environ.get("HAZELCAST", "127.0.0.1:5701"),
        "OPTIONS": {"MAP_NAME": "shop"},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
