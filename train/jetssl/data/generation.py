"""Make a pair file with `resim`, as a study asks for it: LHE files, a pool of pile-up, then the views; resumes."""

import logging
import os
import sys
from pathlib import Path
from typing import Final

import yaml

from jetssl.config.pairs import PairsCard
from resim.card import generation_card
from resim.common.atomic_write import write_text
from resim.common.errors import InputError
from resim.common.external import run_logged

log = logging.getLogger(__name__)
PAIRS: Final = "pairs.h5"
"""The pair file in its folder."""
_POOL: Final = "minimum_bias.h5"
_PROGRAM: Final = "from resim.cli import main; main()"


def make_pairs(card: PairsCard, folder: Path) -> Path:
    """Make what is missing, and return the place of the pair file.

    Args:
        card: what to make, with the places of its files.
        folder: where everything is written.

    Raises:
        InputError: unusable card, or `resim` fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    made = {name: folder / f"{name}.lhe.gz" for name in card.hard_scatter}
    pool, generation = folder / _POOL, folder / "generation.yaml"
    write_text(generation, _generation(card, made, pool))
    for name, path in made.items():
        if not path.exists():
            wanted = card.hard_scatter[name]
            _resim(card, path, "hard-scatter", str(wanted.card), "-n", str(wanted.n_events))
    if card.pileup is not None and not pool.exists():
        _resim(card, pool, "pileup", "-n", str(card.pileup.n_events))
    events = ["-n", str(card.n_events)] if card.n_events else []
    workers = ["--scheduler", card.scheduler] if card.scheduler else ["-j", str(len(os.sched_getaffinity(0)))]
    _resim(card, folder / PAIRS, "generate", str(generation), "--resume", *workers, *events)
    return folder / PAIRS


def _resim(card: PairsCard, output: Path, *command: str) -> None:
    words = [*command, "-o", str(output), "--seed", str(card.seed)]
    progress = output.with_name("resim.log")
    log.info("resim %s, log in %s", " ".join(words), progress)
    run_logged([sys.executable, "-c", _PROGRAM, *words], progress)


def _generation(card: PairsCard, made: dict[str, Path], pool: Path) -> str:
    """The generation card, as YAML, with the LHE files and the pile-up that were made.

    Raises:
        InputError: the card has no view of that name.
    """
    whole = generation_card.load_card(card.generate).model_dump(mode="json", by_alias=True, exclude_none=True)
    names = [Path(source["lhe"]).name.removesuffix(".lhe.gz") for source in whole["sources"]]
    if unknown := sorted(set(made) - set(names)):
        raise InputError(
            f"{card.generate}: no source {unknown[0]}.lhe.gz for the made one to stand for; has {', '.join(names)}"
        )
    for source in whole["sources"]:
        name = Path(source["lhe"]).name.removesuffix(".lhe.gz")
        source["lhe"] = str(made.get(name, source["lhe"]))
    if (pileup := card.pileup) is not None:
        if pileup.view not in whole["views"]:
            raise InputError(
                f"{card.generate}: no view {pileup.view!r} to mix pile-up into; has {', '.join(whole['views'])}"
            )
        mixed = {"card": str(pileup.detector), "pileup": {"mu": pileup.mu, "pool": str(pool)}}
        whole["views"][pileup.view]["detector"] = mixed
    return yaml.safe_dump(whole, sort_keys=False)
