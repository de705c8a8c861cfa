"""Networks of the package `omnilearned` with random weights, and their checkpoints as its trainings save them."""

from types import SimpleNamespace

import torch
from omnilearned.layers import DynamicTanh
from omnilearned.network import PET2
from omnilearned.utils import save_checkpoint
from torch import nn

SIZES = {
    "base_dim": 16,
    "num_transformers": 2,
    "num_transformers_head": 1,
    "num_tokens": 2,
    "num_heads": 4,
    "mlp_ratio": 2,
    "K": 4,
    "num_coord": 2,
}
EVERYTHING = {"use_int": True, "local_int": False, "pid": True, "add_info": True}
KINEMATICS = {"use_int": False, "local_int": True, "pid": False, "add_info": False}


def random_network(n_classes=3, seed=1, **options):
    """With weights that say something in every layer."""
    torch.manual_seed(seed)
    network = PET2(4, num_classes=n_classes, **SIZES | EVERYTHING | options).eval()
    for module in network.modules():
        if isinstance(module, DynamicTanh):
            nn.init.uniform_(module.alpha, 0.3, 1.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    nn.init.normal_(network.body.token, std=0.5)
    if network.classifier is not None:
        nn.init.normal_(network.classifier.out.weight, std=0.5)
    return network


def save(network, folder, *, averaged=None):
    """Its file, by its own function; what its distributed trainings put around a network is only a name here."""
    optimizer = torch.optim.AdamW(network.parameters())
    sum(p.sum() for p in network.parameters()).backward()
    optimizer.step()
    optimizer.zero_grad()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    save_checkpoint(SimpleNamespace(module=network), averaged, 3, optimizer, 0.5, schedule, str(folder), "best.pt")
    return folder / "best.pt"


def outputs(network, batch, padding=0):
    """Logits and the tokens before its last perceptron, for features `omnilearned` cut as its data loader does."""
    features = nn.functional.pad(batch.features * batch.mask[..., None], (0, 0, 0, padding))
    pooled = []
    handle = network.classifier.fc.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
    more = {"pid": features[..., 4].int(), "add_info": features[..., -4:]}
    with torch.no_grad():
        logits = network(features[..., :4], torch.zeros(len(features), dtype=torch.long), **more)["y_pred"]
    handle.remove()
    return logits, pooled[0]
