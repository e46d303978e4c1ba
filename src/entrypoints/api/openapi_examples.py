"""An example for each operation: a program on its way through the service. A test holds them to the schemas."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from application.check_readiness import WaitsBecause
from application.delete_programs import Deletion
from application.retry_documents import Include
from domain.context import Why
from domain.device_review import Suspicion
from domain.document import DocumentState, DocumentType
from domain.failures import Stage
from domain.findings import Severity
from domain.ladder.roles import Role
from domain.ports.operations import WaitsFor
from domain.program import ProgramStatus
from domain.search import Lane, SearchMode
from domain.webhook import EventKind
from entrypoints.api import context_schemas as contexts
from entrypoints.api import device_schemas as devices
from entrypoints.api import operation_schemas as operating
from entrypoints.api import schemas
from entrypoints.api import webhook_schemas as hooks
from entrypoints.api.codes import FAILURES
from entrypoints.api.codes import REQUESTS as CODES

_CREATED = datetime(2026, 11, 2, 8, 30, 15, tzinfo=UTC)
_UPDATED = datetime(2026, 11, 2, 8, 31, 2, tzinfo=UTC)
_PGM, _DOCUMENT = "PGM_12", "PGM_12-r1-0003"
_RUNG = f"{_DOCUMENT}.g1.14"
_HREF = f"/v1/programs/{_PGM}/indexing"

_PROGRAM: dict[str, Any] = {
    "pgm_id": _PGM,
    "pgm_name": "도장 라인 3호기",
    "pgm_version": "1.2",
    "description": "搬送コンベア",
    "notes": "",
    "create_user": "kim",
    "revision": 1,
    "create_dt": _CREATED,
    "update_dt": _UPDATED,
    "document_count": 4,
    "pending": None,
}
_LADDER = schemas.DocumentBody(
    document_id=_DOCUMENT,
    pgm_id=_PGM,
    document_type=DocumentType.LADDER_CSV,
    document_name="0000_11.csv",
    logic_id="0000_11",
    logic_name="컨베이어 정지",
    folder_id="F01",
    folder_name="이송부",
    sub_folder_name="",
    state=DocumentState.INDEXED,
    encoding="utf-16-le",
    delimiter="tab",
    tool="GX Works3",
    cpu="RCPU R08",
    row_count=640,
    rung_count=52,
    chunk_count=52,
    size_bytes=41_208,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    upload_path=f"programs/{_PGM}/r1/ladder_files/0000_11.csv",
    href=f"/v1/documents/{_DOCUMENT}",
    create_dt=_CREATED,
    indexed_dt=_UPDATED,
    failure=None,
    title="",
    description="",
)
_FURTHER = schemas.DocumentBody(
    document_id=f"{_PGM}-r0-0001",
    pgm_id=_PGM,
    document_type=DocumentType.FURTHER,
    document_name="pump.xlsx",
    logic_id="",
    logic_name="",
    folder_id="",
    folder_name="",
    sub_folder_name="",
    state=DocumentState.PENDING,
    encoding=None,
    delimiter=None,
    tool=None,
    cpu=None,
    row_count=None,
    rung_count=None,
    chunk_count=0,
    size_bytes=18_310,
    sha256="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    upload_path=f"programs/{_PGM}/d1/document.xlsx",
    href=f"/v1/documents/{_PGM}-r0-0001",
    create_dt=_CREATED,
    indexed_dt=None,
    failure=None,
    title="펌프 사양서",
    description="",
)
_NOTICE = schemas.FindingBody(
    section="ladder_zip",
    code="junk_ignored",
    message="1 files of the operating system are ignored, such as 'Thumbs.db'",
    hint="Nothing needs to be done.",
    severity=Severity.NOTICE,
    file="ladder.zip",
)
_REPORT: dict[str, Any] = {
    "valid": True,
    "logic_count": 1,
    "ladder_count": 1,
    "comment_count": 240,
    "findings": (_NOTICE,),
}
_INDEXED = schemas.IndexingLink(status=ProgramStatus.INDEXED, href=_HREF)
_BODY = schemas.ProgramBody(**_PROGRAM, indexing=_INDEXED)
_REGISTERED = schemas.RegisteredBody(
    **_PROGRAM,
    indexing=schemas.IndexingLink(status=ProgramStatus.INDEXING, href=_HREF),
    documents=(_LADDER,),
    report=schemas.ReportBody(**_REPORT),
    milvus_processing="background",
)
_FAILURE = operating.FailedAttemptBody(
    documents=(operating.DocumentRefBody(document_id=_DOCUMENT, generation=1),),
    event_id=311,
    attempt=2,
    stage=Stage.EMBED,
    code="unavailable",
    title=FAILURES["unavailable"],
    message="embedding server is unavailable: connection refused",
    final=False,
    failed_dt=_UPDATED,
)
_TOTALS = schemas.DocumentTotalsBody(documents=645_000, chunks=33_540_000, size_bytes=26_579_160_000)

_WEBHOOK: dict[str, Any] = {
    "webhook_id": "wh_5f0c3a9b7d21",
    "url": "https://mes.example.com/ladderbase",
    "kinds": (EventKind.INDEXED, EventKind.FAILED),
    "enabled": True,
    "reason": "",
    "create_dt": _CREATED,
}
_SECRET = hooks.WebhookSecretBody(**_WEBHOOK, secret="whsec_" + "A" * 43 + "=")

REQUESTS: Mapping[str, Struct] = {
    "gather_context": contexts.ContextRequest(query="컨베이어가 왜 멈추나", pgm_id=_PGM),
    "add_webhook": hooks.WebhookRequest(url="https://mes.example.com/ladderbase", kinds=(EventKind.INDEXED,)),
    "change_webhook": hooks.WebhookChange(enabled=False),
    "search_rungs": schemas.SearchRequest(
        query="컨베이어 비상 정지 M1234", pgm_id=_PGM, mode=SearchMode.HYBRID, limit=5
    ),
    "amend_program": schemas.AmendRequest(pgm_version="1.3", notes="광전 센서 교체"),
    "delete_programs": schemas.DeleteProgramsRequest(pgm_ids=(_PGM, "PGM_13")),
    "retry_program": operating.RetryRequest(include=Include.FAILED),
    "retry_everywhere": operating.RetryEverywhereRequest(include="failed"),
}
"""By operation."""

ANSWERS: Mapping[tuple[str, str], Struct] = {
    ("register_program", "201"): _REGISTERED,
    ("replace_files", "201"): _REGISTERED,
    ("replace_files", "200"): schemas.DeduplicatedBody(**_PROGRAM, indexing=_INDEXED),
    ("validate_upload", "200"): schemas.ValidationBody(
        **_REPORT,
        ladders=(
            schemas.LadderBody(
                document_name="0000_11.csv",
                logic_id="0000_11",
                encoding="utf-16-le",
                delimiter="tab",
                tool="GX Works3",
                cpu="RCPU R08",
                row_count=640,
                rung_count=52,
                size_bytes=41_208,
                sha256=_LADDER.sha256,
            ),
        ),
    ),
    ("list_programs", "200"): schemas.ProgramPage(items=(_BODY,), next="cHJvZ3JhbXM6MTIK", total=31),
    ("get_program", "200"): _BODY,
    ("amend_program", "200"): _BODY,
    ("list_documents", "200"): schemas.DocumentPage(items=(_LADDER,), next=None),
    ("get_document", "200"): _LADDER,
    ("add_document", "201"): _FURTHER,
    ("get_template", "200"): schemas.TemplateBody(
        pgm_id=_PGM,
        logic_count=1,
        folders=(
            schemas.FolderBody(
                folder_id="F01",
                folder_name="이송부",
                sub_folders=(
                    schemas.SubFolderBody(
                        sub_folder_name="",
                        logics=(schemas.LogicBody(logic_id="0000_11", logic_name="컨베이어 정지", row=2),),
                    ),
                ),
            ),
        ),
    ),
    ("get_indexing", "200"): schemas.IndexingBody(
        pgm_id=_PGM,
        revision=1,
        answering=1,
        status=ProgramStatus.INDEXING,
        counts={**dict.fromkeys(DocumentState, 0), DocumentState.INDEXED: 2, DocumentState.PENDING: 2},
        total=4,
        done=2,
        errors=(),
    ),
    ("delete_programs", "200"): schemas.DeletionsBody(
        items=(
            schemas.DeletionBody(pgm_id=_PGM, result=Deletion.DELETED),
            schemas.DeletionBody(pgm_id="PGM_13", result=Deletion.ABSENT),
        ),
        deleted=1,
    ),
    ("get_statistics", "200"): schemas.StatisticsBody(
        as_of_dt=_UPDATED,
        programs={ProgramStatus.INDEXING: 1, ProgramStatus.INDEXED: 998, ProgramStatus.FAILED: 1},
        documents={
            **dict.fromkeys(DocumentState, schemas.DocumentTotalsBody(documents=0, chunks=0, size_bytes=0)),
            DocumentState.INDEXED: _TOTALS,
        },
        total_programs=1_000,
        total=_TOTALS,
        oldest=schemas.OldestWaitingBody(pgm_id=_PGM, document_id=_DOCUMENT, age_s=4.2),
    ),
    ("search_rungs", "200"): schemas.SearchBody(
        hits=(
            schemas.HitBody(
                rung_id=_RUNG,
                pgm_id=_PGM,
                document_id=_DOCUMENT,
                document_name="0000_11.csv",
                document_type=DocumentType.LADDER_CSV,
                logic_id="0000_11",
                logic_name="컨베이어 정지",
                folder_id="F01",
                folder_name="이송부",
                sub_folder_name="",
                first_step=120,
                last_step=127,
                title="컨베이어 비상 정지",
                ladder="LD X0\nANI M1234\nOUT Y10",
                devices=(schemas.DeviceBody(device="M1234", comment="컨베이어 비상 정지"),),
                score=0.83,
                lanes=(Lane.DENSE, Lane.LEXICAL),
            ),
        ),
        took_ms=18.4,
        lanes=(Lane.DENSE, Lane.LEXICAL),
        index=schemas.IndexBody(model="embedded", dimension=512, rendering_version=2),
        notices=(),
    ),
    ("list_devices", "200"): devices.DevicePage(
        pgm_id=_PGM,
        complete=True,
        items=(
            devices.UsedDeviceBody(
                device="M1234", kind="M", comment="컨베이어 비상 정지", counts={Role.READ: 3, Role.WRITE: 1}
            ),
        ),
        next=None,
    ),
    ("list_uses", "200"): devices.UsePage(
        device="M1234",
        complete=True,
        items=(
            devices.UseBody(
                role=Role.READ,
                instruction="ANI",
                operand="M1234",
                first_device="M1234",
                last_device="M1234",
                open_ended=False,
                shifted=False,
                step=121,
                rung_id=_RUNG,
                pgm_id=_PGM,
                document_id=_DOCUMENT,
                document_name="0000_11.csv",
                logic_id="0000_11",
                logic_name="컨베이어 정지",
                folder_id="F01",
                folder_name="이송부",
                sub_folder_name="",
                comment="컨베이어 비상 정지",
            ),
        ),
        next=None,
    ),
    ("get_warnings", "200"): devices.WarningsBody(
        pgm_id=_PGM,
        complete=True,
        counts={**dict.fromkeys(Suspicion, 0), Suspicion.COIL_DOUBLE: 1},
        findings=(
            schemas.FindingBody(
                section="ladder_csv",
                code=Suspicion.COIL_DOUBLE.value,
                message="Y10 is the coil of 2 rungs",
                hint="Join their conditions in one rung.",
                severity=Severity.NOTICE,
                file="0000_11.csv",
            ),
        ),
    ),
    ("add_webhook", "201"): _SECRET,
    ("rotate_webhook_secret", "200"): _SECRET,
    ("change_webhook", "200"): hooks.WebhookBody(**_WEBHOOK),
    ("list_webhooks", "200"): hooks.WebhookList(items=(hooks.WebhookBody(**_WEBHOOK),)),
    ("gather_context", "200"): contexts.ContextBody(
        budget_tokens=4_000,
        tokens=33,
        pieces=(
            contexts.PieceBody(
                rung_id=_RUNG,
                why=Why.HIT,
                of=None,
                device=None,
                pgm_id=_PGM,
                document_id=_DOCUMENT,
                citation="컨베이어 정지, 0000_11.csv, steps 120-126",
                text="컨베이어 정지, 0000_11.csv, steps 120-126\nLD X10\nOUT M1234",
                cut=False,
                tokens=33,
            ),
        ),
    ),
    ("get_rung", "200"): contexts.RungBody(
        rung_id=_RUNG,
        pgm_id=_PGM,
        document_id=_DOCUMENT,
        document_name="0000_11.csv",
        document_type=DocumentType.LADDER_CSV,
        logic_id="0000_11",
        logic_name="컨베이어 정지",
        folder_id="F01",
        folder_name="이송부",
        sub_folder_name="",
        first_step=120,
        last_step=126,
        title="비상 정지",
        ladder="LD X10\nOUT M1234",
        devices=(schemas.DeviceBody(device="M1234", comment="컨베이어 비상 정지"),),
        neighbours=(f"{_DOCUMENT}.g1.13", f"{_DOCUMENT}.g1.15"),
    ),
    ("list_failures", "200"): operating.FailurePage(items=(_FAILURE,), next=None),
    ("retry_program", "202"): operating.RetriedBody(pgm_id=_PGM, document_count=1, href=_HREF),
    ("retry_everywhere", "202"): operating.RetriedPage(document_count=7, event_count=0, next=None),
    ("get_operations", "200"): operating.OperationsBody(
        as_of_dt=_UPDATED,
        documents={**dict.fromkeys(DocumentState, 0), DocumentState.INDEXED: 644, DocumentState.PENDING: 1},
        oldest=operating.WaitingDocumentBody(
            pgm_id=_PGM,
            document_id=_DOCUMENT,
            document_name="0000_11.csv",
            state=DocumentState.PENDING,
            age_s=47.0,
            waits_for=WaitsFor.NEXT_ATTEMPT,
            attempts=2,
            next_attempt_dt=_UPDATED,
            last_failure=operating.LastFailureBody(
                stage=Stage.EMBED, code="unavailable", message=_FAILURE.message, failed_dt=_UPDATED
            ),
        ),
        outbox=operating.OutboxBody(pending=1, due=0, leased=0, dead=0, oldest_age_s=47.0),
        indexes=(
            operating.IndexStandingBody(
                model="embedded",
                dimension=512,
                rendering_version=2,
                current=True,
                complete=True,
                building=False,
                held=644,
                total=644,
            ),
        ),
        uploads=0,
        webhooks=operating.WebhooksStandingBody(pending=0, dead=0, disabled=0),
        dependencies=(),
    ),
    ("health", "200"): schemas.HealthBody(),
    ("readiness", "200"): schemas.ReadinessBody(status="ready"),
    ("readiness", "503"): schemas.ReadinessBody(
        status="waiting", waiting_for=(schemas.WaitingBody(dependency="milvus", reason=WaitsBecause.UNAVAILABLE),)
    ),
    ("version", "200"): schemas.VersionBody(
        name="ladderbase", version="0.1.0", commit="25abe5e5c7e9", migration="0012"
    ),
}
"""By operation and status."""

_CODE_OF_STATUS = {"409": "conflict", "422": "fields_invalid", "503": "unavailable"}


def _problem(code: str) -> schemas.ProblemBody:
    status, title = CODES[code]
    return schemas.ProblemBody(
        type=f"urn:ladderbase:problem:{code}",
        title=title,
        status=status,
        detail=title.partition(":")[0],
        code=code,
        request_id="b0a3f3a0c7d94b1e8a55",
    )


PROBLEMS: Mapping[str, Struct] = {
    status: _problem(_CODE_OF_STATUS.get(status, next(code for code, (of, _) in CODES.items() if str(of) == status)))
    for status in sorted({str(status) for status, _ in CODES.values()})
}
"""By status."""
