"""The same SAGAN in PyTorch, to measure this book's speed against. PyTorch is optional.

Nothing else imports this file, and it does not import TensorFlow: the two would share threads.
Written for speed as a PyTorch user would: one call of D on the joined batch, no gradients for D's
weights in G's step, fused attention on a GPU; on a CPU its plain form is the faster one.
"""

import os

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sagan_experiments.speed.case import Contender

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Attention(nn.Module):
    """SAGAN's attention on (batch, c, h, w), the article's variant."""

    def __init__(self, channels):
        super().__init__()
        self.f, self.g, self.h = (
            _sn(nn.Conv2d(channels, n, 1)) for n in (channels // 8, channels // 8, channels)
        )
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        # (batch, c, h, w) -> (batch, hw, c)
        k, q, v = (layer(x).flatten(2).transpose(1, 2) for layer in (self.f, self.g, self.h))
        if q.is_cuda:
            mixed = F.scaled_dot_product_attention(q, k, v, scale=1.0)
        else:
            mixed = torch.softmax(q @ k.transpose(1, 2), -1) @ v
        return x + self.gamma * mixed.transpose(1, 2).reshape(x.shape)


def _sn(layer):
    # Keras's first weights, so that the two libraries train the same kind of network.
    nn.init.xavier_uniform_(layer.weight)
    return spectral_norm(layer)


def _normalize(channels):
    return nn.BatchNorm2d(channels, eps=1e-3), nn.ReLU()


def _networks(case):
    """(generator, discriminator), layer by layer those of `sagan`."""
    sides = [4 * 2**k for k in range(20) if 4 * 2**k <= case.resolution]
    channels = {side: case.width * case.resolution // side for side in sides}
    first = channels[4]
    g = [_sn(nn.Linear(case.latent_dim, 16 * first)), nn.Unflatten(1, (first, 4, 4))]
    g += _normalize(first)
    for side in sides[1:]:
        up = nn.ConvTranspose2d(channels[side // 2], channels[side], 4, 2, 1, bias=False)
        g += [_sn(up), *_normalize(channels[side])]
        g += [Attention(channels[side])] if side == case.attention_at else []
    g += [_sn(nn.Conv2d(case.width, 3, 3, 1, 1)), nn.Tanh()]
    d, before = [], 3
    for side in reversed(sides[:-1]):
        d += [_sn(nn.Conv2d(before, channels[side], 4, 2, 1)), nn.LeakyReLU(0.1)]
        d += [Attention(channels[side])] if side == case.attention_at else []
        before = channels[side]
    d += [nn.Flatten(), _sn(nn.Linear(16 * before, 1))]
    return nn.Sequential(*g), nn.Sequential(*d)


def parameters(*nets):
    """Trainable numbers in some networks."""
    return sum(p.numel() for net in nets for p in net.parameters())


def build(name, case):
    """A contender.

    Args:
        name: "torch" (eager), "torch_tuned" (eager, channels last) or "torch_compile".
        case: a `case.Case`.
    """
    # No helper processes, which would go on when this one is ended.
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    torch.manual_seed(0)
    torch.backends.cudnn.allow_tf32 = False  # float32 in full, as `devices.setup` has it
    layout = torch.channels_last if name == "torch_tuned" else torch.contiguous_format
    g, d = (m.to(DEVICE, memory_format=layout) for m in _networks(case))
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
