"""Where the curves of a training go beside `metrics.csv`: Lightning's loggers by the name that a card uses."""

import hashlib
from importlib.util import find_spec

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from jetssl.config.card import Card
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError


def refuse_missing_logger(card: Card) -> None:
    """Look for the package of the logger that a card asks for.

    Raises:
        InputError: it is not installed.
    """
    if card.training.logger == "wandb" and find_spec("wandb") is None:
        raise InputError(
            "training.logger: wandb, which is not installed; install it with `pip install wandb`, or set"
            " training.logger=tensorboard"
        )


def loggers(card: Card, run: RunFolder) -> list[Logger]:
    """TensorBoard in the run's folder, and what the card asks for beside it.

    A training that is resumed goes on as the same run of Weights & Biases.
    """
    board = TensorBoardLogger(run.path, name="tensorboard", version="")
    if card.training.logger == "tensorboard":
        return [board]
    identity = hashlib.sha256(f"{run.path.resolve()} {run.load_provenance().started}".encode()).hexdigest()[:16]
    return [board, WandbLogger(name=run.path.name, id=identity, save_dir=run.path, resume="allow")]
