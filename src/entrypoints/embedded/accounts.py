"""Which account a program runs as that refuses to run as root."""

import os
import pwd
from pathlib import Path

from entrypoints.embedded.component import Account, StartError

_CANDIDATES = ("postgres", "nobody")


def account_for(folder: Path, *, program: Path) -> Account | None:
    """None for an ordinary user; for root the account that owns `folder` already, else an existing one.

    It must be in the account database, where initdb looks its name up.
    """
    if os.geteuid() != 0:
        return None
    entry = _owner(folder) or next(filter(None, map(_named, _CANDIDATES)), None)
    if entry is None:
        raise StartError(
            f"postgres refuses to run as root, and there is no account {' or '.join(_CANDIDATES)} to run it as: "
            "start as an ordinary user"
        )
    return Account(user_id=entry.pw_uid, group_id=entry.pw_gid, reach=(program, folder))


def _owner(folder: Path) -> pwd.struct_passwd | None:
    if not folder.exists() or folder.stat().st_uid == 0:
        return None
    try:
        return pwd.getpwuid(folder.stat().st_uid)
    except KeyError:
        return None


def _named(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
