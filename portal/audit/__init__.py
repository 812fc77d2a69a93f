"""The append-only, hash-chained log of who did what.

Every act calls `record` in its own transaction; a refused act calls `record_refusal` after its own
transaction is over. No pages live here: people and tenants are known as id and text only.
"""

from portal.audit.names import Actor, Target, TenantRef
from portal.audit.recording import record, record_refusal

__all__ = ["Actor", "Target", "TenantRef", "record", "record_refusal"]
