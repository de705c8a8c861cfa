"""How Lightning writes the checkpoints of a training. Reading them (`models.checkpoints`) does not need Lightning."""

from pathlib import Path
from typing import Any, Final

from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from jetssl.models.checkpoints import read_checkpoint, write_checkpoint


class WholeFileIO(TorchCheckpointIO):
    """Checkpoints appear under their names when they are on disk.

    Lightning's own moves them there from the folder for temporary files, which is a copy over the last good one if
    that folder lies on another file system: a full disk would leave neither.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:  # noqa: ARG002
        """Write a checkpoint.

        Raises:
            InputError: the disk is full, or the folder cannot be written.
        """
        write_checkpoint(Path(path), checkpoint)

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        """Read a checkpoint, whatever else Lightning asks for.

        Raises:
            InputError: as `read_checkpoint`.
        """
        return read_checkpoint(Path(path))


class MovableCheckpoint(ModelCheckpoint):
    """Lightning's callback in a run folder that may have moved: it remembers the best score all the same."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state, with every path in the present folder."""
        folder = Path(str(self.dirpath))

        def here(path: str) -> str:
            return str(folder / Path(path).name) if path else path

        paths = {key: here(str(state_dict[key])) for key in _PATHS}
        best = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(state_dict | paths | {"dirpath": str(folder), "best_k_models": best})


_PATHS: Final = ("best_model_path", "kth_best_model_path", "last_model_path")
