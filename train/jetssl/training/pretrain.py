"""Build everything from a card and fit it, resuming where an earlier attempt stopped."""

import logging
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightning
from lightning.fabric.plugins import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.callbacks import EMAWeightAveraging
from lightning.pytorch.strategies import DDPStrategy
from torch import nn

from jetssl.common.determinism import deterministic
from jetssl.common.devices import Devices, choose
from jetssl.common.full_disk import full_disk_is_one_line
from jetssl.common.precision import PRECISIONS, available
from jetssl.common.team import Team, backend, connected, partners_may_go
from jetssl.common.threads import torch_threads
from jetssl.config.card import Card
from jetssl.data.datamodule import PairDataModule
from jetssl.data.rows import rows_of
from jetssl.data.splits import Splits
from jetssl.methods.base import Method
from jetssl.methods.builder import method_class
from jetssl.models.checkpoints import refuse_other_card
from jetssl.models.normalization import Normalized
from jetssl.training.checkpoint_files import MovableCheckpoint, WholeFileIO
from jetssl.training.epoch_log import EpochLog, progress_bar
from jetssl.training.loggers import loggers, refuse_missing_logger
from jetssl.training.memory import refuse_too_large
from jetssl.training.provenance import RunProvenance, SplitCounts, start_record
from jetssl.training.run_folder import RunFolder, State
from jetssl.training.stopping import Patience, SaveAndStop
from resim.card.delphes_card import content_digest
from resim.common.atomic_write import write_text
from resim.common.commandline import END_OF_JOB
from resim.common.errors import InputError
from resim.common.output_lock import locked
from resim.common.versions import utc_now


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call of `pretrain` ended."""

    state: State
    """FINISHED, or RESUMABLE after an interruption"""
    trained: bool
    """False if the run was finished before"""
    provenance: RunProvenance
    preempted: bool = False
    """whether SIGUSR1 interrupted it"""


def pretrain(card: Card, run: RunFolder, *, force: bool = False, quiet: bool = False) -> Outcome:
    """Pre-train an encoder, or go on where a run with the same card and data stopped.

    Args:
        card: resolved training card.
        run: where everything is written.
        force: replace what the folder holds.
        quiet: no progress on stderr.

    Returns:
        Whether the run is finished, and its provenance.

    Raises:
        InputError: unusable data, or the folder holds something else, or another process writes it.
    """
    with connected() as team, ExitStack() as held:
        team.once(lambda: held.enter_context(locked(run.path)))
        devices = choose(card.training.devices).shared_by(team.on_this_machine)
        rows = team.once(lambda: rows_of(card.data.files, card.views.names, card.data.weights))
        if not card.data.labelled:
            rows = rows.without_labels()
        refuse_too_large(card, rows.classes, team.size)
        refuse_missing_logger(card)
        data = PairDataModule(rows, card, team, quiet=quiet)
        method = method_class(card.objective.name)(card, data.batches_per_epoch * card.training.epochs, rows.classes)
        outcome, resume_from = team.once(lambda: _prepare(card, run, data, method, force))
        if outcome.state is State.FINISHED:
            return outcome
        if resume_from is None and isinstance(method.encoder, Normalized):
            method.encoder.fit(batch.jets for batch in data.sample())
        return _fit(card, run, data, method, outcome.provenance, resume_from, devices, quiet)


def _prepare(
    card: Card, run: RunFolder, data: PairDataModule, method: Method, force: bool
) -> tuple[Outcome, Path | None]:
    """Make the folder ready: where the run stands, and the checkpoint to go on from."""
    if force:
        run.clear()
    state = State.NEW if force else run.state(card, [file.digest for file in data.rows.files])
    live = card.views.live
    detector = content_digest(live.detector) if live and live.detector else ""
    if state is not State.NEW and run.load_provenance().detector != detector:
        raise InputError(
            f"{run.path}: {live and live.detector} is another detector than when the run"
            " began; restore it, or --force to start anew"
        )
    if state is State.FINISHED:
        return Outcome(state, trained=False, provenance=run.load_provenance()), None
    resume_from = run.last if run.last.is_file() else None
    if state is State.RESUMABLE:
        before = run.load_provenance()
        again = {"resumed": before.resumed + int(resume_from is not None), "processes": data.team.size}
        provenance = before.model_copy(update=again)
    else:
        provenance = _provenance(card, data, method).model_copy(update={"detector": detector})
        write_text(run.card, card.to_yaml())
    if resume_from is not None:
        refuse_other_card(resume_from, card)
    run.clear_results()
    write_text(run.provenance, provenance.model_dump_json(indent=1))
    return Outcome(state, trained=False, provenance=provenance), resume_from


def _fit(  # noqa: PLR0913, PLR0917
    card: Card,
    run: RunFolder,
    data: PairDataModule,
    method: Method,
    provenance: RunProvenance,
    resume_from: Path | None,
    devices: Devices,
    quiet: bool,
) -> Outcome:
    started = time.monotonic()
    with (
        _calm(),
        torch_threads(card.training.threads),
        deterministic(card.training.deterministic),
        full_disk_is_one_line(run.path),
        partners_may_go(data.team, run.path),
    ):
        stopping = SaveAndStop(run.last, card.training)
        trainer = _trainer(card, run, data, devices, stopping, quiet)
        interrupted = _interrupted(
            trainer,
            lambda: trainer.fit(method, datamodule=data, ckpt_path=resume_from, weights_only=True),
            alone=data.team.size == 1,
        )
    seconds = provenance.seconds + time.monotonic() - started
    finished = None if interrupted else utc_now()
    provenance = provenance.model_copy(update={"seconds": seconds, "finished": finished})
    if data.team.leads:
        write_text(run.provenance, provenance.model_dump_json(indent=1))
    state = State.RESUMABLE if interrupted else State.FINISHED
    return Outcome(state, trained=True, provenance=provenance, preempted=interrupted and stopping.preempted)


def _interrupted(trainer: lightning.Trainer, fit: Callable[[], None], *, alone: bool) -> bool:
    """Call `fit`, and return whether a signal, such as Ctrl-C's, ended it; their handlers are those of before."""
    # Lightning turns Ctrl-C into SystemExit and leaves SIGINT ignored.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, *END_OF_JOB)}
    try:
        fit()
    except SystemExit:
        if not trainer.interrupted:
            raise
    finally:
        # Of several processes, one that ends early leaves for good, whatever signal it gets meanwhile.
        if alone or not trainer.interrupted:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return trainer.interrupted


