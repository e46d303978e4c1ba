"""What reads the files of an upload."""

from typing import Protocol

from domain.upload import InspectedUpload, Upload


class UploadReader(Protocol):
    """Reads hostile files: never trusts a name, a size or a count that it did not check."""

    async def inspect(self, upload: Upload) -> InspectedUpload:
        """Read all files and collect every finding of every section; nothing is stored.

        A file that cannot be read is a finding, not an error. Raises UnavailableError when the reader
        itself cannot work now.
        """
        ...
