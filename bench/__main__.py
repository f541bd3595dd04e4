"""All measurements, one after another: `make bench`."""

import subprocess
import sys

for name in ("stats", "intake", "latency", "matching"):
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)
