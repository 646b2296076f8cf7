"""A GPT in under 100 lines: it makes up names. The comments name the exercises."""

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
lengths = np.array([[len(name)] for name in names])
real = np.arange(CONTEXT) <= lengths  # up to the dot that ends the name
TRAINING = 1000  # the names after these are kept for the end


class Block(nn.Module):
    """A Transformer block: the letters look at each other, then each thinks for itself."""

    def __init__(self, norm):
        self.norm1, self.norm2 = norm(WIDTH), norm(WIDTH)
        self.attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.wide = nn.Linear(WIDTH, 4 * WIDTH)
        self.narrow = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        """Return the vectors, each with what it learned from those before it."""
        h = self.norm1(x)  # layer norm: exercises 3 and 10; RMS norm: 23
        h, _ = self.attn(h, h, h, need_weights=False, is_causal=True)  # exercise 12
        middle = x + h  # x is used twice: exercise 15
        h = F.relu(self.wide(self.norm2(middle)))  # exercises 16, 17, 18
        return middle + self.narrow(h)


class GPT(nn.Module):
    """Letters and places become vectors; scores for the next letter come out."""

    def __init__(self, norm):
        self.letters = nn.Embedding(len(LETTERS), WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList([Block(norm) for _ in range(BLOCKS)])
        self.norm, self.scores = norm(WIDTH), nn.Linear(WIDTH, len(LETTERS))

    def forward(self, ids):
        """Return a score for each letter that may come next, at every place."""
        x = self.letters(ids) + self.places(np.arange(ids.shape[1]))  # exercise 6
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
    model, losses = GPT(norm).astype("float32"), []
    order = np.random.default_rng(seed)
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
            scores = model(made[:, -CONTEXT:])[:, -1].astype(float)
            chances = F.softmax(scores, axis=-1).numpy()
            drawn = [dice.choice(len(LETTERS), p=p) for p in chances]
            made = np.concatenate([made, np.array(drawn)[:, None]], axis=1)
    return ["".join(LETTERS[i] for i in row[1:]).partition(".")[0] for row in made]


if __name__ == "__main__":
    for norm in (nn.LayerNorm, nn.RMSNorm, nn.DyT):
        model, losses = train(norm)
        with tg.no_grad():
            unseen = loss_of(model, slice(TRAINING, None)).item()
        print(f"{norm.__name__}: {losses[0]:.2f}, {losses[-1]:.2f}, unseen {unseen:.2f}")
        print(*sample(model, 20))
