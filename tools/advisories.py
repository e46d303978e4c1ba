"""`make audit-lock`: asks an advisory service (OSV) whether anything that the image ships has a known vulnerability.

Exit code 0: none is known; 1: some are, and each is printed; 2: nobody could be asked, which proves nothing.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import msgspec

from shipped import entries

SERVICE = "https://api.osv.dev"
TIMEOUT_S = 10.0
MAX_PAGES = 10
NONE, SOME, UNKNOWN = range(3)


class _Vulnerability(msgspec.Struct):
    id: str


class _Result(msgspec.Struct):
    vulns: tuple[_Vulnerability, ...] = ()
    next_page_token: str = ""


class _Answer(msgspec.Struct):
    results: tuple[_Result, ...]


def main(arguments: Sequence[str]) -> int:
    """Audit the lock file that is named first."""
    packages = [(name, version) for name, version, _ in entries(Path(arguments[0]).read_text("utf-8"))]
    service = os.environ.get("OSV_URL") or SERVICE
    try:
        found = known(packages, service)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        sys.stdout.write(f"no advisory service answers at {service} ({type(error).__name__}): nothing was audited\n")
        return UNKNOWN
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"{len(packages)} packages, {len(found)} known vulnerabilities\n")
    return SOME if found else NONE


def known(packages: Sequence[tuple[str, str]], service: str) -> list[str]:
    """`name version: id` of each vulnerability. Raises httpx.HTTPError, and msgspec.DecodeError for odd answers."""
    found: list[str] = []
    asked = [(package, "") for package in packages]
    with httpx.Client(timeout=TIMEOUT_S) as client:
        for _ in range(MAX_PAGES):
            queries = [_query(*package, page) for package, page in asked]
            answer = client.post(f"{service}/v1/querybatch", json={"queries": queries}).raise_for_status()
            results = msgspec.json.decode(answer.content, type=_Answer).results
            if len(results) != len(asked):
                raise msgspec.DecodeError(f"{len(results)} answers to {len(asked)} questions")
            paired = [(package, result) for (package, _), result in zip(asked, results, strict=True)]
            found += [f"{name} {version}: {one.id}" for (name, version), result in paired for one in result.vulns]
            asked = [(package, result.next_page_token) for package, result in paired if result.next_page_token]
            if not asked:
                return found
    raise msgspec.DecodeError("the answer has no end")


def _query(name: str, version: str, page: str) -> dict[str, object]:
    query: dict[str, object] = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
    return query | ({"page_token": page} if page else {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
