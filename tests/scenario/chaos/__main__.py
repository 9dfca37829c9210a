"""`make chaos`: break everything at random for some minutes; the seed is printed, so that a run can be had again."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.scenario.chaos.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scenario.chaos")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--keep", type=Path, help="folder for all files of the run; default: a temporary one")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="vigil-chaos-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        verdict = run(folder, options.seed, for_s=options.minutes * 60)
    print("\n".join(verdict.story))
    print(verdict)
    return 0


if __name__ == "__main__":
    sys.exit(main())
