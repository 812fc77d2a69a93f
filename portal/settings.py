"""Every setting of the portal, read once from the environment (and an `.env` beside manage.py).

The embedded default needs no server: SQLite, a file-based Celery broker, the sandbox. Production
sets DATABASE_URL, CELERY_BROKER_URL, GATEHOUSE_KEYRING and real AWS accounts (docs/operations.md).
"""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# Where the embedded default keeps database, broker folder, sandbox content and keys: outside git.
DATA_DIR = Path(env.str("GATEHOUSE_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

DEBUG = env.bool("DEBUG", default=False)
PRODUCTION = env.bool("GATEHOUSE_PRODUCTION", default=False)
# Read lazily from DATA_DIR in development; production must set it (portal.E001).
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FILE = DATA_DIR / "secret-key"
if not SECRET_KEY:
    from portal.core.keyring import read_or_create_secret

    SECRET_KEY = read_or_create_secret(SECRET_KEY_FILE)
# "id:base64key,id:base64key": the first encrypts, all decrypt. Empty: a file in DATA_DIR, made at first use.
GATEHOUSE_KEYRING = env.str("GATEHOUSE_KEYRING", default="")
GATEHOUSE_KEYRING_FILE = Path(env.str("GATEHOUSE_KEYRING_FILE", default=str(DATA_DIR / "keyring")))
# Signed heads of the audit chains live here, outside the database.
AUDIT_CHECKPOINT_DIR = Path(env.str("AUDIT_CHECKPOINT_DIR", default=str(DATA_DIR / "audit-checkpoints")))

PORT = env.int("PORT", default=8000)
# The address people open; links in notifications start with it.
PUBLIC_URL = env.str("GATEHOUSE_PUBLIC_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
# The address workers reach the web process at: Terraform's state backend.
INTERNAL_URL = env.str("GATEHOUSE_INTERNAL_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if not PRODUCTION else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "tablericons",
    "portal",
    "portal.core",
    "portal.notifications",
    "portal.audit",
    "portal.accounts",
    "portal.scheduler",
    "environments",
    "environments.blueprints",
    "environments.changes",
    "environments.runs",
    "environments.deployments",
    "environments.activity",
    "environments.overview",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.core.middleware.RequestIdMiddleware",
    "portal.core.middleware.ContentSecurityPolicyMiddleware",
    "portal.core.wellformed.WellFormedMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.accounts.middleware.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.accounts.middleware.TimezoneMiddleware",
    "portal.core.middleware.ErrorPageMiddleware",
]

ROOT_URLCONF = "portal.urls"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CSRF_FAILURE_VIEW = "portal.core.error_pages.csrf_failure"
WSGI_APPLICATION = "portal.wsgi.application"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.frame",
            ],
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'gatehouse.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a read-then-write transaction that starts DEFERRED fails "locked" at once, whatever the timeout.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
if env.bool("GATEHOUSE_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The name Django 6 uses, so that its own middleware can take over.
SECURE_CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}

# A definition of many objects is a form of many fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
# What people who set none see times in, beside UTC.
DEFAULT_DISPLAY_TIME_ZONE = env.str("GATEHOUSE_TIME_ZONE", default="Asia/Seoul")

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.ManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=f"portalfs://{DATA_DIR / 'broker'}")
CELERY_TASK_IGNORE_RESULT = True
# The row is the job: a task that dies is found by its lease, never re-run by the broker.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Engine (environments.changes): seconds.
LEASE_SECONDS = env.int("GATEHOUSE_LEASE_SECONDS", default=30)
HEARTBEAT_SECONDS = env.int("GATEHOUSE_HEARTBEAT_SECONDS", default=5)
SWEEP_SECONDS = env.int("GATEHOUSE_SWEEP_SECONDS", default=3)
# A phase waits this long for a database that is away before it gives up.
DATABASE_PATIENCE_SECONDS = env.int("GATEHOUSE_DATABASE_PATIENCE_SECONDS", default=300)
# A requested or approved row without a claim is sent again after this long.
RESEND_SECONDS = env.int("GATEHOUSE_RESEND_SECONDS", default=15)
KILL_COOL_OFF_SECONDS = env.int("GATEHOUSE_KILL_COOL_OFF_SECONDS", default=120)
APPROVAL_TTL_HOURS = env.int("GATEHOUSE_APPROVAL_TTL_HOURS", default=72)

# Terraform (portal.terraform): empty means search.
TERRAFORM_BINARY = env.str("GATEHOUSE_TERRAFORM", default="")
TERRAFORM_DIR = Path(env.str("GATEHOUSE_TERRAFORM_DIR", default=str(BASE_DIR / "terraform")))
BLUEPRINT_DIRS = [
    Path(p) for p in env.list("GATEHOUSE_BLUEPRINT_DIRS", default=[str(TERRAFORM_DIR / "blueprints")])
]
WORK_DIR = Path(env.str("GATEHOUSE_WORK_DIR", default=str(DATA_DIR / "work")))
DRIFT_INTERVAL_HOURS = env.int("GATEHOUSE_DRIFT_INTERVAL_HOURS", default=6)
DRIFT_TIMEOUT_SECONDS = env.int("GATEHOUSE_DRIFT_TIMEOUT_SECONDS", default=600)
# How often services are looked at while anything moves; quiet environments five times as seldom.
DEPLOYMENT_STATUS_SECONDS = env.int("GATEHOUSE_DEPLOYMENT_STATUS_SECONDS", default=60)
# A rollout that is not over after so many minutes, its strategy's own waits apart, is taken back.
DEPLOYMENT_MINUTES = env.int("GATEHOUSE_DEPLOYMENT_MINUTES", default=60)
# A one-off task (a migration, a check) is stopped after so many minutes.
ONE_OFF_TASK_MINUTES = env.int("GATEHOUSE_ONE_OFF_TASK_MINUTES", default=30)
# How often alarms are asked for while a deployment bakes: ECS itself polls them through the same quota.
DEPLOYMENT_ALARM_SECONDS = env.float("GATEHOUSE_DEPLOYMENT_ALARM_SECONDS", default=20)
FINAL_SNAPSHOT_TIMEOUT_SECONDS = env.int("GATEHOUSE_FINAL_SNAPSHOT_TIMEOUT_SECONDS", default=3600)
STATE_MAX_BYTES = env.int("GATEHOUSE_STATE_MAX_BYTES", default=256 * 1024 * 1024)
# A static front end's build: the zip, everything in it unpacked, and how many releases can be put in force again.
FRONT_END_MAX_BYTES = env.int("GATEHOUSE_FRONT_END_MAX_BYTES", default=50 * 1024 * 1024)
FRONT_END_MAX_UNPACKED = env.int("GATEHOUSE_FRONT_END_MAX_UNPACKED", default=200 * 1024 * 1024)
FRONT_END_MAX_FILES = env.int("GATEHOUSE_FRONT_END_MAX_FILES", default=5000)
FRONT_END_RELEASES_KEPT = env.int("GATEHOUSE_FRONT_END_RELEASES_KEPT", default=10)

# AWS: where an account of kind "sandbox" is found, and the credentials the portal itself starts from.
# The launcher remembers the port it found free: commands run by hand then reach the same sandbox.
_SANDBOX_PORT = DATA_DIR / "sandbox-port"
SANDBOX_URL = env.str(
    "GATEHOUSE_SANDBOX_URL",
    default=f"http://127.0.0.1:{_SANDBOX_PORT.read_text().strip() if _SANDBOX_PORT.is_file() else 5005}",
)
SANDBOX_PORTAL_ACCOUNT = "999999999999"

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Gatehouse <gatehouse@localhost>")
SLACK_WEBHOOK_URL = env.str("SLACK_WEBHOOK_URL", default="")
# Hosts a Slack webhook may point at: a webhook address is typed by people.
WEBHOOK_ALLOWED_HOSTS = env.list("WEBHOOK_ALLOWED_HOSTS", default=["hooks.slack.com"])

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.accounts.authentication.TokenAuthentication",
        "portal.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.accounts.permissions.DeclaredAccess"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.core.wellformed.WellFormedJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "portal.core.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.core.problems.problem_response",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.AnonRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.str("API_THROTTLE_USER", default="1200/min"),
        "anon": env.str("API_THROTTLE_ANON", default="60/min"),
    },
    "NUM_PROXIES": env.int("GATEHOUSE_NUM_PROXIES", default=0),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse",
    "DESCRIPTION": "Environments, changes, approvals and audit of the infrastructure portal.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"redact": {"()": "portal.core.redaction.LogFilter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["redact"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.db.backends": {"level": "WARNING"}},
}
