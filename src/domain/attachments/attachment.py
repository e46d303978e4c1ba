"""What is known of a kind of file that may come with a program."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.chunk import Chunk
from domain.comments import DeviceComments


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that an upload may bring besides its ladders, its template and its comments.

    It comes in the form's `field` under a name that ends with one of `suffixes`, is kept as a document, and is found
    by its `chunks`: a module-level function of the file's bytes and the program's device comments, which numbers them
    from 0 and makes the same of the same bytes. It runs in a child process with limits, when the upload is checked
    (without comments) and when it is indexed. It raises TableError for what is no such file: the upload is refused.
    """

    field: str
    description: str
    suffixes: tuple[str, ...]
    largest_bytes: int
    chunks: Callable[[bytes, DeviceComments], tuple[Chunk, ...]]
