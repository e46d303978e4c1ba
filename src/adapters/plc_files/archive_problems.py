"""What can be wrong with an archive: stable codes, one sentence for a person, and the remedy."""

from domain.told import Told, told


class ArchiveProblem(Exception):  # noqa: N818 - it is collected into findings, not reported as a failure of ours
    """One reason to refuse an archive. `entry` is the name of the entry that is meant, None for the whole file."""

    def __init__(self, code: str, message: Told, *, hint: Told, entry: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.entry = entry


_PACK_AGAIN = told("Pack the files into a new ZIP with Windows Explorer or 7-Zip and send that.")
_RENAME = told("Rename the file and pack it again.")


def corrupt(reason: Told, entry: str | None = None) -> ArchiveProblem:
    """The bytes contradict themselves."""
    what = told("the archive") if entry is None else told("entry {entry}", entry=shown(entry))
    message = told("{what} is damaged: {reason}", what=what, reason=reason)
    return ArchiveProblem("zip_corrupt", message, hint=_PACK_AGAIN, entry=entry)


def empty() -> ArchiveProblem:
    """Not one entry."""
    return ArchiveProblem("zip_empty", told("the archive holds no files"), hint=told("Put the ladder CSVs into it."))


def no_documents() -> ArchiveProblem:
    """Entries, but none that could be a ladder."""
    return ArchiveProblem(
        "zip_no_documents",
        told("the archive holds no ladder CSV"),
        hint=told("Export each program body with 'Write to CSV File' and pack those files."),
    )


def spanned() -> ArchiveProblem:
    """One part of several."""
    message = told("the archive is one part of several")
    return ArchiveProblem("zip_unsupported", message, hint=told("Pack it into one single ZIP."))


def encrypted(what: Told, entry: str | None = None) -> ArchiveProblem:
    """Needs a password."""
    message = told("{what} is protected by a password", what=what)
    return ArchiveProblem("zip_encrypted", message, hint=told("Pack it again without a password."), entry=entry)


def too_many_entries(count: int, most: int) -> ArchiveProblem:
    """More entries than the limit."""
    return ArchiveProblem(
        "zip_too_many_entries",
        told("the archive claims {count:,} entries, more than the limit of {most:,}", count=count, most=most),
        hint=told("Pack only the ladder CSVs that the template names."),
    )


def bomb(reason: Told, entry: str | None = None) -> ArchiveProblem:
    """Unpacks to more than the limit."""
    return ArchiveProblem(
        "zip_bomb", reason, hint=told("Pack only the ladder CSVs that the template names."), entry=entry
    )


def overlapping(entry: str) -> ArchiveProblem:
    """Two entries share bytes (Fifield 2019; CVE-2024-0450)."""
    message = told("entry {entry} shares its bytes with another entry", entry=shown(entry))
    return ArchiveProblem("zip_overlap", message, hint=_PACK_AGAIN, entry=entry)


def unsafe_path(entry: str, reason: Told) -> ArchiveProblem:
    """A name that could lead out of a folder or cannot be a file name everywhere."""
    message = told("entry {entry} has an unsafe name: {reason}", entry=shown(entry), reason=reason)
    return ArchiveProblem("zip_unsafe_path", message, hint=_RENAME, entry=entry)


def name_too_long(entry: str, reason: Told) -> ArchiveProblem:
    """A name or path beyond the limits."""
    message = told("entry {entry} {reason}", entry=shown(entry), reason=reason)
    return ArchiveProblem("zip_name_too_long", message, hint=told("Shorten it."), entry=entry)


def name_encoding(entry: str) -> ArchiveProblem:
    """A name that no known encoding explains."""
    return ArchiveProblem(
        "zip_name_encoding",
        told("entry {entry} has a name that is neither UTF-8 nor CP949", entry=shown(entry)),
        hint=_RENAME,
        entry=entry,
    )


def special_file(entry: str) -> ArchiveProblem:
    """A link, device or pipe."""
    return ArchiveProblem(
        "zip_special_file",
        told("entry {entry} is a link or a device, not a file", entry=shown(entry)),
        hint=told("Pack the file itself."),
        entry=entry,
    )


def method_unsupported(entry: str, method: int) -> ArchiveProblem:
    """Neither stored nor deflated."""
    return ArchiveProblem(
        "zip_method_unsupported",
        told(
            "entry {entry} is packed by method {method}; only 0 (stored) and 8 (deflate) are read",
            entry=shown(entry),
            method=method,
        ),
        hint=told("Pack it again with the method 'Deflate'."),
        entry=entry,
    )


def duplicate_name(entry: str, other: str) -> ArchiveProblem:
    """The same name twice, perhaps spelled otherwise."""
    return ArchiveProblem(
        "zip_duplicate_name",
        told("entry {entry} has the same name as entry {other}", entry=shown(entry), other=shown(other)),
        hint=told("Keep one of the two; upper and lower case do not make two names."),
        entry=entry,
    )


def path_conflict(entry: str, other: str) -> ArchiveProblem:
    """A file where another entry needs a folder."""
    return ArchiveProblem(
        "zip_path_conflict",
        told(
            "entry {entry} needs the folder {other}, which is a file in the same archive",
            entry=shown(entry),
            other=shown(other),
        ),
        hint=told("Rename one of the two."),
        entry=entry,
    )


def nested(entry: str) -> ArchiveProblem:
    """An archive inside the archive."""
    return ArchiveProblem(
        "zip_nested",
        told("entry {entry} is itself an archive", entry=shown(entry)),
        hint=told("Unpack it and pack its files directly."),
        entry=entry,
    )


def shown(name: str | None) -> str:
    """A hostile name as it may stand in a message: quoted, control characters escaped, at most 80 characters."""
    text = name or ""
    return ascii_safe(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")


_LONGEST_SHOWN = 80


def ascii_safe(text: str) -> str:
    """Quote a text and escape what a terminal or a log would act on; letters of all languages stay."""
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text) + "'"
