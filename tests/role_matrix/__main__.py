"""`python -m tests.role_matrix` writes docs/role-matrix.md."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.role_matrix.document import PATH, document  # noqa: E402

PATH.write_text(document())
print(f"wrote {PATH}")
