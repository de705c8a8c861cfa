import torch
from torch.nn import functional

from jetssl.weak.cross_entropy import cross_entropy
from tests.helpers.toys import normal


def test_hard_labels_are_those_of_torch():
    logits, labels = normal(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    expected = functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(cross_entropy(logits, functional.one_hot(labels).float()), expected)


def test_soft_labels_against_a_slow_loop():
    logits, targets = normal(4, 3), torch.softmax(normal(4, 3, seed=2), -1)
    expected = [
        -sum(t * torch.log(torch.exp(z) / torch.exp(row).sum()) for t, z in zip(target, row, strict=True))
        for target, row in zip(targets, logits, strict=True)
    ]
    torch.testing.assert_close(cross_entropy(logits, targets), torch.stack(expected))
