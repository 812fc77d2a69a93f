"""Which texts are secret: what a plan or a state marks as sensitive, to mask pages and redact logs.

Marks do not travel everywhere: a computed attribute or a container definition may hold a copy of a marked
value without a mark of its own. So the values are collected and every text that contains one is treated
alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from portal.terraform.documents import MASK, any_mark, child, embedded, leaves
from portal.terraform.unmarked import looks_random, unmarked_secrets, with_guesses

# A shorter text ("on", "5432") occurs everywhere: masking it would blacken a page and hide nothing.
SHORTEST = 6

# Attributes that some provider versions forgot to mark.
UNMARKED: Mapping[str, tuple[str, ...]] = {
    "aws_iam_access_key": ("secret", "ses_smtp_password_v4"),
    "aws_secretsmanager_secret_version": ("secret_string", "secret_binary"),
    "aws_ssm_parameter": ("value",),
    "aws_db_instance": ("password",),
    "aws_rds_cluster": ("master_password",),
    "aws_elasticache_replication_group": ("auth_token",),
    "aws_mq_broker": ("password",),
    "random_password": ("result", "bcrypt_hash"),
    "tls_private_key": ("private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"),
}


class SecretMatcher:
    """Tells whether a value of a plan or a state holds one of its secrets.

    For masking values, where half a masked page would help nobody; log text is redacted by
    portal.core.redaction, which knows more spellings and does not mind masking too much.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {spelling for secret in secrets for spelling in _spellings(secret)}
        ordered = sorted(text for text in found if len(text) >= SHORTEST)
        self._pattern = re.compile("|".join(map(_expression, ordered))) if ordered else None

    def holds_secret(self, text: str) -> bool:
        """Whether `text` contains a known secret."""
        return bool(self._pattern and self._pattern.search(text))


def _expression(secret: str) -> str:
    """A text that looks random is hidden wherever it occurs, one like a name only where it stands alone.

    Otherwise one sensitive user name ("triflow") would hide half of every address and ARN.
    """
    if looks_random(secret):
        return re.escape(secret)
    return rf"(?<![\w./-]){re.escape(secret)}(?![\w./-])"


def _spellings(secret: str) -> set[str]:
    """A secret as it may stand in output: itself, escaped inside JSON, and line by line."""
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    if "\n" in secret:
        texts |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= 16}
    return texts


def plan_secrets(document: Mapping[str, Any]) -> frozenset[str]:
    """Every sensitive text in a `terraform show -json` plan: variables, resources, outputs, data."""
    found: set[str] = set()
    for name, schema in _items(_at(document, "configuration", "root_module", "variables")):
        if isinstance(schema, dict) and schema.get("sensitive") is True:
            _take(found, _at(document, "variables", name, "value"), marks=True)
            _take(found, schema.get("default"), marks=True)
    for key in ("resource_changes", "resource_drift"):
        for entry in _objects(document.get(key)):
            change = entry.get("change")
            if isinstance(change, dict):
                for side in ("before", "after"):
                    marks = change.get(f"{side}_sensitive")
                    _take(found, change.get(side), marks)
                    _take_unmarked(found, entry.get("type"), change.get(side))
                    found.update(unmarked_secrets(change.get(side)))
    for name, change in _items(document.get("output_changes")):
        if isinstance(change, dict):
            for side in ("before", "after"):
                _take(found, change.get(side), change.get(f"{side}_sensitive"))
                found.update(unmarked_secrets({name: change.get(side)}))
    for values in (document.get("planned_values"), _at(document, "prior_state", "values")):
        _take_values(found, values)
    return frozenset(found)


