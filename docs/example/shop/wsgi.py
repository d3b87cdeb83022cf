"""The application. It uses its cache while it is loaded, before gunicorn forks its workers."""

import os

from django.core.cache import cache
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
cache.add("loaded", 0, None)
cache.incr("loaded")
