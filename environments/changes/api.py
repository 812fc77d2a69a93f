"""The changes part of the API."""

from django.urls import URLPattern

api_urls: list[URLPattern] = []
