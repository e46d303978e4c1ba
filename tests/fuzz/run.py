"""Coverage-guided fuzzing, as `make fuzz` calls it: `run.py TARGET [libFuzzer's options] [folders]`."""

import shlex
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["adapters", "domain", "entrypoints"]):
    from fuzz.targets import TARGETS, seeds


def main() -> None:
    """Fuzz the target that is named first; the first folder behind it gets the seeds and whatever is found."""
    name, *options = sys.argv[1:]
    for folder in [Path(option) for option in options if not option.startswith("-")][:1]:
        folder.mkdir(parents=True, exist_ok=True)
        for seed, content in seeds(name).items():
            (folder / f"seed-{seed}").write_bytes(content)
    again = shlex.join([sys.executable, __file__, name])  # as what a merge starts this program anew
    atheris.Setup([again, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
