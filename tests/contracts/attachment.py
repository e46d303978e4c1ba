"""What every attachment promises: chunks that stay what they are, and a way from the form to the search."""

import pickle
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from adapters.plc_files.upload_jobs import check_attachment
from builders.service import Service, a_service
from domain.attachments.attachment import Attachment
from domain.attachments.registry import ATTACHMENTS
from domain.comments import DeviceComments
from domain.document import DocumentState, DocumentType
from domain.upload import SpooledFile
from entrypoints.api.app import create_app

Client = AsyncTestClient[Litestar]


class AttachmentContract:
    """`good` is a file of this type, `query` what its first chunk is found by, `broken` a file that is none."""

    document_type: DocumentType
    good: bytes
    query: str
    broken: bytes

    @pytest.fixture
    def attachment(self) -> Attachment:
        return ATTACHMENTS[self.document_type]

    @pytest.fixture
    async def service(self, tmp_path: Path) -> Service:
        (tmp_path / "scratch").mkdir()
        return await a_service(tmp_path, scratch=tmp_path / "scratch")

    @pytest.fixture
    async def client(self, service: Service) -> AsyncIterator[Client]:
        async with AsyncTestClient(create_app(service.container)) as client:
            yield client

    def test_the_same_bytes_give_the_same_chunks_numbered_from_0(self, attachment: Attachment) -> None:
        chunks = attachment.chunks(self.good, DeviceComments())
        assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
        assert all(chunk.dense_text.strip() for chunk in chunks)
        assert chunks
        assert attachment.chunks(self.good, DeviceComments()) == chunks

    def test_it_can_be_sent_to_a_child_process(self, attachment: Attachment) -> None:
        assert pickle.loads(pickle.dumps(attachment)) == attachment  # noqa: S301 - our own

    def test_its_field_is_its_own(self, attachment: Attachment) -> None:
        taken = {"pgm_ladder_zip_file", "pgm_template_file", "pgm_comment_file"}
        fields = [one.field for one in ATTACHMENTS.values()]
        assert attachment.field not in taken
        assert len(set(fields)) == len(fields)
        assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in attachment.suffixes)

    def test_a_file_that_is_none_is_a_finding(self, attachment: Attachment, tmp_path: Path) -> None:
        good = self._spooled(tmp_path, "a" + attachment.suffixes[0], self.good)
        assert check_attachment(good, attachment) is None
        broken = check_attachment(self._spooled(tmp_path, "b" + attachment.suffixes[0], self.broken), attachment)
        assert broken is not None
        assert broken.section == "attachment"
        other = check_attachment(self._spooled(tmp_path, "c.other", self.good), attachment)
        assert other is not None
        assert other.code == "type_unsupported"

    async def test_what_is_uploaded_is_a_document_and_is_found(
        self, client: Client, service: Service, attachment: Attachment
    ) -> None:
        answer = await self._sent(client, service, attachment, self.good)
        assert answer.status_code == 201, answer.text
        (document,) = [one for one in answer.json()["documents"] if one["document_type"] == self.document_type]
        content = await client.get(f"{document['href']}/content")
        assert content.content == self.good
        await service.work()
        assert service.states[document["document_name"]] is DocumentState.INDEXED
        question = {"query": self.query, "document_type": self.document_type, "limit": 1}
        (hit,) = (await client.post("/v1/search", json=question)).json()["hits"]
        assert hit["document_name"] == document["document_name"]

    async def test_an_upload_may_do_without_it(self, client: Client, service: Service, attachment: Attachment) -> None:
        answer = await self._sent(client, service, attachment, None)
        assert answer.status_code == 201, answer.text

    async def test_more_bytes_than_allowed_are_refused(
        self, client: Client, service: Service, attachment: Attachment
    ) -> None:
        answer = await self._sent(client, service, attachment, bytes(attachment.largest_bytes + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    async def test_the_form_in_the_openapi_document_names_it(self, client: Client, attachment: Attachment) -> None:
        paths = (await client.get("/schema/openapi.json")).json()["paths"]
        form = paths["/v1/programs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["properties"][attachment.field]["description"] == attachment.description

    @staticmethod
    async def _sent(client: Client, service: Service, attachment: Attachment, content: bytes | None) -> Response:
        ladders = service.upload.ladder_zip.path.read_bytes()
        files = {"pgm_ladder_zip_file": ("ladder.zip", ladders), "pgm_template_file": ("template.xlsx", b"xlsx")}
        if content is not None:
            files[attachment.field] = (f"attached{attachment.suffixes[0]}", content)
        return await client.post("/v1/programs", data={"pgm_name": "셀", "create_user": "kim"}, files=files)

    @staticmethod
    def _spooled(folder: Path, name: str, content: bytes) -> SpooledFile:
        path = folder / name
        path.write_bytes(content)
        return SpooledFile(name=name, path=path, size_bytes=len(content))
