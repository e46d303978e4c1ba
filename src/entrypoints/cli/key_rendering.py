"""A key in one line, for people and for scripts; its text only where it is known, at its creation."""

import json
from datetime import datetime

from domain.api_key import MARK, ApiKey
from entrypoints.cli.printable import printable, printable_json


def described(key: ApiKey, now: datetime, *, text: str | None = None) -> str:
    """As one JSON object."""
    told = {
        "prefix": key.prefix,
        "owner": key.owner,
        "scopes": sorted(key.scopes),
        "standing": key.standing(now),
        "created_dt": key.created_at.isoformat(),
        "expires_dt": key.expires_at.isoformat(),
        "revoked_dt": key.revoked_at.isoformat() if key.revoked_at else None,
        "last_used_dt": key.last_used_at.isoformat() if key.last_used_at else None,
    }
    return printable_json(json.dumps(told | ({"key": text} if text else {}), ensure_ascii=False))


def in_words(key: ApiKey, now: datetime) -> str:
    """Prefix, owner, scopes, and how it stands."""
    used = f"last used {_day(key.last_used_at)}" if key.last_used_at else "never used"
    scopes = ",".join(sorted(key.scopes))
    until = f"revoked {_day(key.revoked_at)}" if key.revoked_at else f"until {_day(key.expires_at)}"
    return f"{MARK}{key.prefix}  {printable(key.owner)}  {scopes}  {key.standing(now)}, {until}, {used}"


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
