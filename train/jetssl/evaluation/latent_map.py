"""A map of the latent space: t-SNE and principal components of jet vectors, and the file that holds it.

Letters: B rows, V views, D model width, N points, P pairs of views.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from resim.common.arrays import Floats32
from resim.common.atomic_write import write_bytes
from resim.common.errors import InputError, reason_of

POINTS: Final = 1500
"""Jets that are drawn, of all views together."""
COMPONENTS: Final = 4
PERPLEXITY: Final = 30.0
"""Of t-SNE, where there are points enough: what its authors and scikit-learn take."""


@dataclass(frozen=True, slots=True)
class LatentMap:
    """N jets: the same rows of every view."""

    tsne: Floats32
    """`(N, 2)` (L. van der Maaten and G. Hinton, JMLR 9 (2008) 2579)"""
    components: Floats32
    """principal components, `(N, COMPONENTS)`"""
    share: Floats32
    """of the variance that each component holds, `(COMPONENTS,)`"""
    view: npt.NDArray[np.str_]
    """name, `(N,)`"""
    jet_class: npt.NDArray[np.str_]
    """name, `(N,)`"""
    shares: npt.NDArray[np.str_]
    """up to which stage each pair of views is one simulation, `(P,)`"""


def latent_map(
    unit: Floats32, views: Sequence[str], jet_class: npt.NDArray[np.str_], shares: Sequence[str], seed: int
) -> LatentMap:
    """Map `POINTS` jets at most.

    Args:
        unit: vectors of length 1, `(V, B, D)`.
        views: names, V.
        jet_class: names, `(B,)`.
        shares: of each pair of views, P.
        seed: of t-SNE; it starts from the principal components.
    """
    rows = min(unit.shape[1], POINTS // len(views))
    points = unit[:, :rows].reshape(len(views) * rows, -1)
    pca = PCA(min(COMPONENTS, *points.shape), svd_solver="full").fit(points)
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    return LatentMap(
        np.asarray(tsne, np.float32),
        np.asarray(pca.transform(points), np.float32),
        np.asarray(pca.explained_variance_ratio_, np.float32),
        np.repeat(np.array(views), rows),
        np.tile(jet_class[:rows], len(views)),
        np.array(shares),
    )


def write_map(path: Path, found: LatentMap) -> None:
    """Write a map, whole or not at all."""
    content = io.BytesIO()
    np.savez(content, **{field.name: getattr(found, field.name) for field in fields(LatentMap)})
    write_bytes(path, content.getvalue())


def read_map(path: Path) -> LatentMap:
    """A map that `write_map` wrote.

    Raises:
        InputError: unreadable.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return LatentMap(**{field.name: archive[field.name] for field in fields(LatentMap)})
    except Exception as error:  # of damaged bytes NumPy and zipfile raise anything, NotImplementedError among it
        raise InputError(f"{path}: unreadable ({reason_of(error)}); run `jetssl geometry` again") from error
