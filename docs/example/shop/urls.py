"""Three pages."""

from django.urls import path

from shop import views

urlpatterns = [
    path("visits", views.visits),
    path("page", views.page),
    path("fragment", views.fragment),
]
