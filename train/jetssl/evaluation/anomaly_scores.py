"""How unlike background a jet is, by vectors of background jets alone.

Columns are standardized on background jets, except for the norm, which is that of the vector itself.

Letters: n background jets to learn from, T jets to score, D columns.
"""

import warnings
from collections.abc import Callable
from typing import Final

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from jetssl.config.evaluation import AnomalyScore
from jetssl.evaluation.density_flow import negative_log_density
from resim.common.arrays import Floats, Floats32

NEIGHBOURS: Final = 10
"""Nearest background jets that the distance is a mean over."""
BOTTLENECK: Final = (32, 8, 32)
"""Hidden sizes of the autoencoder, as those of ReSim's output network: down to 8 numbers."""

Scorer = Callable[[Floats32, Floats32, int], Floats]
"""Background `(n, D)`, jets `(T, D)`, seed → scores, float64 `(T,)`; higher is less like background."""


def norm(background: Floats32, jets: Floats32, seed: int) -> Floats:  # noqa: ARG001
    """Length of the vector, which needs no background at all."""
    return np.asarray(np.linalg.norm(jets.astype(np.float64), axis=1))


def mahalanobis(background: Floats32, jets: Floats32, seed: int) -> Floats:  # noqa: ARG001
    """Logarithm of the squared distance from the mean in units of the covariance.

    The covariance is shrunk as Ledoit and Wolf do (doi:10.1016/S0047-259X(03)00096-4).
    """
    learned, scored = _standardized(background, jets)
    return np.asarray(np.log(LedoitWolf().fit(learned).mahalanobis(scored) + np.finfo(np.float64).tiny))


def knn(background: Floats32, jets: Floats32, seed: int) -> Floats:  # noqa: ARG001
    """Logarithm of the mean distance to the nearest background jets."""
    learned, scored = _standardized(background, jets)
    found = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(learned))).fit(learned)
    return np.asarray(np.log(found.kneighbors(scored)[0].mean(1) + np.finfo(np.float64).tiny))


def autoencoder(background: Floats32, jets: Floats32, seed: int) -> Floats:
    """Logarithm of the mean squared error of a perceptron with a bottleneck, as in ReSim's talk.

    It stops by the error of a tenth of the background jets, which it does not learn.
    """
    learned, scored = _standardized(background, jets)
    network = MLPRegressor(
        hidden_layer_sizes=BOTTLENECK, early_stopping=True, max_iter=200, random_state=seed % 2**32
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 passes are as good
        network.fit(learned, learned)
    error = (network.predict(scored).reshape(scored.shape) - scored) ** 2
    return np.asarray(np.log(error.mean(1) + np.finfo(np.float64).tiny))


def flow(background: Floats32, jets: Floats32, seed: int) -> Floats:
    """Minus the log of the density of background, as a normalizing flow describes it."""
    return negative_log_density(*_standardized(background, jets), seed)


def _standardized(background: Floats32, jets: Floats32) -> tuple[Floats, Floats]:
    scaler = StandardScaler().fit(background.astype(np.float64))
    return scaler.transform(background), scaler.transform(jets)


SCORERS: dict[AnomalyScore, Scorer] = {
    "norm": norm,
    "mahalanobis": mahalanobis,
    "knn": knn,
    "autoencoder": autoencoder,
    "flow": flow,
}
"""By the name that the command line uses; `supervised` is no such score, as it knows the anomalies."""
DRAWN: Final = {"autoencoder", "flow"}
"""Those that depend on the seed."""
