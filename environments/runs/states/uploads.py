"""An uploaded state stays in memory: a temporary file would leave its secrets in clear on the disk."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.core.errors import GatehouseError


class TooLarge(GatehouseError):
    """The upload is larger than a state may be."""

    status = 413
    default_code = "too-large"


class InMemory(FileUploadHandler):
    """Keeps one file of at most STATE_MAX_BYTES; a larger one ends the upload."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._kept = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._kept = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.STATE_MAX_BYTES:
            self._kept = BytesIO()
            raise StopUpload(connection_reset=True)
        self._kept.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._kept.seek(0)
        return InMemoryUploadedFile(
            self._kept,
            self.field_name,
            self.file_name or "upload",
            self.content_type,
            file_size,
            self.charset,
        )


def keep_in_memory(request: HttpRequest) -> None:
    """Call before anything reads the body, the check of the CSRF token included. Raises TooLarge."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.STATE_MAX_BYTES + 64 * 1024:
        raise TooLarge(
            _("The file is larger than the %(n)s MB a state may have here.")
            % {"n": settings.STATE_MAX_BYTES // 1024**2}
        )
    request.upload_handlers = [InMemory(request)]
