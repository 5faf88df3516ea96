"""The same SAGAN in PyTorch, to measure this book's speed against. PyTorch is optional.

Nothing else imports this file, and it does not import TensorFlow: the two would share threads.
Written for speed as a PyTorch user would: one call of D on the joined batch, no gradients for D's
weights in G's step, fused attention on a GPU; on a CPU its plain form is the faster one.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Attention(nn.Module):
    """SAGAN's attention on (batch, c, h, w); variants as in `SelfAttention`."""

    def __init__(self, channels, variant):
        super().__init__()
        self.pooled = variant == "pooled"
        inner = channels // 2 if self.pooled else channels
        self.f, self.g = (_sn(nn.Conv2d(channels, channels // 8, 1)) for _ in range(2))
        self.h = _sn(nn.Conv2d(channels, inner, 1))
        self.out = _sn(nn.Conv2d(inner, channels, 1)) if self.pooled else nn.Identity()
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        keys, queries, values = self.f(x), self.g(x), self.h(x)
        if self.pooled:
            keys, values = F.max_pool2d(keys, 2), F.max_pool2d(values, 2)
        q, k, v = (t.flatten(2).transpose(1, 2) for t in (queries, keys, values))
        if q.is_cuda:
            mixed = F.scaled_dot_product_attention(q, k, v, scale=1.0)  # (batch, N, c)
        else:
            mixed = torch.softmax(q @ k.transpose(1, 2), -1) @ v
        mixed = mixed.transpose(1, 2).reshape(len(x), -1, *x.shape[2:])
        return x + self.gamma * self.out(mixed)


def _sn(layer):
    # Keras's first weights, so that the two libraries train the same kind of network.
    nn.init.xavier_uniform_(layer.weight)
    return spectral_norm(layer)


def _generator(case):
    def channels(side):
        return case.width * case.resolution // side

    parts = [_sn(nn.Linear(case.latent_dim, 16 * channels(4)))]
    parts += [nn.Unflatten(1, (channels(4), 4, 4)), *_normalize(channels(4))]
    side = 4
    while side < case.resolution:
        side *= 2
        up = nn.ConvTranspose2d(channels(side // 2), channels(side), 4, 2, 1, bias=False)
        parts += [_sn(up), *_normalize(channels(side))]
        if side == case.attention_at:
            parts.append(Attention(channels(side), case.variant))
    return nn.Sequential(*parts, _sn(nn.Conv2d(case.width, 3, 3, 1, 1)), nn.Tanh())


def _normalize(channels):
    return nn.BatchNorm2d(channels, eps=1e-3), nn.ReLU()


def _discriminator(case):
    parts, before, side = [], 3, case.resolution
    while side > 4:
        side //= 2
        after = case.width * case.resolution // side
        parts += [_sn(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(0.1)]
        if side == case.attention_at:
            parts.append(Attention(after, case.variant))
        before = after
    return nn.Sequential(*parts, nn.Flatten(), _sn(nn.Linear(16 * before, 1)))


@dataclass(frozen=True)
class Contender:
    """As `baselines.Contender`: `step()` gives (d_loss, g_loss)."""

    step: object
    generator: nn.Module
    discriminator: nn.Module

    @property
    def parameters(self):
        """Trainable numbers in both networks."""
        return sum(p.numel() for m in (self.generator, self.discriminator) for p in m.parameters())


def build(name, case):
    """A contender.

    Args:
        name: "torch" (eager), "torch_tuned" (eager, channels last) or "torch_compile".
        case: a `case.Case`.
    """
    torch.manual_seed(0)
    if DEVICE.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, as TensorFlow does by default
    layout = torch.channels_last if name == "torch_tuned" else torch.contiguous_format
    g, d = (m.to(DEVICE, memory_format=layout) for m in (_generator(case), _discriminator(case)))
    run_g, run_d = (torch.compile(m) if name == "torch_compile" else m for m in (g, d))
    adam_g = torch.optim.Adam(g.parameters(), 1e-4, (0.0, 0.9))
    adam_d = torch.optim.Adam(d.parameters(), 4e-4, (0.0, 0.9))
    real = torch.rand(case.batch, 3, case.resolution, case.resolution, device=DEVICE) * 2 - 1
    real = real.contiguous(memory_format=layout)

    def noise():
        return torch.randn(case.batch, case.latent_dim, device=DEVICE)

    def step():
        with torch.no_grad():
            fake = run_g(noise())
        on_real, on_fake = run_d(torch.cat([real, fake])).chunk(2)
        d_loss = F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        adam_d.zero_grad()
        d_loss.backward()
        adam_d.step()
        d.requires_grad_(False)
        g_loss = -run_d(run_g(noise())).mean()
        adam_g.zero_grad()
        g_loss.backward()
        adam_g.step()
        d.requires_grad_(True)
        return d_loss.detach(), g_loss.detach()

    return Contender(step, g, d)
