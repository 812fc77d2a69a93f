"""The environment variables that moto reads while it is imported."""

import os

# Settings that moto reads at import time, each with the reason why its default does not do.
_SETTINGS = {
    # A policy attachment of an AWS managed policy is refused without the managed policies.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    # Certificates are issued after 60 s by default; nothing here waits for a real certificate authority.
    "MOTO_ACM_VALIDATION_WAIT": "1",
    # Any web page open in a developer's browser could otherwise read what the sandbox answers.
    "MOTO_DISABLE_GLOBAL_CORS": "true",
}

# Settings that would put every caller into one account or send calls to the real AWS.
_UNWANTED = ("MOTO_ACCOUNT_ID", "TEST_SERVER_MODE", "TEST_PROXY_MODE")


def prepare() -> None:
    """Set what moto needs in ``os.environ``; must run before the first import of moto."""
    os.environ.update(_SETTINGS)
    for name in _UNWANTED:
        os.environ.pop(name, None)