def _trainer(  # noqa: PLR0913, PLR0917
    card: Card, run: RunFolder, data: PairDataModule, devices: Devices, stopping: SaveAndStop, quiet: bool
) -> lightning.Trainer:
    quiet = quiet or not data.team.leads
    terminal = sys.stderr.isatty() and not quiet
    jets = card.objective.versions * card.data.batch_size
    log = EpochLog(run.metrics, jets, lines=not terminal and not quiet, quiet=quiet)
    return lightning.Trainer(
        accelerator=devices.kind,
        devices=len(devices.numbers) if devices.kind == "cpu" else list(devices.numbers),
        num_nodes=data.team.size // data.team.on_this_machine,
        strategy=DDPStrategy(process_group_backend=backend()) if data.team.size > 1 else "auto",
        # Batches come shared, and batch norms are synchronized, already.
        use_distributed_sampler=False,
        precision=PRECISIONS[available(card.training.precision, devices.kind)],
        max_epochs=card.training.epochs,
        gradient_clip_val=card.training.gradient_clip,
        plugins=[WholeFileIO(), *_environment(data.team)],
        logger=loggers(card, run),
        callbacks=[
            *_average_and_patience(card, data.team, devices),
            *_checkpoints(card, run),
            log,
            stopping,  # behind what its checkpoints hold
            *([progress_bar()] if terminal else []),
        ],
        enable_progress_bar=terminal,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        # Data of an epoch are addressed by its number, so the module is asked for them in every epoch.
        reload_dataloaders_every_n_epochs=1,
    )


def _checkpoints(card: Card, run: RunFolder) -> list[MovableCheckpoint]:
    """After every epoch: the best one so far, and the last one."""
    compares = card.objective.epochs_compare
    best = MovableCheckpoint(
        run.checkpoints,
        filename="best",
        monitor="validation_loss" if compares else "step",
        mode="min" if compares else "max",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    last = MovableCheckpoint(
        run.checkpoints, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    return [best, last]


def _environment(team: Team) -> list[ClusterEnvironment]:
    """Where Lightning learns which process this is: the variables of `torchrun`, which stand for Slurm's, too.

    By itself it would take a lone process for all tasks of its job, put a job of Slurm into the queue again, and save
    where we do not look.
    """
    return [LightningEnvironment() if team.size == 1 else TorchElasticEnvironment()]


def _average_and_patience(card: Card, team: Team, devices: Devices) -> list[lightning.Callback]:
    callbacks: list[lightning.Callback] = []
    if card.training.ema is not None:
        callbacks.append(EMAWeightAveraging(devices.of(team.rank % team.on_this_machine), decay=card.training.ema))
    if card.training.patience is not None:
        callbacks.append(Patience("validation_loss", patience=card.training.patience))
    return callbacks


def _provenance(card: Card, data: PairDataModule, method: Method) -> RunProvenance:
    return start_record(
        files=data.rows.files,
        views=data.rows.views,
        rows=_counts(data.splits),
        pair_rows=_counts(data.usable),
        parameters={name: _parameters(module) for name, module in method.named_children()},
        seed=card.training.seed,
        processes=data.team.size,
        packages=card.packages,
    )


def _counts(splits: Splits) -> SplitCounts:
    return SplitCounts(train=len(splits.train), validation=len(splits.validation), test=len(splits.test))


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@contextmanager
def _calm() -> Iterator[None]:
    """Silence the advice of Lightning and of torch's compiler: what matters is said by our own lines, one each."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "torch._dynamo")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\.")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
