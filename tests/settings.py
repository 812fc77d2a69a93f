"""Settings of the tests: the portal's own, on a database and folders that last as long as this process.

DATABASE_URL is honoured (PostgreSQL: Django makes its own test_... database beside it).
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Each process (each xdist worker too) has its own folder, whatever it inherited: set before the import.
_FOLDER = tempfile.mkdtemp(prefix="gatehouse-tests-")
_OWNER = os.getpid()
os.environ["GATEHOUSE_DATA_DIR"] = _FOLDER
# A developer's .env does not reach into the tests: set values win over the file.
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_FOLDER}/unused.sqlite3")
os.environ.setdefault("GATEHOUSE_PRODUCTION", "false")
os.environ.setdefault("DEBUG", "false")

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402


def _remove_folder() -> None:
    if os.getpid() == _OWNER:
        shutil.rmtree(_FOLDER, ignore_errors=True)


atexit.register(_remove_folder)

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads and processes of a test must meet in one database, as in life.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_FOLDER) / "test.sqlite3")}
    # Nothing to protect against a power cut.
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"
    )

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = "memory://"
CELERY_TASK_ALWAYS_EAGER = False
(Path(_FOLDER) / "static").mkdir()
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
ALLOWED_HOSTS = ["*"]
SECURE_SSL_REDIRECT = False

# Tables to try the foundation's fields and queries on.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.portal.core"]
