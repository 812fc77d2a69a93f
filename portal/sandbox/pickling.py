"""Moto's objects as bytes and back, including those that pickle does not know how to keep."""

import importlib
import inspect
import io
import pickle
import threading
import types
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from moto.core.base_backend import AccountSpecificBackend, BackendDict

from portal.sandbox.depth import with_room

_LOCK = type(threading.Lock())
_RLOCK = type(threading.RLock())
# What a new thread object brings along by itself; everything else in it is moto's data.
_THREAD_STATE = frozenset(vars(threading.Thread()))


class NotKeepableError(pickle.PicklingError):
    """An object holds something that cannot be stored; the message names it."""


def dump(content: Any) -> bytes:
    """The object as bytes. Raises NotKeepableError, or what pickle raises."""
    buffer = io.BytesIO()
    with_room(lambda: _Pickler(buffer, protocol=5).dump(content))
    return buffer.getvalue()


def load(raw: bytes) -> Any:
    """The object back. Only for bytes that this sandbox wrote itself: unpickling runs what they say."""
    return with_room(lambda: pickle.loads(raw))  # noqa: S301


def backend_dicts() -> Iterator[tuple[str, str, BackendDict[Any]]]:
    """Every service in use, as (module, name of the variable, what it holds)."""
    for services in list(BackendDict._instances):  # type: ignore[misc]
        module, name = _whereabouts(services)
        yield module, name, services


def backend_dict(module: str, name: str) -> BackendDict[Any]:
    """The variable of that name in that module of moto. Raises ImportError or AttributeError."""
    found: BackendDict[Any] = getattr(importlib.import_module(module), name)
    return found


def _whereabouts(services: BackendDict[Any]) -> tuple[str, str]:
    # A service's models are a module or a package; the variable lives at its root in either case.
    package, service = services.backend.__module__.split(".")[:2]
    module = f"{package}.{service}.models"
    for name, value in vars(importlib.import_module(module)).items():
        if value is services:
            return module, name
    raise NotKeepableError(f"{module} does not name its backends")


class _Pickler(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        """How to rebuild ``thing``, or NotImplemented to leave it to pickle."""
        if isinstance(thing, _LOCK):
            return threading.Lock, ()
        if isinstance(thing, _RLOCK):
            return threading.RLock, ()
        if isinstance(thing, threading.Condition):
            return threading.Condition, ()
        if isinstance(thing, threading.Event):
            return _set_event if thing.is_set() else threading.Event, ()
        if isinstance(thing, threading.Thread):
            state = {k: v for k, v in vars(thing).items() if k not in _THREAD_STATE}
            return _ended_thread, (type(thing), thing.name, state)
        if isinstance(thing, BackendDict):
            return backend_dict, _whereabouts(thing)
        if isinstance(thing, AccountSpecificBackend):
            return _account_backend, (thing.backend, thing.account_id)
        if isinstance(thing, types.ModuleType):
            return importlib.import_module, (thing.__name__,)
        if isinstance(thing, weakref.WeakValueDictionary):
            return weakref.WeakValueDictionary, (), None, None, iter(list(thing.items()))
        if _is_peculiar_dict(thing):
            factory = thing.default_factory if isinstance(thing, defaultdict) else None
            content = list(dict.items(thing))
            return _empty_dict, (type(thing),), (vars(thing), content, factory), None, None, _fill_dict
        if isinstance(thing, types.FunctionType) and thing.__name__ == "<lambda>":
            return _lambda, _lambda_whereabouts(thing)
        return _reduce_key(thing)


def _reduce_key(thing: Any) -> Any:
    """Keys and certificates: objects of a C library, stored in their standard form."""
    if not type(thing).__module__.startswith("cryptography."):
        return NotImplemented
    if hasattr(thing, "private_bytes"):
        raw = thing.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return _private_key, (raw,)
    if isinstance(thing, x509.Certificate):
        return _certificate, (thing.public_bytes(serialization.Encoding.DER),)
    if hasattr(thing, "public_bytes"):
        raw = thing.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return _public_key, (raw,)
    return NotImplemented


# The loaders themselves belong to a C library, which pickle cannot name.
def _private_key(raw: bytes) -> Any:
    return serialization.load_der_private_key(raw, None)


def _public_key(raw: bytes) -> Any:
    return serialization.load_der_public_key(raw)


def _certificate(raw: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(raw)


def _set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def _ended_thread(cls: type[threading.Thread], name: str, state: dict[str, Any]) -> threading.Thread:
    """A job whose thread is gone: its data is there, and it is not alive."""
    thread = cls.__new__(cls)
    threading.Thread.__init__(thread, name=name, daemon=True)
    vars(thread).update(state)
    return thread


def _is_peculiar_dict(thing: Any) -> bool:
    """Whether pickle would go through methods that a subclass of dict changed.

    S3's store of versions answers with the newest one only, and a defaultdict's subclass may be made
    with other arguments than a factory: what is really inside must be kept and put back directly.
    """
    cls: Any = type(thing)
    if not isinstance(thing, dict) or cls in {dict, defaultdict} or not hasattr(thing, "__dict__"):
        return False
    ordinary = cls.__reduce__ in (dict.__reduce__, defaultdict.__reduce__)
    return bool(ordinary and cls.__getstate__ is object.__getstate__)


def _empty_dict(cls: type[dict[Any, Any]]) -> dict[Any, Any]:
    return cls.__new__(cls)


def _fill_dict(made: Any, parts: tuple[dict[str, Any], list[tuple[Any, Any]], Any]) -> None:
    attributes, content, factory = parts
    vars(made).update(attributes)
    dict.update(made, content)
    if isinstance(made, defaultdict):
        made.default_factory = factory


def _account_backend(backend: type, account_id: str) -> AccountSpecificBackend[Any]:
    for _, _, services in backend_dicts():
        if services.backend is backend:
            return services[account_id]
    service = importlib.import_module(".".join(backend.__module__.split(".")[:2]) + ".models")
    for value in vars(service).values():
        if isinstance(value, BackendDict) and value.backend is backend:
            return value[account_id]
    raise pickle.UnpicklingError(f"no backends for {backend.__qualname__}")


def _lambda_whereabouts(function: types.FunctionType) -> tuple[str, str, int]:
    if function.__code__.co_freevars:
        raise NotKeepableError(f"{function.__module__}.{function.__qualname__} keeps variables of its own")
    outer = function.__qualname__.rpartition(".<locals>.")[0]
    for index, code in enumerate(_lambdas_in(_named(function.__module__, outer))):
        if code == function.__code__:
            return function.__module__, outer, index
    raise NotKeepableError(f"{function.__module__}.{function.__qualname__} cannot be found again")


def _lambda(module: str, outer: str, index: int) -> Callable[..., Any]:
    code = list(_lambdas_in(_named(module, outer)))[index]
    return types.FunctionType(code, vars(importlib.import_module(module)))


def _named(module: str, qualified_name: str) -> Any:
    thing: Any = importlib.import_module(module)
    for part in qualified_name.split(".") if qualified_name else []:
        thing = getattr(thing, part)
    return inspect.unwrap(thing)


def _lambdas_in(function: Any) -> Iterator[types.CodeType]:
    for constant in function.__code__.co_consts:
        if isinstance(constant, types.CodeType) and constant.co_name == "<lambda>":
            yield constant
