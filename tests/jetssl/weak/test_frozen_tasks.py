import numpy as np

from jetssl.weak.frozen_tasks import scores_in
from tests.helpers.gaussians import gaussian_task


def test_scores_of_every_room_and_draw_at_their_address(rng):
    frozen_tasks = [gaussian_task(rng, 40)[0] for _ in range(2)]
    size = len(frozen_tasks[0].task.test)

    def one(frozen, address):
        return {"arm": np.full(size, 100 * frozen_tasks.index(frozen) + 10 * address[1] + address[2], float)}

    scores = scores_in(frozen_tasks, 7, 3, one)["arm"]
    assert scores.shape == (2, 3, size)
    assert scores[..., 0].tolist() == [[0, 1, 2], [110, 111, 112]]


def test_lessons_are_the_labels_of_the_simulation(rng):
    frozen, _ = gaussian_task(rng, 40)
    learn, held_out = frozen.labelled
    assert learn.rows.tolist() == frozen.task.train.tolist()
    np.testing.assert_array_equal(held_out.targets[:, 1], frozen.task.is_signal[frozen.task.validation])
    assert max(learn.rows.max(), held_out.rows.max()) < frozen.shift <= frozen.task.test.min()
