"""What a repository's lifecycle policy will do to images: which rule takes which digest, and when.

ECR judges every rule over all images and applies them by priority: an image that a rule selects by its tags
is left alone by every rule of a lower priority (user guide, "Lifecycle policies", evaluation rules). It
judges within a day, so what counts as condemned is also what will be soon.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from portal.aws.ecr_listing import details
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call
from portal.core.clock import local_now

# A rule that would take an image within so many days, or after so many newer images, is told of.
DAYS_AHEAD: Final = 30
IMAGES_AHEAD: Final = 3
LAST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    """One rule of a policy; `count` is a number of images or of days."""

    priority: int
    description: str
    tag_status: str
    prefixes: tuple[str, ...]
    patterns: tuple[str, ...]
    count_type: str
    count: int
    archives: bool

    def selects(self, tags: Sequence[str]) -> bool:
        """Whether an image with these tags is the rule's business; each prefix or pattern needs a tag."""
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not tags
        wanted = [_pattern(text) for text in self.patterns] or [
            _pattern(text + "*") for text in self.prefixes
        ]
        return bool(tags) and all(any(one.fullmatch(tag) for tag in tags) for one in wanted)

    @property
    def name(self) -> str:
        """How it is told of."""
        said = f" “{self.description}”" if self.description else ""
        return _("rule %(number)d%(said)s") % {"number": self.priority, "said": said}


def lifecycle_condemned(access: AccountAccess, repository: str, digests: Iterable[str]) -> dict[str, str]:
    """digest -> which rule takes it and when, in words; digests that are safe for now are absent.

    Raises AwsError, when the policy or the images cannot be read.
    """
    wanted = set(digests)
    try:
        answer = call(access, "ecr", "get_lifecycle_policy", repositoryName=repository)
    except AwsError as error:
        if error.code == "LifecyclePolicyNotFoundException":
            return {}
        raise
    policy = rules(str(answer.get("lifecyclePolicyText") or ""))
    found = judge(policy, details(access, repository), now=local_now()) if policy else {}
    return {digest: why for digest, why in found.items() if digest in wanted}


def rules(text: str) -> list[Rule]:
    """The rules of a policy's text, first priority first; raises AwsError when it cannot be read."""
    try:
        raw = json.loads(text)["rules"]
        found = [_rule(one) for one in raw if _concerns_pullable(one)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AwsError(
            _("The lifecycle policy could not be read: %(why)s") % {"why": type(error).__name__},
            code="LifecyclePolicy",
            permanent=True,
        ) from error
    return sorted(found, key=lambda rule: rule.priority)


def judge(policy: Sequence[Rule], rows: Sequence[Mapping[str, Any]], *, now: datetime) -> dict[str, str]:
    """digest -> which rule takes it and when, over all images of the repository as ECR describes them."""
    fate: dict[str, str] = {}
    settled: set[str] = set()
    newest_first = sorted(rows, key=lambda row: row.get("imagePushedAt") or LAST, reverse=True)
    for rule in policy:
        # A rule counts all images that it selects, those that an earlier rule has taken as well.
        chosen = [row for row in newest_first if rule.selects(row.get("imageTags") or ())]
        for place, row in enumerate(chosen, start=1):
            digest = str(row["imageDigest"])
            if digest not in settled and (why := _verdict(rule, row, place, now)):
                fate[digest] = why
        settled |= {str(row["imageDigest"]) for row in chosen}
    return fate


def _verdict(rule: Rule, row: Mapping[str, Any], place: int, now: datetime) -> str:
    words = {"rule": rule.name, "what": _("archives") if rule.archives else _("deletes")}
    if rule.count_type == "imageCountMoreThan":
        left = rule.count - place
        if left < 0:
            return _("%(rule)s %(what)s it within a day: it keeps %(n)d images.") % {**words, "n": rule.count}
        if left < IMAGES_AHEAD:
            return _("%(rule)s %(what)s it as soon as %(n)d newer images are pushed.") % {
                **words,
                "n": left + 1,
            }
        return ""
    if rule.count_type not in ("sinceImagePushed", "sinceImagePulled"):
        return _("%(rule)s counts by “%(kind)s”, which the portal cannot judge.") % {
            **words,
            "kind": rule.count_type,
        }
    pulled = row.get("lastRecordedPullTime") if rule.count_type == "sinceImagePulled" else None
    since = pulled or row.get("imagePushedAt")
    if since is None:
        return _("%(rule)s counts its age, which is not known.") % words
    due = since.astimezone(UTC) + timedelta(days=rule.count)
    if due <= now:
        return _("%(rule)s %(what)s it within a day.") % words
    if due <= now + timedelta(days=DAYS_AHEAD):
        return _("%(rule)s %(what)s it on %(day)s (UTC).") % {**words, "day": due.strftime("%Y-%m-%d")}
    return ""


def _concerns_pullable(raw: Mapping[str, Any]) -> bool:
    """Rules over the archive take nothing that a task could pull."""
    return bool(raw["selection"].get("storageClass", "standard") != "archive")


def _rule(raw: Mapping[str, Any]) -> Rule:
    selection = raw["selection"]
    return Rule(
        priority=int(raw["rulePriority"]),
        description=str(raw.get("description") or ""),
        tag_status=str(selection["tagStatus"]),
        prefixes=tuple(str(one) for one in selection.get("tagPrefixList") or ()),
        patterns=tuple(str(one) for one in selection.get("tagPatternList") or ()),
        count_type=str(selection["countType"]),
        count=int(selection["countNumber"]),
        archives=(raw.get("action") or {}).get("type") == "transition",
    )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")))
