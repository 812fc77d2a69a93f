"""Validation conditions: judged as Terraform would, or left to it."""

import pytest

from environments.blueprints.conditions import holds, rendered
from environments.blueprints.operands import SetValue

V = {
    "s": "abc",
    "n": 5,
    "t": True,
    "nothing": None,
    "l": ["a", "b"],
    "z": SetValue(["a", "b"]),
    "m": {"k": "v", "a": "w"},
    "o": {"min": 1, "rules": [{"port": 80, "cidrs": ["10.0.0.0/8"]}]},
}
TRUE = [
    'can(regex("^[a-z]+$", var.s))',
    "var.n > 3 && var.n <= 5 || false",
    "!(var.n == 4)",
    'var.n % 2 == 1 ? var.t : var.s == "x"',
    'contains(["abc", "def"], var.s)',
    "length(var.l) == 2 && length(var.m) == 2 && length(var.s) == 3",
    'alltrue([for x in var.l : contains(["a", "b"], x)])',
    'anytrue([for k, v in var.m : k == "k" && v == "v"])',
    'alltrue([for i, x in var.l : i < 2 if x != "c"])',
    'var.o.rules[0].port == 80 && var.o["min"] == 1 && var.o.rules.0.port == 80',
    "alltrue([for r in var.o.rules : alltrue([for c in r.cidrs : can(cidrhost(c, 0))])])",
    'join(",", var.o.rules[*].port) == "80"',
    'join(",", var.o.rules.*.port) == "80"',
    "var.nothing == null",
    "var.nothing == null || length(var.nothing) > 3",
    "try(length(var.nothing), 7) == 7",
    'lower("ABC") == "abc" && upper("abc") == "ABC"',
    'startswith(var.s, "a") && endswith(var.s, "c")',
    'tonumber("5") == var.n && tostring(var.n) == "5"',
    'cidrnetmask("10.0.0.0/20") == "255.255.240.0"',
    'cidrsubnet("10.0.0.0/16", 8, 2) == "10.0.2.0/24"',
    "min(3, 1, 2) == 1 && max([3, 9]...) == 9 && abs(-4) == 4 && floor(1.9) == 1 && ceil(1.1) == 2",
    'parseint("ff", 16) == 255',
    'jsondecode("{\\"a\\": [1]}").a[0] == 1',
    "length(distinct([1, 1, 2])) == 2",
    'length(setintersection(["a", "b"], ["b"])) == 1',
    'concat(["a"], ["b"])[1] == "b"',
    'split(",", "a,b")[1] == "b" && replace("a-b", "-", "+") == "a+b" && substr("hello", 1, 3) == "ell"',
    'format("%s-%d", "a", 3) == "a-3"',
    'element(["a", "b"], 3) == "b" && coalesce("", "b") == "b"',
    'timecmp("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00") == 0',
    'lookup(var.m, "x", "d") == "d" && keys(var.m)[0] == "a" && values(var.m)[0] == "w"',
    '"${var.s}-${var.n}" == "abc-5"',
    '{ for k, v in var.m : v => k }["v"] == "k"',
    '{ for x in ["a", "b", "a"] : x => 1... }["a"][1] == 1',
    "(\n  var.n > 1\n  && var.n < 9\n)",
    'length(regexall("[0-9]+", "a1b22")) == 2',
    '"5" > 3',
    'trimspace(" x\\t") == "x"',
    "length([for c in var.z : c]) == 2",
]
FALSE = [
    'can(regex("^[A-Z]", var.s))',
    'var.n == "5"',
    "length(var.nothing) > 3",
    'var.m["missing"] == "x"',
    "can(var.o.rules[1])",
    'can(cidrhost("10.0.0.0/33", 0))',
    'can(tonumber("x"))',
    "alltrue([true, null])",
    "var.n > 10 && local.unknown",
    'can(regex("^[a-z]+$", "abc\\n"))',
    "can(var.z[0])",
]
UNCHECKED = [
    "contains(data.aws_regions.all.names, var.s)",
    "local.x == 1",
    "var.missing == 1",
    "fileexists(var.s)",
    "var.l == []",
    'can(regex("(?=a)", var.s))',
    "1 / 3 == 0.1",
    'provider::aws::arn_parse(var.s).service == "s3"',
    "can(unknown_function(var.s))",
    "this is not HCL",
    'length("👩‍👩‍👧") == 1',
    'sha256(var.s) == "x"',
    "length([for a in range(900) : [for b in range(900) : a * b]]) > 1",
]


@pytest.mark.parametrize("condition", TRUE)
def test_holds(condition: str) -> None:
    assert holds(condition, V) is True


@pytest.mark.parametrize("condition", FALSE)
def test_does_not_hold(condition: str) -> None:
    assert holds(condition, V) is False


@pytest.mark.parametrize("condition", UNCHECKED)
def test_is_left_to_terraform(condition: str) -> None:
    assert holds(condition, V) is None


def test_messages() -> None:
    assert rendered('"Not \\"${var.s}\\"."', V) == 'Not "abc".'
    assert rendered('"Not ${var.missing}."', V) == "Not ${var.missing}."


@pytest.mark.parametrize("source", ["(" * 5000 + "1" + ")" * 5000, "!" * 5000 + "true", "1" + "+1" * 9000])
def test_a_hostile_expression_is_left_alone(source: str) -> None:
    assert holds(source, V) is None
