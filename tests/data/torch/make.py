"""Networks that PyTorch has trained, for tests of files that go both ways; README.md beside this says how to run it.

Without arguments it trains two networks for some steps and writes their `state_dict`s, and their inputs and outputs in
evaluation mode, beside this file. With `--check FOLDER` it reads what netform's test has written there: each `state_dict`
must load with `strict=True` and give the outputs that netform found.
"""

import argparse
import pathlib

import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
SAMPLES = 5


class Images(nn.Module):
    """Layers of images; the names of a Sequential are numbers."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.ConvTranspose2d(4, 6, 2, stride=2),
            nn.GroupNorm(2, 6),
            nn.ReLU(),
            nn.Conv2d(6, 4, 3, groups=2),
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(144, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 5)
        )

    def forward(self, x):
        return self.head(self.features(x))


class Tokens(nn.Module):
    """Layers of sequences."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(11, 8)
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.gru = nn.GRU(8, 5, batch_first=True)
        self.lstm = nn.LSTM(5, 4, batch_first=True)
        self.fc = nn.Linear(4, 3)

    def forward(self, ids):
        x = self.emb(ids)
        x, _ = self.attn(x, x, x, need_weights=False)
        x, _ = self.gru(self.norm(x))
        x, _ = self.lstm(x)
        return self.fc(x[:, -1])


def networks():
    """Each network with its inputs and targets."""
    torch.manual_seed(1)
    images = Images(), torch.randn(SAMPLES, 3, 8, 8), torch.tensor([0, 4, 2, 1, 3])
    tokens = Tokens(), torch.randint(0, 11, (SAMPLES, 6)), torch.tensor([0, 2, 1, 1, 0])
    return {"images": images, "tokens": tokens}


def train(net, x, y, steps=20):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()


def write():
    cases = {}
    for name, (net, x, y) in networks().items():
        train(net, x, y)
        net.eval()
        with torch.no_grad():
            cases[f"{name}.outputs"] = net(x)
        cases[f"{name}.inputs"] = x if x.is_floating_point() else x.to(torch.int32)
        save_file(net.state_dict(), HERE / f"{name}.safetensors", metadata={"format": "pt"})
    save_file(cases, HERE / "cases.safetensors")


def check(folder):
    outputs = load_file(folder / "outputs.safetensors")
    cases = load_file(HERE / "cases.safetensors")
    for name, (net, x, _) in networks().items():
        net.load_state_dict(load_file(folder / f"{name}.safetensors"), strict=True)
        net.eval()
        x = cases[f"{name}.inputs"].to(x.dtype)
        with torch.no_grad():
            difference = (net(x) - outputs[name]).abs().max().item()
        print(f"{name}: all keys match, outputs differ by at most {difference:.1e}")
        assert difference < 1e-5, name


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=pathlib.Path, metavar="FOLDER")
    folder = parser.parse_args().check
    check(folder) if folder else write()
