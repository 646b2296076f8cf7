"""A GPT in under 100 lines: it reads names letter by letter and makes up new ones. The comments name the exercises."""

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm import nn, optim
from tinygrad_norm.lessons.labs.names import make_names

LETTERS = ".abcdefghijklmnopqrstuvwxyz"  # the dot begins and ends a name
WIDTH, HEADS, BLOCKS, CONTEXT = 32, 4, 2, 10

names = make_names(1200)
padded = [("." + name + ".").ljust(CONTEXT + 1, ".") for name in names]
ids = np.array([[LETTERS.index(letter) for letter in name] for name in padded])
real = np.arange(CONTEXT) <= np.array([[len(name)] for name in names])  # up to the dot that ends the name
TRAINING = 1000  # the names after these are kept for the end


class Block(nn.Module):
    """A Transformer block: the letters look at each other, then each thinks for itself."""

    def __init__(self, norm):
        self.norm1, self.norm2 = norm(WIDTH), norm(WIDTH)
        self.attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        """Return the letters' vectors, each with what it has learned from those before it."""
        h = self.norm1(x)  # layer norm: exercises 3 and 10; RMS norm: 23
        h, _ = self.attn(h, h, h, need_weights=False, is_causal=True)  # the mask: exercise 12
        middle = x + h  # used twice: exercise 15
        h = F.relu(self.wide(self.norm2(middle)))  # products and bias: exercises 18 and 17; the kink: 16
        return middle + self.narrow(h)


class GPT(nn.Module):
    """Letters and places become vectors, blocks work on them, and scores for the next letter come out."""

    def __init__(self, norm):
        self.letters, self.places = nn.Embedding(len(LETTERS), WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList([Block(norm) for _ in range(BLOCKS)])
        self.norm, self.scores = norm(WIDTH), nn.Linear(WIDTH, len(LETTERS))

    def forward(self, ids):
        """Return a score for each letter that may come next, at every place."""
        x = self.letters(ids) + self.places(np.arange(ids.shape[1]))  # over the batch: exercise 6
        for block in self.blocks:
            x = block(x)
        return self.scores(self.norm(x))


def loss_of(model, rows):
    """Return how surprised the model is by each next letter, in nats."""
    scores = model(ids[rows, :-1])
    return F.cross_entropy(scores[real[rows]], ids[rows, 1:][real[rows]])


def train(norm, seed=0, steps=400):
    """Return a trained model and its losses."""
    tg.manual_seed(seed)
    model, order, losses = GPT(norm).astype("float32"), np.random.default_rng(seed), []
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    schedule = optim.CosineAnnealingLR(optimizer, T_max=steps)
    for _ in range(steps):
        optimizer.zero_grad()  # exercise 19
        loss = loss_of(model, order.integers(TRAINING, size=64))
        loss.backward()  # exercise 14
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return model, losses


def sample(model, count, seed=0):
    """Return names that the model makes up, letter by letter."""
    dice, made = np.random.default_rng(seed), np.zeros((count, 1), dtype=int)
    with tg.no_grad():
        for _ in range(CONTEXT):
            chance = F.softmax(model(made[:, -CONTEXT:])[:, -1], axis=-1).numpy()
            drawn = [dice.choice(len(LETTERS), p=p / p.sum()) for p in chance.astype(float)]
            made = np.concatenate([made, np.array(drawn)[:, None]], axis=1)
    return ["".join(LETTERS[i] for i in row[1:]).partition(".")[0] for row in made]


if __name__ == "__main__":
    for norm in (nn.LayerNorm, nn.RMSNorm, nn.DyT):
        model, losses = train(norm)
        with tg.no_grad():
            unseen = loss_of(model, slice(TRAINING, None)).item()
        print(f"{norm.__name__}: loss {losses[0]:.2f}, at the end {losses[-1]:.2f}, on unseen names {unseen:.2f}")
        print(*sample(model, 20))
