"""How the identifiers and the paging in addresses are written."""

from typing import Annotated

from litestar.params import PathParameter, QueryParameter

from entrypoints.api.schemas import MAX_PAGE, PGM_ID_PATTERN

PgmId = Annotated[str, PathParameter(pattern=PGM_ID_PATTERN, description="As the upload was answered.")]
DOCUMENT_ID_PATTERN = r"^PGM_[0-9]{1,18}-r[0-9]{1,9}-[0-9]{4,9}$"
DocumentId = Annotated[str, PathParameter(pattern=DOCUMENT_ID_PATTERN, description="As a listing names it.")]
OfDocument = Annotated[
    str | None, QueryParameter(pattern=DOCUMENT_ID_PATTERN, description="Only what concerns this document.")
]
PageSize = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many items a page holds at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=2_500, description="`next` of the page before.")]
Revision = Annotated[
    int | None, QueryParameter(ge=1, le=999_999_999, description="The latest, while an older one still answers.")
]
