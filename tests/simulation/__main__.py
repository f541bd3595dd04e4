"""Run seeds of the simulation: `python -m tests.simulation 17 -v`, or `--from 0 --count 1000`."""

import argparse
import logging
import sys
import time
import traceback
from collections import Counter

import structlog

from tests.simulation.options import drawn
from tests.simulation.world import run


def main() -> int:
    """Run what was asked for; return 1 when a seed fails."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("seeds", nargs="*", type=int)
    asked.add_argument("--from", dest="first", type=int, default=0)
    asked.add_argument("--count", type=int, default=0)
    asked.add_argument("-v", "--verbose", action="store_true")
    given = asked.parse_args()
    if not given.verbose:
        quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
        structlog.configure(wrapper_class=quiet)
    seeds = given.seeds or range(given.first, given.first + given.count)
    began, happened, failed = time.monotonic(), Counter[str](), 0
    for seed in seeds:
        options = drawn(seed)
        try:
            happened += run(options)
        except BaseException as error:  # noqa: BLE001  # told, with how to repeat it
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {error}\n  {options}")
            if given.verbose:
                traceback.print_exc()
    spent = time.monotonic() - began
    print(f"{len(seeds)} seeds, {failed} failed, {len(seeds) / spent * 60:.0f} a minute")
    print(", ".join(f"{name} {count}" for name, count in sorted(happened.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
