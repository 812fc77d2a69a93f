"""Putting a release in force: new files, what is overwritten, pages, deletions, then the caches.

Each step is written before it begins, and each can be done again: whoever goes on after a worker's death
looks at the bucket and writes what is not there yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Cancelled, Later, ToolFailure
from environments.changes.work import Work
from environments.deployments.front_ends import builds, headers
from environments.deployments.front_ends.models import FrontEndDeployment, FrontEndRelease
from environments.deployments.front_ends.proposing import access, deployment_of
from portal.aws import cloudfront, objects
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.core.errors import InvalidInput

ADDING, SWITCHING, DELETING, FORGETTING, DONE = "adding", "switching", "deleting", "forgetting", "done"
AT_ONCE: Final = 8
# So many files between two looks at what people wish.
BATCH: Final = 40
PAUSE: Final = 5.0
# AWS may be away for a while; then it has to be said.
PATIENCE: Final = timedelta(minutes=30)


def put_in_force(work: Work) -> None:
    """Begin, or go on. Returns when the caches have forgotten. Raises Later, Cancelled, ToolFailure."""
    deployment = deployment_of(work.change)
    try:
        _Site(work, deployment, access(work.change.environment)).go_on()
    except AwsError as refused:
        started = work.change.started_at
        if not refused.permanent and started is not None and timezone.now() < started + PATIENCE:
            raise Later(PAUSE) from refused
        raise ToolFailure(refused.message, _hint(deployment, refused.hint)) from refused


def _hint(deployment: FrontEndDeployment, hint: str) -> str:
    if deployment.step in ("", ADDING):
        return " ".join(filter(None, [hint, _("No page names the new files: the site is as it was.")]))
    if deployment.previous is None:
        return hint
    back = _("The site may be half of each release: roll back to release %(n)s, or try again.")
    return " ".join(filter(None, [hint, back % {"n": deployment.previous.number}]))


class _Site:
    def __init__(self, work: Work, deployment: FrontEndDeployment, reached: AccountAccess) -> None:
        self.work, self.deployment, self.access = work, deployment, reached
        assert work.change.proposal is not None
        self.release, self.plan = deployment.release, work.change.proposal.front_end_plan
        begun = {"uploaded": 0, "deleted": 0, "of": len(self.plan.put)}
        self.progress: dict[str, int] = {**begun, **deployment.progress}

    def go_on(self) -> None:
        step = self.deployment.step or ADDING
        if step == ADDING:
            self._add()
        if self.deployment.step == SWITCHING:
            self._switch()
        if self.deployment.step == DELETING:
            self._delete()
        if self.deployment.step == FORGETTING:
            self._forget()

    def _add(self) -> None:
        """Files that no page names yet: until the last of them is there it can still be stopped."""
        self._write(step=ADDING)
        for _batch in self._put(self.plan.quiet):
            self._stop_if_wished()
        self._stop_if_wished()
        self._write(step=SWITCHING)
        self.work.say(_("New files are there; now what is overwritten, then the pages."))

    def _switch(self) -> None:
        pages = [path for path in self.plan.put if headers.is_page(path)]
        for _batch in self._put([path for path in self.plan.put if not headers.is_page(path)]):
            continue
        # One after the other: the first page last.
        for page in pages:
            for _batch in self._put([page]):
                continue
        self._write(step=DELETING)

    def _delete(self) -> None:
        """What was approved to go, and nothing that came since."""
        there = {one.key for one in objects.listing(self.access, self.release.bucket)}
        gone = [key for key in self.plan.removed if key in there and key not in self.release.files]
        if gone:
            objects.delete_objects(self.access, self.release.bucket, gone)
            self.work.say(_("%(n)s files deleted.") % {"n": len(gone)})
        self.progress["deleted"] = len(self.plan.removed)
        self._write(step=FORGETTING)

    def _forget(self) -> None:
        distribution, reference = self.deployment.distribution_id, str(self.work.change.uuid)
        if not self.deployment.invalidation_id:
            # The same reference is the same order: a second worker gets the first one's.
            made = cloudfront.invalidate(self.access, distribution, ["/*"], reference)
            self._write(invalidation_id=made.id)
            self.work.say(_("CloudFront %(id)s is told to forget everything.") % {"id": distribution})
        order = cloudfront.invalidation(self.access, distribution, self.deployment.invalidation_id)
        if not order.done:
            raise Later(PAUSE)
        self._write(step=DONE)

    def _put(self, names: Sequence[str]) -> Iterator[int]:
        """Write these files, a batch at a time; those that this change has written already are left alone."""
        missing = self._missing(names)
        if not missing:
            return
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            bodies = self._bodies(missing)
            while batch := list(islice(bodies, BATCH)):
                # list(): an error in one of them is raised here.
                list(pool.map(lambda one: self._put_one(*one), batch))
                self.progress["uploaded"] += len(batch)
                self._write()
                yield len(batch)

    def _missing(self, names: Sequence[str]) -> list[str]:
        since = self.work.change.started_at
        there = {one.key: one for one in objects.listing(self.access, self.release.bucket)}
        return [
            path
            for path in names
            if path not in there
            or since is None
            or there[path].modified < since.replace(microsecond=0)
            or there[path].etag != self.release.files[path]["md5"]
        ]

    def _bodies(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        content = FrontEndRelease.objects.values_list("content", flat=True).get(pk=self.release.pk)
        if content is None:
            raise ToolFailure(_("Release %(n)s is not kept any more.") % {"n": self.release.number})
        try:
            for path, body in builds.unpacked(bytes(content), most=self.release.size + 1, only=names):
                if not builds.is_file(body, self.release.files[path]):
                    raise ToolFailure(_("%(path)s is not what was uploaded.") % {"path": path})
                yield path, body
        except InvalidInput as unreadable:
            raise ToolFailure(unreadable.message) from unreadable

    def _put_one(self, path: str, body: bytes) -> None:
        file = self.release.files[path]
        given = {"ContentType": file["content_type"], "CacheControl": file["cache_control"]}
        objects.put_object(self.access, self.release.bucket, path, body, given)

    def _stop_if_wished(self) -> None:
        if self.work.wishes()[0]:
            said = _("%(n)s new files lie in the bucket; no page names them, the site is as it was.")
            raise Cancelled(said % {"n": self.progress["uploaded"]})

    def _write(self, **fields: Any) -> None:
        """The deployment's row, if this worker still owns the change."""
        fields["progress"] = self.progress
        with self.work.fenced():
            FrontEndDeployment.objects.filter(pk=self.deployment.pk).update(**fields)
        for name, value in fields.items():
            setattr(self.deployment, name, value)
