"""Run seeds of the simulation: `python -m tests.simulation 17 -v`, or `--from 0 --count 1000`.

The last line holds the figures as JSON, `found` what ended it by `--until`.
"""

import argparse
import gc
import json
import logging
import sys
import time
import traceback
from collections import Counter

import structlog

from tests.simulation.options import drawn
from tests.simulation.run import run


def main() -> int:
    """Run what was asked for; return 1 when a seed fails."""
    given = _asked()
    if not given.verbose:
        quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
        structlog.configure(wrapper_class=quiet)
    gc.freeze()
    began, happened, failed, ran = time.monotonic(), Counter[str](), list[int](), 0
    traces, found = list[str](), ""
    for seed in given.seeds or range(given.first, given.first + given.count):
        ran += 1
        try:
            made = run(drawn(seed))
            happened += made.happened
            traces.append(made.trace)
        except Exception as error:  # noqa: BLE001  # told, with how to repeat it
            failed.append(seed)
            _tell(seed, error, verbose=given.verbose)
            if isinstance(error, AssertionError) and str(error).startswith(tuple(given.until)):
                found = str(error)
                break
    spent = time.monotonic() - began
    print(f"{ran} seeds, {len(failed)} failed, {ran / spent * 60:.0f} a minute")
    figures = {"ran": ran, "failed": failed, "seconds": spent, "happened": happened}
    print(json.dumps(figures | {"traces": traces[:100], "found": found}))
    return 1 if failed else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument(
        "--until", nargs="*", default=[], help="end at the first seed that fails for such a reason"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show logs and where it fails")
    return parser.parse_args()


def _tell(seed: int, error: Exception, *, verbose: bool) -> None:
    print(f"seed {seed}: {type(error).__name__}: {error}")
    print(f"  {drawn(seed)}")
    print(f"  repeat: .venv/bin/python -m tests.simulation {seed} -v")
    if verbose:
        traceback.print_exception(error)


if __name__ == "__main__":
    sys.exit(main())
