"""What `jetssl wsl` does: make what is missing, in order, ask the questions of the card, write the records."""

import logging
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import yaml

from jetssl.common.threads import torch_threads
from jetssl.config.weak import WeakCard, load_weak_card
from jetssl.data.generation import make_pairs
from jetssl.evaluation.results import Origin, Result, read_results, write_records
from jetssl.weak.answers import answers
from jetssl.weak.domains import refuse_uncommon_features
from jetssl.weak.from_mixtures import from_mixtures
from jetssl.weak.from_noise import from_noise
from jetssl.weak.from_teacher import from_teacher
from jetssl.weak.label_noise import checked
from jetssl.weak.records import CARD_FILE, RESULTS_FILE
from jetssl.weak.shift import shift_records
from jetssl.weak.study import Study, pretrain_all
from jetssl.weak.transfer import adaptation, sample_size
from resim.common.atomic_write import entries, write_text
from resim.common.errors import InputError

log = logging.getLogger(__name__)
ANSWERS_FILE = "answers.txt"


def study_weak_supervision(path: Path, folder: Path, *, jobs: int | None = None, quiet: bool = False) -> list[Result]:
    """Make a study, or go on with it.

    Args:
        path: the card.
        folder: of the study: pair file, pre-trainings, fits, `records/`, `results.json`, `answers.txt`.
        jobs: processes that fine-tune side by side; None for one a core. Numbers do not depend on it.
        quiet: no progress.

    Raises:
        InputError: unusable card or data, or the folder holds another study.
        KeyboardInterrupt: Ctrl-C; the same command goes on.
    """
    card = load_weak_card(path)
    command = shlex.join(["jetssl", "wsl", str(path), "-o", str(folder)])
    study = Study(card, folder, Origin(card.seed, command))
    if card.teaching is not None and card.teaching.transition is not None:
        checked(card.teaching.transition)
    _claim(study)
    if card.pairs is not None:
        make_pairs(card.pairs, folder)
    refuse_uncommon_features([study.domain("simulation"), study.domain("data")], card.features)
    results = _once(study, "shift", lambda: shift_records(study))
    pretrain_all(study, quiet=quiet)
    for name, question in _questions(study, jobs or len(os.sched_getaffinity(0)), quiet).items():
        results += _once(study, name, question)
    write_records(folder / RESULTS_FILE, results)
    write_text(folder / ANSWERS_FILE, "\n".join(answers(results)) + "\n")
    return results


def _claim(study: Study) -> None:
    """Refuse a folder with another study, or with something else."""
    path = study.folder / CARD_FILE
    settings = study.card.model_dump(mode="json", exclude={"pairs": {"scheduler"}})  # who makes them does not matter
    text = yaml.safe_dump(settings, sort_keys=False)
    if not path.exists():
        if entries(study.folder):
            raise InputError(f"{study.folder}: exists and holds no study; give another -o")
        write_text(path, text)
    elif path.read_bytes() != text.encode():
        raise InputError(f"{study.folder}: holds the study of another card; give another -o")


def _questions(study: Study, jobs: int, quiet: bool) -> dict[str, Callable[[], list[Result]]]:
    """Those that the card asks, by the name of their records."""
    card: WeakCard = study.card
    asked: dict[str, Callable[[], list[Result]]] = {}
    if (teaching := card.teaching) is not None:
        asked["teaching"] = lambda: from_teacher(study, teaching)
    if (noise := card.noise) is not None:
        asked["noise"] = lambda: from_noise(study, noise)
    if (mixtures := card.mixtures) is not None:
        asked["mixtures"] = lambda: from_mixtures(study, mixtures)
    if (adapt := card.adaptation) is not None:
        asked["adaptation"] = lambda: adaptation(study, adapt, jobs, quiet)
    if (sizes := card.sample_size) is not None:
        asked["sample_size"] = lambda: sample_size(study, sizes, jobs, quiet)
    return asked


def _once(study: Study, name: str, question: Callable[[], list[Result]]) -> list[Result]:
    """The records of a question, made unless they are there."""
    path = study.folder / "records" / f"{name}.json"
    if not path.exists():
        log.info("wsl: %s", name.replace("_", " "))
        with torch_threads(1):  # sums depend on the number of threads
            write_records(path, question())
    return read_results(path)
