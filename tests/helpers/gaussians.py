"""Two Gaussian classes of unit width at -1 and +1 on the first axis: everything about them is known."""

import numpy as np
import torch
from torch import nn

from jetssl.common.roc import auc
from jetssl.evaluation.classifier import Rates
from jetssl.evaluation.task import Task
from jetssl.weak.domains import Truth
from jetssl.weak.frozen_tasks import FrozenTask
from jetssl.weak.student import LabelledJets, StudentTrainer, Vectors

BEST = 0.8413447460685429
"""Accuracy of the best classifier, Phi(1)."""
BEST_AUC = 0.9213503964748575
"""Phi(sqrt 2)."""
SIDE = 6000


def gaussians(rng, size=2 * SIDE):
    """Points, float32 `(size, 2)`, and their classes."""
    classes = np.arange(size) % 2
    points = rng.normal(size=(size, 2))
    points[:, 0] += 2 * classes - 1
    return points.astype(np.float32), classes


def linear_trainer(points, steps=300):
    """Students that are logistic regressions."""
    inputs = torch.from_numpy(points)
    return StudentTrainer(
        lambda: (Vectors(), nn.Linear(points.shape[1], 2)),
        lambda rows, _: (inputs[torch.from_numpy(rows)],),
        Rates(0.0, 0.05),
        steps,
    )


def labelled_jets(labels):
    """The first half of the points to learn from, the next quarter held out, with labels as they are given."""
    targets = np.eye(2)[labels]
    half, quarter = len(labels) // 2, 3 * len(labels) // 4
    return LabelledJets(np.arange(half), targets[:half]), LabelledJets(
        np.arange(half, quarter), targets[half:quarter]
    )


def accuracy(trainer, student, classes):
    """Of a student on the last quarter, and its statistical error."""
    test = np.arange(3 * len(classes) // 4, len(classes))
    right = (trainer.probabilities(student, test).argmax(1) == classes[test]).mean()
    return right, np.sqrt(BEST * (1 - BEST) / len(test))


def gaussian_task(rng, size=4000, shift=0.0):
    """Labelled simulation in the first half of the points; data, moved by a shift, in the second."""
    points, classes = gaussians(rng, 2 * size)
    points[size:, 0] += shift
    parts = np.split(np.arange(size), [size // 2, 3 * size // 4])
    task = Task(
        groups=(("signal",), ("background",)),
        view=0,
        train=parts[0],
        validation=parts[1],
        test=size + parts[2],
        class_index=np.where(classes == 1, 0, 1),
        hard_scatter=parts[2].astype(np.uint64),
        weights=np.ones(2 * size),
    )
    frozen = FrozenTask(linear_trainer(points, 100), task, size, (size + parts[0], size + parts[1]), "none", "data")
    truth = Truth(("signal",), ("background",), classes[size:] == 1, np.ones(size, np.bool_))
    return frozen, truth


def auc_of(frozen, scores):
    """AUC of the test jets."""
    signal = frozen.test.is_signal
    return auc(scores[signal], scores[~signal])
