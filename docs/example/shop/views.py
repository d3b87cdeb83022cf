"""Pages that tell which worker made them, and when."""

import os
import secrets

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_page


def visits(request: HttpRequest) -> JsonResponse:
    """Count the visits in the session."""
    count = request.session.get("visits", 0) + 1
    request.session["visits"] = count
    return JsonResponse({"visits": count, "worker": os.getpid()})


@cache_page(60)
def page(request: HttpRequest) -> JsonResponse:
    """Tell who has made this page; nobody else makes it for a minute."""
    return JsonResponse({"made": secrets.token_hex(8), "worker": os.getpid()})


def fragment(request: HttpRequest) -> HttpResponse:
    """Show a part that is kept and a part that is new each time."""
    return render(request, "fragment.html", {"token": lambda: secrets.token_hex(8)})
