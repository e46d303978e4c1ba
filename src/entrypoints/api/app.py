"""The HTTP API, built from a container: with the real adapters in production, with fakes in tests."""

from litestar import Litestar
from litestar.exceptions import HTTPException

from entrypoints.api import (
    contexts,
    devices,
    documents,
    event_streams,
    further_documents,
    health,
    operations,
    program_changes,
    program_export,
    program_reads,
    programs,
    search,
    statistics,
    webhooks,
)
from entrypoints.api.access import guard_from
from entrypoints.api.access_log import access_logged
from entrypoints.api.admission import admission_from, held_until_answered
from entrypoints.api.contexts import context_dependencies_from
from entrypoints.api.cors import cors_config, refused_preflights_told
from entrypoints.api.dependencies import dependencies_from
from entrypoints.api.devices import device_dependencies_from
from entrypoints.api.heads import heads_answered
from entrypoints.api.methods import tell_methods
from entrypoints.api.metrics import metrics_handler
from entrypoints.api.observation import observed_requests
from entrypoints.api.openapi import openapi_config
from entrypoints.api.operation_dependencies import operation_dependencies_from
from entrypoints.api.problems import answer_error
from entrypoints.api.security_log import note_action
from entrypoints.api.strict_json import MAX_JSON_BYTES
from entrypoints.build import product_version
from entrypoints.container import Container


def create_app(container: Container) -> Litestar:
    """Build the application; whoever opened what the container holds closes it afterwards."""
    app = Litestar(
        route_handlers=[
            *programs.HANDLERS,
            *program_reads.HANDLERS,
            *program_changes.HANDLERS,
            *program_export.HANDLERS,
            *documents.HANDLERS,
            *further_documents.HANDLERS,
            *event_streams.HANDLERS,
            *search.HANDLERS,
            *statistics.HANDLERS,
            *devices.HANDLERS,
            *contexts.HANDLERS,
            *operations.HANDLERS,
            *webhooks.HANDLERS,
            *health.HANDLERS,
            metrics_handler(is_open=container.metrics_are_open()),
        ],
        dependencies={
            **dependencies_from(container),
            **device_dependencies_from(container),
            **context_dependencies_from(container),
            **operation_dependencies_from(container),
            **webhooks.webhook_dependencies_from(container),
        },
        guards=[guard_from(container), admission_from(container)],
        before_send=[note_action, tell_methods],
        cors_config=cors_config(container.cors_origins()),
        exception_handlers={HTTPException: answer_error, Exception: answer_error},
        logging_config=None,
        openapi_config=openapi_config(product_version()),
        request_max_body_size=MAX_JSON_BYTES,
    )
    # Around everything: unknown paths get an id, a line and a count too.
    held = held_until_answered(heads_answered(refused_preflights_told(app.asgi_handler)))
    app.asgi_handler = access_logged(observed_requests(held, container.telemetry()))
    return app
