"""`ladderbase audit`: do the record, the blobs and the vectors agree, and have mended what does not."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import click

from application.audit_stores import AuditStores
from application.repair_drift import RepairDrift
from domain.drift import Drift
from entrypoints.cli.backstage import opened_stores, settings_of
from entrypoints.cli.data_dir import data_dir_option
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.printable import printable, printable_json
from entrypoints.settings import Settings

_DRIFTS_PER_REPAIR = 64


@click.command("audit")
@click.option("--repair", "repairs", is_flag=True, help="Have the workers mend what is found.")
@click.option("--deep", is_flag=True, help="Read every blob and compare its SHA-256.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for scripts.")
@data_dir_option
def command(*, repairs: bool, deep: bool, as_json: bool, data_dir: Path | None) -> None:
    """Compare the record with the blobs and the vectors, both ways, while the service is up.

    What is being indexed, uploaded or deleted right now is no drift. Repairs go through the outbox: workers do
    them, and what they cannot mend is told a second time. Exit code 1 when there is drift (with --repair: when
    some is left), 3 when something does not answer.
    """
    sys.exit(asyncio.run(_audit(settings_of(data_dir), repairs=repairs, deep=deep, as_json=as_json)))


async def _audit(settings: Settings, *, repairs: bool, deep: bool, as_json: bool) -> int:
    async with opened_stores(settings) as container:
        audit: AuditStores = container.audit_stores()
        repair: RepairDrift | None = container.repair_drift() if repairs else None
        found = await _told(audit(deep=deep), repair, state="found", as_json=as_json)
        if not repair or not found:
            return REFUSED if found else 0
        left = await _told(audit(deep=deep), None, state="left", as_json=as_json)
    return REFUSED if left else 0


async def _told(drifts: AsyncIterator[Drift], repair: RepairDrift | None, *, state: str, as_json: bool) -> int:
    """Tell each of them, have them repaired in batches, and sum up; how many there were."""
    counts: Counter[str] = Counter()
    batch: list[Drift] = []
    async for drift in drifts:
        click.echo(_as_json(drift, state) if as_json else printable(_in_words(drift, state)))
        counts[drift.kind] += 1
        if repair:
            batch.append(drift)
            if len(batch) == _DRIFTS_PER_REPAIR:
                await repair(batch)
                batch.clear()
    if repair and batch:
        await repair(batch)
    summary = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    click.echo(f"{state}: {summary or 'no drift'}", err=True)
    return counts.total()


def _as_json(drift: Drift, state: str) -> str:
    told = {
        "state": state,
        "kind": drift.kind,
        "pgm_id": drift.pgm_id,
        "document_id": drift.document and drift.document.document_id,
        "generation": drift.document and drift.document.generation,
        "ids": drift.ids,
        "count": drift.count,
        "meaning": drift.kind.meaning,
        "repair": drift.kind.remedy,
    }
    return printable_json(json.dumps(told, ensure_ascii=False))


def _in_words(drift: Drift, state: str) -> str:
    where = f"{drift.document.document_id} generation {drift.document.generation}" if drift.document else drift.pgm_id
    more = f", … ({drift.count} in all)" if drift.count > len(drift.ids) else ""
    shown = f" [{', '.join(drift.ids)}{more}]" if drift.ids else ""
    return f"{state}: {drift.kind} {where}: {drift.kind.meaning}{shown}; repair: {drift.kind.remedy}"
