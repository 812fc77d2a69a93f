"""Rules of the foundations: who gets in, what is kept how, what is refused at the door."""

from __future__ import annotations

from tests.guards.guard import Guard

GUARDS = [
    Guard(
        "access",
        "An address whose view declares no rule is denied",
        "portal/accounts/middleware.py",
        "        if rule is None:\n",
        "        if rule is None and False:\n",
        ("tests/test_access_rules.py",),
    ),
    Guard(
        "access",
        "No quarter of an hour holds more than five wrong passwords",
        "portal/accounts/throttling.py",
        'Limit("sign_in", 5, since_last=True)',
        'Limit("sign_in", 5)',
        ("tests/portal/accounts/test_sign_in.py",),
    ),
    Guard(
        "input",
        "A NUL in an address or form is refused by its field",
        "portal/core/wellformed.py",
        'UNKEPT: Final = re.compile("[\\x00\\ud800-\\udfff]")',
        'UNKEPT: Final = re.compile("[\\ud800-\\udfff]")',
        ("tests/portal/hostile/test_pages_refuse.py::test_a_nul_is_refused_by_the_name_of_its_field",),
    ),
    Guard(
        "input",
        "JSON nested without end is refused, not a fault",
        "portal/core/wellformed.py",
        "        except RecursionError as deep:\n",
        "        except ZeroDivisionError as deep:\n",
        ("tests/portal/hostile/test_pages_refuse.py::test_json_without_end_is_refused",),
    ),
    Guard(
        "input",
        "A cursor nested without end is refused",
        "portal/core/pagination.py",
        "ValidationError, RecursionError):",
        "ValidationError):",
        ("tests/portal/hostile/test_pages_refuse.py::test_a_cursor_without_end_is_refused",),
    ),
]
