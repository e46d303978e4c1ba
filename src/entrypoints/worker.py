"""The worker process: relays the outbox, handles events over arq, and sweeps up what crashes and old requests left.

Ends with exit code 1 and one line when Redis is lost (arq cannot go on then): whoever runs it starts it again.
"""

import asyncio
import gc
import logging
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.exceptions import RedisError

from adapters.postgres.outbox_listener import OutboxListener
from adapters.queue.arq_dispatcher import HANDLE_EVENT
from adapters.queue.redis_pool import QUEUE_NAME, deserialize, opened_redis, serialize
from application.audit_by_turns import AuditByTurns
from application.handle_event import LONGEST_WORK, HandleEvent
from application.relay_outbox import WAIT_FOR_A_WORKER, RelayOutbox
from domain.errors import ConflictError, LadderbaseError, MisconfiguredError, UnavailableError
from domain.events import ClaimedEvent
from entrypoints.container import Container
from entrypoints.index_duty import IndexDuty
from entrypoints.lifespan import opened
from entrypoints.logs import configure_logging
from entrypoints.metrics_listener import listening
from entrypoints.observed import observe
from entrypoints.server_settings import require_lasting_queue, warn_of_settings
from entrypoints.settings import Settings, SettingsError, exit_on, read_settings
from entrypoints.telemetry import opened_telemetry
from entrypoints.webhook_duty import WebhookDuty

POLL_S = 1.0
HEALTH_EVERY_S = 5
# A job that a killed worker had begun stays in the queue for so long, and arq reads the oldest hundred alone. Left to
# its timeout, a hundred of them would stop the flow for ten minutes. Whoever is given a job that is still worked on
# leaves at once: its claim was exchanged. No failure to be logged, which is what arq does beyond so many deliveries.
BEGUN_JOBS_STAY_S = WAIT_FOR_A_WORKER.total_seconds()
_MOST_DELIVERIES = 1_000
_QUEUE_POLL_S = 0.03
# A cancellation that comes while redis looks for unread bytes, which it does before every command by `timeout(0)`, is
# taken for that timeout by Python 3.11: one in six was lost, and the worker had to be killed.
_CANCEL_AGAIN_S = 5.0
_STOP_POLLING_AGAIN_S = 0.1
_SWEEP_EVERY_S = 600.0
_AUDIT_LOOK_EVERY_S = 600.0
_LONGEST_PAUSE_S = 10.0
_log = logging.getLogger("ladderbase.worker")


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        exit_on(error)
    configure_logging(settings.log_level, settings.log_format)
    try:
        sys.exit(asyncio.run(_run(settings)))
    except MisconfiguredError as error:
        exit_on(error)


async def _run(settings: Settings) -> int:
    async with (
        opened_redis(settings.redis_url) as redis,
        opened_telemetry(settings, "worker") as telemetry,
        opened(settings, redis) as container,
        OutboxListener(settings.database_url) as listener,
    ):
        observe(container, telemetry)
        await warn_of_settings(container.readiness_checks())
        await require_lasting_queue(container.readiness_checks())
        gc.freeze()  # as in the API: nobody's heartbeat waits for what stays for good
        async with listening(settings.worker_metrics_host, settings.worker_metrics_port, container.exposition()):
            return await _until_one_ends(_duties(settings, container, redis, listener))


def _duties(
    settings: Settings, container: Container, redis: ArqRedis, listener: OutboxListener
) -> set["asyncio.Task[None]"]:
    index_duty = IndexDuty(
        keep_index=container.keep_index(),
        rebuild_index=container.rebuild_index(),
        follows_model=settings.index_follows_model,
    )
    return {
        asyncio.create_task(duty)
        for duty in (
            _until_signal(),
            index_duty(),
            _once(index_duty.may_work, _relay(container.relay_outbox(), listener)),
            _once(index_duty.may_work, _handle(container.handle_event(), redis, settings.worker_jobs)),
            WebhookDuty(deliveries=container.deliveries(), deliver=container.deliver_webhooks())(),
            _sweep(container.sweep_deliveries(), "forgot %d deliveries to webhooks"),
            _sweep(container.sweep_uploads(), "removed what %d crashed uploads left"),
            _sweep(container.sweep_history(), "forgot %d rows of history"),
            _sweep(container.sweep_idempotency_keys(), "forgot %d idempotency keys"),
            _sweep(container.record_lacking_uses(), "recorded what %d documents do to devices"),
            _once(index_duty.may_work, _audit(container.audit_by_turns())),
        )
    }


