"""The attachments by the type that their documents have. A new one is a module and a line here."""

from collections.abc import Mapping

from domain.attachments.attachment import Attachment
from domain.document import DocumentType

ATTACHMENTS: Mapping[DocumentType, Attachment] = {}
