"""What all questions of a study share: its folder, its domains, its pre-trained encoders.

Letters: R rows, D model width.
"""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from jetssl.common.threads import torch_threads
from jetssl.config.card import load_card
from jetssl.config.domains import DomainCard
from jetssl.config.weak import PAIRS, POOL, DomainName, PairsCard, StudyDomain, WeakCard
from jetssl.data.table import PairTable
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.results import Origin
from jetssl.models.checkpoints import LoadedEncoder, load_encoder
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
from jetssl.weak.domains import Domain, Question, load_domain
from resim.card import generation_card
from resim.common.arrays import Floats32
from resim.common.atomic_write import write_text
from resim.common.errors import InputError
from resim.common.external import run_logged

log = logging.getLogger(__name__)
PROGRAM = "from resim.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Study:
    """A card, and the folder where its study is made."""

    card: WeakCard
    folder: Path
    origin: Origin

    @property
    def question(self) -> Question:
        """What is told from what."""
        return Question(self.card.signal, self.card.background)

    def domain_card(self, name: DomainName) -> DomainCard:
        """A domain with its files."""
        one: StudyDomain = getattr(self.card.domains, name)
        return one if one.files else one.model_copy(update={"files": (str((self.folder / PAIRS).resolve()),)})

    def domain(self, name: DomainName) -> Domain:
        """The jets of a domain."""
        return load_domain(name, self.domain_card(name), self.card.features, self.card.fractions)

    def run(self, pretraining: str, number: int) -> RunFolder:
        """The folder of one training of a pre-training."""
        return RunFolder(self.folder / "pretrainings" / f"{pretraining}_{number}")

    def encoders(self, pretraining: str) -> list[LoadedEncoder]:
        """All trainings of a pre-training."""
        return [load_encoder(self.run(pretraining, n).best) for n in range(self.card.pretraining_seeds)]


def make_pairs(study: Study) -> None:
    """Make the pair file of a study, if its card asks for one: LHE files, then the views; resumes."""
    card = study.card.pairs
    if card is None:
        return
    study.folder.mkdir(parents=True, exist_ok=True)
    made = {name: study.folder.resolve() / f"{name}.lhe.gz" for name in card.hard_scatter}
    for name, path in made.items():
        if not path.exists():
            wanted = card.hard_scatter[name]
            _resim(card, path, "hard-scatter", str(wanted.card), "-n", str(wanted.n_events))
    pool = study.folder.resolve() / POOL
    if card.pileup is not None and not pool.exists():
        _resim(card, pool, "pileup", "-n", str(card.pileup.n_events))
    generation = study.folder / "generation.yaml"
    write_text(generation, _generation(card, made, pool))
    _resim(card, study.folder.resolve() / PAIRS, "generate", str(generation.resolve()), "--resume", "-j", "2")


def _resim(card: PairsCard, output: Path, *command: str) -> None:
    words = [*command, "-o", str(output), "--seed", str(card.seed)]
    progress = output.with_name("resim.log")
    log.info("wsl: resim %s, log in %s", " ".join(words), progress)
    run_logged([sys.executable, "-c", PROGRAM, *words], progress)


def _generation(card: PairsCard, made: dict[str, Path], pool: Path) -> str:
    """The generation card, as YAML, with the LHE files and the pile-up that the study has made.

    Raises:
        InputError: the card has no view of that name.
    """
    whole = generation_card.load_card(card.generate).model_dump(mode="json", by_alias=True, exclude_none=True)
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


def pretrain_all(study: Study, *, quiet: bool) -> None:
    """Pre-train what the card names, or go on.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; the same command goes on.
        InputError: unusable card or data.
    """
    for name, wanted in study.card.pretrainings.items():
        data = study.domain_card(wanted.domain)
        for number in range(study.card.pretraining_seeds):
            values = {
                "files": list(data.files),
                "labelled": data.labelled,
                "features": study.card.features,
                "fractions": study.card.fractions.model_dump(),
            }
            overrides = [f"data.{key}={json.dumps(value)}" for key, value in values.items()]
            overrides.append(f"training.seed={study.card.seed + number}")
            card = load_card(wanted.card, [*study.card.overrides, *wanted.overrides, *overrides])
            log.info("wsl: pre-training %s, %d of %d", name, number + 1, study.card.pretraining_seeds)
            outcome = pretrain(card, study.run(name, number), quiet=quiet)
            if outcome.state is State.RESUMABLE:
                raise KeyboardInterrupt(f"interrupted; the same command resumes {study.folder}")


def vectors_of(loaded: LoadedEncoder, table: PairTable, rows: Sequence[np.ndarray]) -> Floats32:
    """Jet vectors of the only view of a table, float32 `(R, D)`; 0 for rows that are not asked for."""
    wanted = np.concatenate(list(rows))
    vectors = np.zeros((table.rows.n_rows, loaded.encoder.width), np.float32)
    with torch_threads(loaded.card.training.threads):
        features = loaded.card.data.features
        vectors[wanted] = embed(loaded.encoder, table, np.zeros(len(wanted), np.int64), wanted, features)
    return vectors