async def _until_one_ends(duties: set["asyncio.Task[None]"]) -> int:
    done, pending = await asyncio.wait(duties, return_when=asyncio.FIRST_COMPLETED)
    await _cancelled(pending, again_s=_CANCEL_AGAIN_S)
    errors = [error for duty in done if (error := duty.exception())]
    for error in errors:
        if isinstance(error, (RedisError, OSError, LadderbaseError)):
            _log.error("the worker stops: %s: %s", type(error).__name__, error)
        else:
            _log.error("the worker stops on a bug", exc_info=error)
    return 1 if errors else 0


async def _cancelled(tasks: "set[asyncio.Task[None]]", *, again_s: float) -> None:
    """End tasks, whatever they raise. One that has not ended after a while is cancelled again."""
    while tasks:
        for task in tasks:
            task.cancel()
        ended, tasks = await asyncio.wait(tasks, timeout=again_s)
        await asyncio.gather(*ended, return_exceptions=True)  # or Python would complain of what nobody looked at


async def _once(ready: asyncio.Event, duty: Coroutine[Any, Any, None]) -> None:
    try:
        await ready.wait()
    except asyncio.CancelledError:
        duty.close()  # or Python would complain that nobody ever awaited it
        raise
    await duty


async def _until_signal() -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    await stop.wait()
    _log.info("stopping: unfinished work is handed back")


async def _handle(handle_event: HandleEvent, redis: ArqRedis, jobs: int) -> None:
    """Retries are the outbox's alone: arq keeps no result, and repeats nothing but what a killed worker had begun."""

    async def handle(ctx: dict[Any, Any], *claim: Any, **_: Any) -> None:  # noqa: ARG001 - as arq calls it
        event_id, lease_token = claim
        await handle_event(ClaimedEvent(event_id=event_id, lease_token=lease_token))

    timeout_s = LONGEST_WORK.total_seconds() + 30
    worker = Worker(
        functions=[func(handle, name=HANDLE_EVENT, timeout=timeout_s, keep_result=0, max_tries=_MOST_DELIVERIES)],
        redis_pool=redis,
        queue_name=QUEUE_NAME,
        handle_signals=False,
        max_jobs=jobs,
        poll_delay=_QUEUE_POLL_S,
        retry_jobs=False,
        health_check_interval=HEALTH_EVERY_S,
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )
    worker.in_progress_timeout_s = BEGUN_JOBS_STAY_S
    polling = asyncio.create_task(worker.async_run())
    try:
        await asyncio.wait({polling})
        polling.result()
    finally:
        await _cancelled({polling}, again_s=_STOP_POLLING_AGAIN_S)
        await worker.close()


async def _relay(relay_outbox: RelayOutbox, listener: OutboxListener) -> None:
    """Woken by NOTIFY, with a poll behind it; an outage of Postgres or Redis is met with growing pauses."""
    pause_s = POLL_S
    while True:
        try:
            relayed = await relay_outbox()
        except UnavailableError as error:
            _log.warning("the relay waits %.1f s: %s", pause_s, error)
            await asyncio.sleep(pause_s * random.uniform(0.75, 1.0))  # noqa: S311 - jitter is no secret
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            continue
        pause_s = POLL_S
        if relayed <= 1:
            await listener.wait(POLL_S)


async def _sweep(sweep: Callable[[], Awaitable[int]], told: str) -> None:
    while True:
        try:
            if swept := await sweep():
                _log.info(told, swept)
        except (UnavailableError, MisconfiguredError) as error:
            _log.warning("the sweep is put off: %s", error)
        await asyncio.sleep(_SWEEP_EVERY_S)


async def _audit(audit_by_turns: AuditByTurns) -> None:
    """Not at once: whoever starts has events to handle first."""
    while True:
        await asyncio.sleep(_AUDIT_LOOK_EVERY_S)
        try:
            counts = await audit_by_turns()
        except (UnavailableError, MisconfiguredError, ConflictError) as error:
            _log.warning("the audit is put off: %s", error)
            continue
        if counts:
            found = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
            _log.error("the stores do not agree: %s; `ladderbase audit` tells more", found)
        elif counts is not None:
            _log.info("the stores agree")


if __name__ == "__main__":
    main()
