"""`make api-fuzz`: the long campaign. Its first line tells the seed, its last ones what the service answered."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from api_fuzz.campaign import a_target

_FEWER_WITHOUT_KEY = 10


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    chosen = parser.parse_args()
    _say(f"SEED={chosen.seed} EXAMPLES={chosen.examples}")
    found = 0
    with tempfile.TemporaryDirectory(prefix="ladderbase-api-fuzz-") as folder, a_target(Path(folder)) as target:
        for with_key in (True, False):
            examples = chosen.examples if with_key else max(1, chosen.examples // _FEWER_WITHOUT_KEY)
            fuzzed = target.fuzz(seed=chosen.seed, examples=examples, with_key=with_key)
            _say(fuzzed.said if fuzzed.exit_code else "\n".join(fuzzed.said.splitlines()[-12:]))
            _say(f"{'with' if with_key else 'without'} a key, {fuzzed.figures}")
            found += bool(fuzzed.exit_code) + fuzzed.server_errors + (0 if with_key else fuzzed.carried_out.total())
    return int(found > 0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
