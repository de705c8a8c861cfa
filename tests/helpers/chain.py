"""Shipped MadGraph events, a small card of them, and the command `resim` in this process."""

import gzip
from pathlib import Path
from typing import Any

import pylhe
import yaml
from click.testing import CliRunner, Result

from resim.hard_scatter.lhe_reading import event_blocks, parse_event

REPOSITORY = Path(__file__).parents[2]


HARD_SCATTERS = REPOSITORY / "cards/hard_scatter"


CARD = """
sources:
  - {{lhe: {hbb}, rows: {{25: hbb}}}}
  - {{lhe: {qcd}, rows: {{21: qcd_g, 1: qcd_q, 2: qcd_q, 3: qcd_q, 4: qcd_q}}}}
select: {{parton_pt_min: 300, parton_abs_eta_max: 2.5}}
views:
  nominal:  {{shower: {{generator: pythia8, card: {monash}, settings: ["PartonLevel:MPI = off"]}}}}
  seed:     {{from: nominal, freeze: hard_scatter}}
  rehadron: {{from: nominal, freeze: parton_shower}}
  fsr_up:   {{from: nominal, freeze: hard_scatter, shower: {{mu_r_fsr: 0.5}}}}
"""


N_EVENTS = 16


def run_cli(*arguments: object) -> Result:
    """Run `resim` in this process; errors are raised as they are."""
    from resim.cli import cli

    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=True)


FAULTS = REPOSITORY / "tests/data/faults"
"""Small files that were once simulated wrongly, or not at all."""

TWO_VIEWS = {
    "nominal": {"shower": {"card": str(REPOSITORY / "cards/pythia/monash.cmnd")}},
    "seed": {"from": "nominal", "freeze": "hard_scatter"},
}


def version_2(folder: Path) -> Path:
    """A pair file of schema version 2: three events of each of two LHE files that hold the same ones."""
    path = folder / "version_2.h5"
    path.write_bytes(gzip.decompress((REPOSITORY / "tests/data/version_2.h5.gz").read_bytes()))
    return path


def fault_card(folder: Path, lhe: Path | str, rows: dict[int, Any], views: Any = TWO_VIEWS, **more: Any) -> Path:
    """A card of one source in `folder`; its jets are wide and soft unless `more` says otherwise."""
    source = {"lhe": str(FAULTS / lhe), "rows": rows}
    jets = {"radius": 1.0, "pt_min": 30, "abs_eta_max": 5, "match_delta_r": 1.0}
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({"sources": [source], "views": views, "jets": jets} | more))
    return path


def read_slice(name: str, n_events: int) -> list[pylhe.LHEEvent]:
    """The first events of a shipped sample."""
    path = HARD_SCATTERS / f"{name}.lhe.gz"
    return [parse_event(block, path, index) for index, block in event_blocks(path, n_events)]
