"""How the processes log: one line per fact, to standard error, never a body or a secret.

Everybody logs through the standard library. structlog renders, and adds what is bound to the context of a line: the
request, the event, the program and the document that it is about.
"""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from structlog.contextvars import merge_contextvars
from structlog.processors import format_exc_info
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["console", "json"]
OWN = ("ladderbase", "domain", "application", "adapters", "entrypoints")
_WORD = re.compile(r"[A-Za-z0-9._:/{}-]+")
_QUIET = {
    **dict.fromkeys(("arq.worker", "alembic", "httpx"), logging.WARNING),
    "opentelemetry": logging.ERROR,  # which says of every batch that a collector did not take it
}
_FACT, _FIELDS = "fact", "fields"


def configure_logging(level: str, log_format: LogFormat = "console") -> None:
    """Set up the root logger once per process. Times are UTC, whatever the machine's own.

    DEBUG is for our own lines: those of libraries quote requests with their headers, which hold keys and tokens.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(log_format))
    logging.basicConfig(level=max(logging.getLevelName(level), logging.INFO), handlers=[handler])
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def log_fact(log: logging.Logger, level: int, fact: str, **fields: str | float) -> None:
    """One line of a fact and what it is about: for people as words, for programs as fields of one object."""
    if log.isEnabledFor(level):
        words = (f"{name}={value if isinstance(value, int) else quoted(str(value))}" for name, value in fields.items())
        log.log(level, "%s", " ".join((fact, *words)), extra={_FACT: fact, _FIELDS: fields})


def quoted(text: str) -> str:
    """A value that is one word of a line, whatever it holds; `-` where there is none."""
    if _WORD.fullmatch(text):
        return text
    return "".join(map(_printable, json.dumps(text, ensure_ascii=False))) if text else "-"


def _printable(character: str) -> str:
    """JSON leaves U+2028 and marks of direction as they are, which break or turn a line for whoever reads it."""
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _formatter(log_format: LogFormat) -> ProcessorFormatter:
    """No renderer of structlog's own: with `rich` at hand it shows the values of variables, secrets among them."""
    rendering: list[Processor] = [_as_object] if log_format == "json" else [_as_words]
    return ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            add_log_level,
            add_logger_name,
            _add_time,
        ],
        processors=[_add_fact, ProcessorFormatter.remove_processors_meta, format_exc_info, *rendering],
    )


def _add_time(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    logged = datetime.fromtimestamp(line["_record"].created, tz=UTC)
    line["timestamp"] = logged.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return line


def _add_fact(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    record = line["_record"]
    line[_FACT], line[_FIELDS] = getattr(record, _FACT, None), getattr(record, _FIELDS, {})
    return line


def _as_object(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    fact, fields = line.pop(_FACT), line.pop(_FIELDS)
    said = {"timestamp": line.pop("timestamp"), "level": line.pop("level"), "logger": line.pop("logger")}
    return json.dumps(
        {**said, "event": fact or line.pop("event"), **_rest(line, fields)}, ensure_ascii=False, default=str
    )


def _rest(line: EventDict, fields: Mapping[str, object]) -> dict[str, object]:
    return {**{name: value for name, value in line.items() if name != "event"}, **fields}


def _as_words(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    """What the line says by itself is not said again; a traceback follows on lines of its own."""
    fields, exception = line.pop(_FIELDS), line.pop("exception", "")
    line.pop(_FACT)
    words = [f"{line.pop('timestamp')} {line.pop('level').upper()} {line.pop('logger')}: {line.pop('event')}"]
    words += [f"{name}={quoted(str(value))}" for name, value in line.items() if name not in fields]
    return " ".join(words) + (f"\n{exception}" if exception else "")
