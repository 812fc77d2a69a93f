"""kombu's view of the spool: `portalfs:///absolute/folder`, the broker of the embedded default.

Unlike kombu's own file transport it loses nothing: a message appears complete or not at all, and one that
was taken by a worker which died before acknowledging it comes back (docs/decisions/0001-embedded-broker.md).
"""
# ruff: noqa: FBT001, FBT002 - the signatures are kombu's
# mypy: disallow-untyped-calls=False

from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import base, virtual

from portal.broker.spool import Binding, Spool

# delivery_mode of messages that need not survive a power cut (remote control, replies).
TRANSIENT = 1
POLLING_SECONDS = 0.2


class QoS(virtual.QoS):
    """Acknowledging removes the claim; rejecting with `requeue` puts the message back in its old place."""

    def ack(self, delivery_tag: str) -> None:
        self.channel.spool.acknowledge(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().reject(delivery_tag, requeue=requeue)
        if not requeue:
            self.channel.spool.acknowledge(delivery_tag)


class Channel(virtual.Channel):
    """A channel on the spool folder of its connection."""

    QoS = QoS
    supports_fanout = True

    def __init__(self, connection: "Transport", **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self.spool = Spool(connection.folder)
        self._without_ack: set[str] = set()
        self._queue_arguments: dict[str, dict[str, Any]] = {}

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        durable = message["properties"].get("delivery_mode") != TRANSIENT
        self.spool.put(queue, message, durable=durable)

    def _put_fanout(self, exchange: str, message: dict[str, Any], routing_key: str, **kwargs: Any) -> None:
        for queue in {row[2] for row in self.get_table(exchange)}:
            self._put(queue, message)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        self.spool.recover_if_due()
        ttl = self._queue_arguments.get(queue, {}).get("x-message-ttl")
        claim = self.spool.take(queue, max_age=ttl / 1000 if ttl else None)
        if claim is None:
            raise Empty
        if queue in self._without_ack:
            self.spool.acknowledge(claim.tag)
        # The claim's own name, so that an acknowledgement finds its file.
        claim.payload["properties"]["delivery_tag"] = claim.tag
        return claim.payload

    def _restore(self, message: virtual.Message) -> None:
        # Gone when our claim was already acknowledged: nothing to restore then.
        self.spool.give_back(message.delivery_tag)

    def _size(self, queue: str) -> int:
        return self.spool.size(queue)

    def _purge(self, queue: str) -> int:
        return self.spool.purge(queue)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return True

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        self._queue_arguments[queue] = {
            **(kwargs.get("arguments") or {}),
            "auto_delete": kwargs.get("auto_delete"),
        }

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        arguments = self._queue_arguments.get(queue, {})
        # A queue that would expire on a real broker ends with the process that declared it.
        owner = self.spool.owner if "x-expires" in arguments or arguments.get("auto_delete") else ""
        self.spool.bind(exchange, Binding(routing_key or "", pattern, queue, owner))

    def get_table(self, exchange: str) -> list[tuple[str, str | None, str]]:
        return [(row.routing_key, row.pattern, row.queue) for row in self.spool.bindings(exchange)]

    def queue_unbind(
        self, queue: str, exchange: str = "", routing_key: str = "", arguments: Any = None, **kwargs: Any
    ) -> None:
        self.state.binding_delete(queue, exchange, routing_key)
        self.spool.unbind(exchange, queue, routing_key)

    def _delete(self, queue: str, exchange: str, *meta: Any, **kwargs: Any) -> None:
        self.spool.unbind(exchange, queue)
        self.spool.drop_queue(queue)

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> None:
        if no_ack:
            self._without_ack.add(queue)
        super().basic_consume(queue, no_ack, *args, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> virtual.Message | None:
        message: virtual.Message | None = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if message is not None and no_ack:
            self.spool.acknowledge(message.delivery_tag)
        return message


class Transport(virtual.Transport):
    """Messages as files below an absolute folder of this machine. Not for folders shared over a network."""

    Channel = Channel
    driver_type = "filesystem"
    driver_name = "portalfs"
    polling_interval = POLLING_SECONDS
    implements = base.Transport.implements.extend(
        asynchronous=False, exchange_type=frozenset({"direct", "topic", "fanout"}), heartbeats=False
    )

    @property
    def folder(self) -> Path:
        """The folder of the address. Raises ValueError when it is not absolute."""
        client: Any = self.client
        if client.hostname not in (None, "", "localhost"):
            raise ValueError("CELERY_BROKER_URL: portalfs needs an absolute folder, portalfs:///the/folder")
        return Path("/" + (client.virtual_host or "").lstrip("/"))

    @property
    def default_connection_params(self) -> dict[str, Any]:
        # Without a host name, which kombu would otherwise miss aloud at every connection.
        return {"port": None, "hostname": None}

    def driver_version(self) -> str:
        return "1"
