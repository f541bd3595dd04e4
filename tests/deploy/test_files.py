"""How many files a process may have open."""

import resource
from pathlib import Path

import pytest

from deploy import files
from tests.system.process import Process, processes


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux tells of other processes")
def test_a_hub_takes_as_many_files_as_it_may_have_whatever_is_usual(tmp_path: Path) -> None:
    usual, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    hub = Process(tmp_path / "data", "up")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, highest), highest))
    try:
        with processes(hub):
            taken, _ = resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE)
            assert hub.end() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, highest))
    assert taken == min(highest, files.MOST)


@pytest.mark.parametrize(
    ("usual", "left"),
    [(256, 128), (1024, 724), (20_000, 19_700), (1 << 30, 65_236), (-1, 65_236)],
)
def test_connections_leave_files_for_what_is_the_hubs_own(usual: int, left: int) -> None:
    assert files.left(usual) == left
