"""An uploaded build, read as far as it may be long and no further."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.core.errors import GatehouseError

# Beside the file: the other fields, and what separates them.
ROOM: Final = 64 * 1024


class TooLarge(GatehouseError):
    """The upload is larger than a build may be."""

    status = 413
    default_code = "too-large"


class Limited(FileUploadHandler):
    """Keeps one file of at most FRONT_END_MAX_BYTES; a larger one ends the upload."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._kept = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._kept = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.FRONT_END_MAX_BYTES:
            self._kept = BytesIO()
            raise StopUpload(connection_reset=True)
        self._kept.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._kept.seek(0)
        name = self.file_name or "upload"
        return InMemoryUploadedFile(
            self._kept, self.field_name, name, self.content_type, file_size, self.charset
        )


def limit(request: HttpRequest) -> None:
    """Call before anything reads the body, the check of the CSRF token included. Raises TooLarge."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.FRONT_END_MAX_BYTES + ROOM:
        raise TooLarge(
            _("The file is larger than the %(n)s MB a build may have here.")
            % {"n": settings.FRONT_END_MAX_BYTES // 1024**2}
        )
    request.upload_handlers = [Limited(request)]
