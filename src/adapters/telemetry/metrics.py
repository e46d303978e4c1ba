"""What is counted and timed, in Prometheus' terms. Every label has few values, and none is anybody's content."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_CALLS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_JOBS_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class Figure(Gauge):
    """A gauge without labels that is left out until it is set, and again once it is cleared."""

    _is_known = False

    def set(self, value: float) -> None:
        """Show this value from now on."""
        super().set(value)
        self._is_known = True

    def clear(self) -> None:
        """Show nothing."""
        self._is_known = False

    def collect(self) -> Iterable[Metric]:
        """The one sample, if it is known."""
        return super().collect() if self._is_known else []


class Metrics:
    """The instruments of one process, in a registry of their own: tests hold many side by side."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._add_those_of_requests()
        self._add_those_of_work()
        self._add_those_of_dependencies()
        self._add_those_of_the_record()

    def watch_process(self) -> None:
        """Memory, CPU time, open files and garbage of the process as well: once, for there is one process."""
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def _add_those_of_requests(self) -> None:
        self.request_seconds = Histogram(
            "ladderbase_http_request_seconds",
            "Requests, and the seconds until their answers began",
            ("method", "route", "status"),
            buckets=_CALLS_S,
            registry=self.registry,
        )
        self.requests_in_progress = Gauge(
            "ladderbase_http_requests_in_progress", "Requests that are being answered", registry=self.registry
        )
        self.uploads = Counter(
            "ladderbase_uploads", "Uploads and what came of them", ("operation", "result"), registry=self.registry
        )
        self.findings = Counter(
            "ladderbase_findings", "Findings in uploaded files", ("code", "severity"), registry=self.registry
        )

    def _add_those_of_work(self) -> None:
        self.jobs = Counter(
            "ladderbase_jobs",
            "Events that were worked on, and how that ended",
            ("kind", "result"),
            registry=self.registry,
        )
        self.job_seconds = Histogram(
            "ladderbase_job_seconds",
            "Seconds of work on one event",
            ("kind",),
            buckets=_JOBS_S,
            registry=self.registry,
        )
        self.lease_rescues = Counter(
            "ladderbase_lease_rescues",
            "Events taken from a holder whose lease had run out: a worker that died, or a queue that forgot",
            registry=self.registry,
        )

    def _add_those_of_dependencies(self) -> None:
        self.embedding_seconds = Histogram(
            "ladderbase_embedding_seconds",
            "Calls of the embedder",
            ("purpose", "result"),
            buckets=_CALLS_S,
            registry=self.registry,
        )
        self.embedded_texts = Counter(
            "ladderbase_embedded_texts", "Texts that the embedder was given", ("purpose",), registry=self.registry
        )
        self.milvus_seconds = Histogram(
            "ladderbase_milvus_seconds",
            "Calls of Milvus",
            ("operation", "result"),
            buckets=_CALLS_S,
            registry=self.registry,
        )
        self.blob_store_seconds = Histogram(
            "ladderbase_blob_store_seconds",
            "Calls of the blob store",
            ("operation", "result"),
            buckets=_CALLS_S,
            registry=self.registry,
        )

    def _add_those_of_the_record(self) -> None:
        self.record_up = Gauge(
            "ladderbase_record_up",
            "Whether the figures of the outbox and of the last audit could be read, 1 or 0",
            registry=self.registry,
        )
        self.outbox_events = Gauge(
            "ladderbase_outbox_events", "Events that are not done", ("kind", "state"), registry=self.registry
        )
        self.outbox_oldest_seconds = Gauge(
            "ladderbase_outbox_oldest_age_seconds",
            "How long the oldest event waits that is neither done nor dead",
            ("kind",),
            registry=self.registry,
        )
        self.drift = Gauge("ladderbase_drift", "What the last audit found", ("kind",), registry=self.registry)
        self.audit_age_seconds = Figure(
            "ladderbase_audit_age_seconds", "Seconds since the last audit ended", registry=self.registry
        )
        self.webhook_deliveries = Gauge(
            "ladderbase_webhook_deliveries",
            "Deliveries to webhooks that are not done",
            ("state",),
            registry=self.registry,
        )
        self.build = Gauge("ladderbase_build_info", "What runs here", ("version", "commit"), registry=self.registry)
