"""Who may import whom: schemas nothing of ours, bus only schemas, a service those two."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["schemas", "bus", "services", "services/one", "services/two", "deploy"]


def lint(place: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    return subprocess.run(
        [*command, "--config", str(ROOT / "pyproject.toml")],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_code_keeps_the_contract() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("deploy", "services.one", True),
        ("services/one", "bus", True),
        ("bus", "schemas", True),
        ("schemas", "bus", False),
        ("bus", "services.one", False),
        ("services/one", "services.two", False),
        ("services/two", "deploy", False),
    ],
)
def test_the_contract_sees_a_forbidden_import(
    tmp_path: Path, importer: str, imported: str, *, allowed: bool
) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / importer / "it.py").write_text(f"import {imported}\n")
    assert (lint(tmp_path).returncode == 0) is allowed
