"""Dry run: the report of a registration, and nothing stored."""

from dataclasses import dataclass

from domain.ports.upload_reader import UploadReader
from domain.upload import InspectedUpload, Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateUpload:
    """Answers what RegisterProgram would find, valid or not."""

    reader: UploadReader

    async def __call__(self, upload: Upload) -> InspectedUpload:
        """Inspect the files; findings are the answer, not an error."""
        return await self.reader.inspect(upload)
