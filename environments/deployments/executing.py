"""Doing what was approved, one service after the other; every visit is one look."""

from __future__ import annotations

from environments.changes.work import Work


def execute(work: Work) -> None:
    raise NotImplementedError


def resume(work: Work) -> None:
    raise NotImplementedError


def settle(work: Work) -> None:
    raise NotImplementedError
