"""Settings with nothing but portal.core and tables of its own: the foundation stands alone."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "portal.core", "tests.portal.core", "portal.audit", "portal.notifications"]
AUTH_USER_MODEL = "auth.User"
MIDDLEWARE = []
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "portal.core.problems.problem_response",
}
