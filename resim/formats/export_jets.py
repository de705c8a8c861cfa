"""The command `resim export`: jets of a pair file in a layout of others."""

from pathlib import Path
from typing import Final

from resim.common.errors import InputError
from resim.formats.layouts import ExportOptions, jetclass_root, omnilearned, parquet
from resim.formats.rs3l_pairs import rs3l_hdf5
from resim.pairfile.reader import PairFile

LAYOUTS: Final = {
    "jetclass-root": jetclass_root,
    "parquet": parquet,
    "rs3l-hdf5": rs3l_hdf5,
    "omnilearned": omnilearned,
}
"""Layouts by the name that the command line uses."""


def export_jets(path: Path, output: Path, layout: str, options: ExportOptions) -> int:
    """Write the jets of a pair file in the layout of others; rows without a jet in the view are left out.

    Args:
        path: the pair file.
        output: the file to write.
        layout: a key of `LAYOUTS`.
        options: which views, which classes.

    Returns:
        Number of jets written.

    Raises:
        InputError: there is no such view, or a label is none of the classes of the layout.
    """
    with PairFile(path) as file:
        if missing := [view for view in options.views if view not in file.view_names]:
            raise InputError(f"{path}: has no view {missing[0]!r}, but {', '.join(file.view_names)}; correct --view")
        if unknown := [label for label in options.labels if label not in file.labels]:
            raise InputError(f"{path}: has no label {unknown[0]!r}, but {', '.join(file.labels)}; correct --label")
        return LAYOUTS[layout](file, output, options)
