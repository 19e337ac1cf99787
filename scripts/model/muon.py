"""Muon: momentum whose update is made orthogonal, for the matrices of the blocks."""
import torch

# Newton-Schulz iteration with the coefficients of Keller Jordan's Muon: five steps are enough.
STEPS = 5
A, B, C = 3.4445, -4.7750, 2.0315


class Muon(torch.optim.Optimizer):
    def __init__(self, matrices, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weights in group["params"]:
                average = self.state[weights].setdefault("buf", torch.zeros_like(weights))
                average.lerp_(weights.grad, 1 - group["momentum"])
                update = orthogonal(weights.grad.lerp(average, group["momentum"]))
                stretch = max(1, weights.shape[0] / weights.shape[1]) ** 0.5
                weights.mul_(1 - group["lr"] * group["weight_decay"])
                weights.add_(update, alpha=-group["lr"] * stretch)


def orthogonal(update):
    """The nearest matrix whose singular values are about one."""
    tall = update.shape[0] > update.shape[1]
    x = update.T if tall else update
    x = x / (x.norm() + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.T
        x = A * x + (B * gram + C * gram @ gram) @ x
    return x.T if tall else x
