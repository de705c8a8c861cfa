"""Files of others as pair files for as long as a command looks at them: imported, looked at, and removed again."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resim.common.errors import InputError
from resim.formats.import_jets import import_jets
from resim.formats.mapping_card import MappingCard


@contextmanager
def temporary_pairs(file: Path, card: MappingCard, n_jets: int | None = None) -> Iterator[Path]:
    """Import a file into the system's folder for temporary files (`TMPDIR`); removed when the block ends, however.

    Args:
        file: of others.
        card: what its columns mean.
        n_jets: entries to read; None: all.

    Yields:
        The pair file. An `InputError` of the block that names it names `file` instead.

    Raises:
        InputError: `file` is unreadable, contradicts the card, or there is no room for the pair file.
    """
    with tempfile.TemporaryDirectory(prefix="resim-") as folder:
        pairs = Path(folder, "pairs.h5")
        try:
            import_jets([file], pairs, card, n_jets)
            yield pairs
        except InputError as error:
            if folder not in str(error):
                raise
            if isinstance(full := error.__cause__, OSError):
                raise InputError(
                    f"{file}: cannot be copied to {tempfile.gettempdir()} ({full.strerror}); make room there, set"
                    " TMPDIR to another folder, or read fewer jets (-n)"
                ) from error
            raise InputError(str(error).replace(str(pairs), str(file))) from error
