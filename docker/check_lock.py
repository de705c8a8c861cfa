"""Holds the distributions of an image against a lock on standard input and against what resim-jets asks for.

Runs inside the image: `python check_lock.py EXTRA... < docker/generate.lock`.
"""

import sys
from importlib.metadata import distributions, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

extras = sys.argv[1:]
lines = [line.rstrip("\\\n ") for line in sys.stdin if line[0] not in "# "]
locked = {
    pin.name: str(pin.specifier) for pin in map(Requirement, lines) if pin.marker is None or pin.marker.evaluate()
}
found = {canonicalize_name(each.name): f"=={each.version}" for each in distributions()}
if found.pop("resim-jets", None) is None:
    sys.exit("resim-jets is not installed")
if found != locked:
    sys.exit(f"image and lock differ in {sorted(found.items() ^ locked.items())}")
for requirement in map(Requirement, requires("resim-jets") or []):
    wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
    if wanted and version(requirement.name) not in requirement.specifier:
        sys.exit(f"pyproject.toml wants {requirement}, the image has {version(requirement.name)}")
sys.stdout.write(f"{len(found)} distributions as locked\n")
