"""What is in the wheel, and that it works from a folder with the names of our packages in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hatchling = pytest.importorskip("hatchling.build", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return folder / hatchling.build_wheel(str(folder))
    finally:
        os.chdir(before)


def test_top_level_names_are_exactly_ours(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"audits", "probes", "reports"}
    assert any(name.startswith("reports/templates/") and name.endswith(".j2") for name in names)
    assert "audits/policies/default.yaml" in names
    assert "reports/evidence_map/never.yaml" in names
    maps = {path.name for path in (ROOT / "reports" / "evidence_map" / "instruments").glob("*.yaml")}
    assert maps
    assert {f"reports/evidence_map/instruments/{name}" for name in maps} <= set(names)
    assert any(name.startswith("probes/data/corpus/") for name in names)
    assert any(name.startswith("probes/text/lexicons/en/") for name in names)
    assert not any("vader" in name.lower() and not name.endswith(".py") for name in names)


def test_works_from_a_folder_with_our_names_in_it(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    work = tmp_path / "work"
    for name in ("reports", "templates", "probes", "audits"):
        (work / name).mkdir(parents=True)
    code = "import reports.render, audits.cli, sys;audits.cli.main(['probes', '--json'])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert done.returncode == 0, done.stderr
    assert "performance.quality" in done.stdout


def test_console_scripts_have_two_names(wheel):
    archive = zipfile.ZipFile(wheel)
    entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
    text = archive.read(entry).decode()
    assert "audit = audits.cli:main" in text
    assert "responsible-audit = audits.cli:main" in text
