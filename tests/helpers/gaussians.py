"""Two Gaussian classes of unit width at -1 and +1 on the first axis: everything about them is known."""

import numpy as np
import torch
from torch import nn

from jetssl.common.roc import auc
from jetssl.evaluation.classifier import Rates
from jetssl.evaluation.task import Task
from jetssl.weak.domains import Truth
from jetssl.weak.rooms import Room
from jetssl.weak.student import Lesson, School, Vectors

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


def linear_school(points, steps=300):
    """Students that are logistic regressions."""
    inputs = torch.from_numpy(points)
    return School(
        lambda: (Vectors(), nn.Linear(points.shape[1], 2)),
        lambda rows, _: (inputs[torch.from_numpy(rows)],),
        Rates(0.0, 0.05),
        steps,
    )


def lessons(labels):
    """The first half of the points to learn from, the next quarter held out, with labels as they are given."""
    targets = np.eye(2)[labels]
    half, quarter = len(labels) // 2, 3 * len(labels) // 4
    return Lesson(np.arange(half), targets[:half]), Lesson(np.arange(half, quarter), targets[half:quarter])


def accuracy(school, student, classes):
    """Of a student on the last quarter, and its statistical error."""
    test = np.arange(3 * len(classes) // 4, len(classes))
    right = (school.probabilities(student, test).argmax(1) == classes[test]).mean()
    return right, np.sqrt(BEST * (1 - BEST) / len(test))


def gaussian_room(rng, size=4000, shift=0.0):
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
    room = Room(linear_school(points, 100), task, size, (size + parts[0], size + parts[1]), "none", "data")
    truth = Truth(("signal",), ("background",), classes[size:] == 1, np.ones(size, np.bool_))
    return room, truth


def auc_of(room, scores):
    """Of the test jets of a room."""
    signal = room.test.is_signal
    return auc(scores[signal], scores[~signal])