def state_secrets(document: Mapping[str, Any]) -> frozenset[str]:
    """Every sensitive text in a state document (version 4)."""
    found: set[str] = set()
    for name, output in _items(document.get("outputs")):
        if isinstance(output, dict):
            _take(found, output.get("value"), output.get("sensitive") is True)
            found.update(unmarked_secrets({name: output.get("value")}))
    for resource in _objects(document.get("resources")):
        for instance in _objects(resource.get("instances")):
            attributes = instance.get("attributes")
            marks = sensitive_marks(instance.get("sensitive_attributes"))
            _take(found, attributes, marks)
            _take_unmarked(found, resource.get("type"), attributes)
            found.update(unmarked_secrets(attributes))
    return frozenset(found)


def sensitive_marks(paths: Any) -> Any:
    """A state's `sensitive_attributes` (a list of paths) as a mark tree like those in plans.

    A path is a list of {"type": "get_attr", "value": name} or {"type": "index", "value": {"value": key}}.
    A step that cannot be read marks everything from there on: too much masked rather than too little.
    """
    tree: dict[str, Any] = {}
    for path in paths if isinstance(paths, list) else ():
        if not isinstance(path, list) or not path:
            continue
        node = tree
        for number, step in enumerate(path, start=1):
            key = _step_key(step)
            if number == len(path) or key is None:
                if key is None:
                    return True
                node[key] = True
                break
            below = node.setdefault(key, {})
            if below is True:
                break
            node = below
    return tree


def _step_key(step: Any) -> str | None:
    if not isinstance(step, dict):
        return None
    value = step.get("value")
    if isinstance(value, dict):
        value = value.get("value")
    return str(value) if isinstance(value, str | int | float) else None


def masked(value: Any, marks: Any, holds_secret: Callable[[str], bool]) -> Any:
    """A copy of `value` with every leaf that is marked, or contains a known secret, replaced by
    "(sensitive)".
    """
    if marks is True:
        return value if value is None or value == "" else MASK
    if isinstance(value, dict):
        return {key: masked(part, child(marks, key), holds_secret) for key, part in value.items()}
    if isinstance(value, list):
        return [masked(part, child(marks, index), holds_secret) for index, part in enumerate(value)]
    if isinstance(value, str):
        return _masked_text(value, holds_secret)
    return MASK if is_number(value) and holds_secret(json.dumps(value)) else value


def is_number(value: Any) -> bool:
    """Whether a leaf is a number, which to Python true and false are too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _masked_text(text: str, holds_secret: Callable[[str], bool]) -> str:
    """One variable of a container definition is masked, not the whole definition, where that is enough."""
    inside, hidden = embedded(text), holds_secret(text)
    if inside is None:
        return MASK if hidden else text
    guesses = with_guesses(inside)
    if not hidden and not any_mark(guesses):
        return text
    shown = json.dumps(masked(inside, guesses, holds_secret), ensure_ascii=False, separators=(",", ":"))
    return MASK if holds_secret(shown) else shown


def _take(found: set[str], value: Any, marks: Any) -> None:
    for leaf, secret in leaves(value, marks):
        if secret and isinstance(leaf, str) and leaf:
            found.add(leaf)
        elif secret and is_number(leaf):
            found.add(json.dumps(leaf))


def _take_unmarked(found: set[str], kind: Any, value: Any) -> None:
    if isinstance(value, dict):
        for name in UNMARKED.get(kind, ()) if isinstance(kind, str) else ():
            _take(found, value.get(name), marks=True)


def _take_values(found: set[str], values: Any) -> None:
    """`planned_values` and `prior_state.values`: data sources appear nowhere else."""
    for _, output in _items(_at(values, "outputs")):
        if isinstance(output, dict):
            _take(found, output.get("value"), output.get("sensitive") is True)
    modules = [_at(values, "root_module")]
    while modules:
        module = modules.pop()
        if isinstance(module, dict):
            for resource in _objects(module.get("resources")):
                _take(found, resource.get("values"), resource.get("sensitive_values"))
                _take_unmarked(found, resource.get("type"), resource.get("values"))
                found.update(unmarked_secrets(resource.get("values")))
            modules += _objects(module.get("child_modules"))


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    return iter(value.items()) if isinstance(value, dict) else iter(())


def _objects(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
