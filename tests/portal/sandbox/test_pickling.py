"""Every service of moto can be kept, and so can the objects that pickle alone cannot keep."""

import threading
from collections import defaultdict
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto import backends
from moto.core.base_backend import BackendDict
from moto.s3.utils import _VersionedKeyStore
from moto.ssm.models import ParameterDict

from portal.sandbox import pickling


def kept(thing: Any) -> Any:
    return pickling.load(pickling.dump(thing))


class Job(threading.Thread):
    """As moto's jobs are: a thread with data."""

    def __init__(self, name: str) -> None:
        super().__init__(daemon=True)
        self.job_name = name
        self.stop_me = threading.Event()

    def run(self) -> None:
        self.stop_me.wait(5)


def test_locks_are_fresh() -> None:
    held = threading.Lock()
    held.acquire()
    assert kept([held, threading.RLock(), threading.Condition()])[0].locked() is False


def test_a_job_keeps_its_data_but_not_its_thread() -> None:
    job = Job("nightly")
    job.start()
    copy = kept(job)
    job.stop_me.set()
    job.join(5)
    assert copy.job_name == "nightly"
    assert copy.is_alive() is False
    assert copy.stop_me.is_set() is False


@pytest.mark.parametrize(
    "key",
    [rsa.generate_private_key(public_exponent=65537, key_size=2048), ec.generate_private_key(ec.SECP256R1())],
)
def test_keys_stay_the_same(key: Any) -> None:
    private, public = kept([key, key.public_key()])
    assert private.private_numbers() == key.private_numbers()
    assert public.public_numbers() == key.public_key().public_numbers()


def test_dictionaries_with_factories_still_make_values() -> None:
    parameters = ParameterDict("111111111111", "ap-northeast-2")
    copy = kept(parameters)
    assert type(copy) is ParameterDict
    assert copy.region_name == "ap-northeast-2"
    copy["new"].append(1)
    assert copy["new"] == [1]
    assert kept(defaultdict(list))["x"] == []


def test_all_versions_of_an_object_are_kept() -> None:
    versions = _VersionedKeyStore()
    versions["state"] = "old"
    versions["state"] = "new"
    copy = kept(versions)
    assert type(copy) is _VersionedKeyStore
    assert copy.getlist("state") == ["old", "new"]
    assert copy["state"] == "new"


class Link:
    """One of a long chain, as resources that know their neighbours make."""

    def __init__(self, next_one: "Link | None") -> None:
        self.next_one = next_one


def test_long_chains_of_references_are_kept() -> None:
    chain: Link | None = None
    for _ in range(5_000):
        chain = Link(chain)
    copy, length = kept(chain), 0
    while copy is not None:
        copy, length = copy.next_one, length + 1
    assert length == 5_000


def _nested() -> Any:
    return defaultdict(lambda: defaultdict(dict))


def test_lambdas_are_found_again() -> None:
    copy = kept(_nested())
    copy["a"]["b"]["c"] = 1
    assert copy == {"a": {"b": {"c": 1}}}


def test_a_lambda_with_variables_of_its_own_is_named() -> None:
    number = 5
    with pytest.raises(pickling.NotKeepableError, match="test_a_lambda_with_variables"):
        pickling.dump(defaultdict(lambda: number))


@pytest.mark.slow
def test_every_service_of_moto_can_be_kept() -> None:
    """A service that could not be would be left out of every snapshot of whoever uses it."""
    looked_at = 0
    for service in backends.list_of_moto_modules():
        try:
            held: Any = backends.get_backend(service)  # type: ignore[call-overload]
        except AttributeError:  # a module of moto that is not a service
            continue
        if not isinstance(held, BackendDict):
            continue
        account: Any = held["111111111111"]
        region = "ap-northeast-2" if "ap-northeast-2" in account else "us-east-1"
        backend = account[region if region in account else "aws"]
        assert type(kept(backend)) is type(backend), service
        looked_at += 1
    assert looked_at > 150
