"""Installed packages that add encoders, objectives, generators and readers, as folders on `sys.path`."""

from pathlib import Path


def install(site_packages: Path, name: str, code: str, entry_points: str) -> None:
    """What pip leaves of a package `name` with one module `name`, version 1.2."""
    (site_packages / f"{name}.py").write_text(code)
    info = site_packages / f"{name}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(entry_points)
