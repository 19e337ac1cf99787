"""Trains the model from scratch on the corpus.

Usage:  OMP_NUM_THREADS=1 python train.py [--steps 1650] [--seed 7]
Input:  data/train.jsonl
Output: data/tok.model, data/train.npz (the corpus as token ids), data/model.pt
"""
import argparse
import itertools
import json
import time

import numpy as np
import torch
from torch import nn

import tokenizer
from corpus import DATA
from muon import Muon
from network import CHECKPOINT, CONFIG, TinyChat

TRAINING = DATA / "train.jsonl"
TOKENISED = DATA / "train.npz"
TOKENIZER_CONVERSATIONS = 60_000
# Rows are short at first and whole contexts for the last fifth of the steps.
SHORT, LONG, LONG_FROM = 256, CONFIG["ctx"], 0.8
WARM_UP_STEPS, DECAY_SHARE, LEAST_RATE = 40, 0.55, 0.02
REPORT_EVERY, SAVE_EVERY = 20, 200


def read_conversations():
    with open(TRAINING, encoding="utf8") as file:
        for line in file:
            yield json.loads(line)


def tokenised(pieces):
    """The corpus as one stream of token ids, with the mask of those to be learned."""
    if not TOKENISED.exists():
        ids, learned = [], []
        for conversation in read_conversations():
            some, mask = tokenizer.encode_chat(pieces, conversation["messages"])
            ids.append(np.array(some, np.int16))
            learned.append(np.array(mask, bool))
        np.savez(TOKENISED, ids=np.concatenate(ids), learn=np.concatenate(learned))
    arrays = np.load(TOKENISED)
    return arrays["ids"], arrays["learn"]


def rows(ids, learned, length, seed):
    """One shuffled pass over the stream, in rows that begin where a conversation begins."""
    starts = np.flatnonzero(ids == tokenizer.BEGIN)
    rng = np.random.default_rng(seed)
    marks = np.arange(rng.integers(length), starts[-1] - 2 * length, length)
    for start in starts[np.searchsorted(starts, rng.permutation(marks))]:
        if start + length < len(ids):
            yield ids[start:start + length + 1], learned[start:start + length + 1]


class Batches:
    """Batches of rows, pass after pass; a change of length begins a new pass."""

    def __init__(self, ids, learned, seed):
        self.ids, self.learned, self.seed = ids, learned, seed
        self.epoch, self.length, self.stream = 0, 0, iter(())

    def take(self, count, length):
        if length != self.length:
            self.length, self.stream = length, iter(())
        batch = []
        while len(batch) < count:
            row = next(self.stream, None)
            if row is None:
                self.stream = rows(self.ids, self.learned, length, self.seed + self.epoch)
                self.epoch += 1
            else:
                batch.append(row)
        return (torch.from_numpy(np.stack([ids for ids, _ in batch]).astype(np.int64)),
                torch.from_numpy(np.stack([mask for _, mask in batch])))


def optimisers(model, rate):
    """Muon for the matrices of the blocks, AdamW for embeddings and norms."""
    matrices = [weights for weights in model.blk.parameters() if weights.dim() == 2]
    vectors = [weights for weights in model.parameters() if weights.dim() == 1]
    adam = [{"params": [model.token_embd.weight], "lr": 3e-3}, {"params": vectors, "lr": 3e-3}]
    both = [Muon(matrices, lr=rate),
            torch.optim.AdamW(adam, betas=(0.9, 0.97), weight_decay=0)]
    for optimiser in both:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return both


def rate_at(step, steps):
    """A short warm-up, then flat, then straight down to almost nothing."""
    falling = (steps - step) / (DECAY_SHARE * steps)
    return min(1.0, (step + 1) / WARM_UP_STEPS, max(LEAST_RATE, falling))


def fit(model, batches, given):
    both = optimisers(model, given.lr)
    began = time.time()
    for step in range(given.steps):
        length = SHORT if step < LONG_FROM * given.steps else LONG
        ids, learned = batches.take(given.tokens // length, length)
        rate = rate_at(step, given.steps)
        for optimiser in both:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * rate
        loss = model.loss(ids, learned)
        model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in both:
            optimiser.step()
        last = step == given.steps - 1
        if step % REPORT_EVERY == 0 or last:
            seconds = time.time() - began
            print(f"step {step} epoch {batches.epoch} {seconds:.0f} s "
                  f"{(step + 1) * given.tokens / seconds:.0f} tokens/s loss {loss.item():.4f}",
                  flush=True)
        if step % SAVE_EVERY == SAVE_EVERY - 1 or last:
            state = model.state_dict()
            torch.save({"cfg": CONFIG, "step": step + 1, "state": state}, CHECKPOINT)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--steps", type=int, default=1650)
    arguments.add_argument("--tokens", type=int, default=6144, help="in a step")
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--lr", type=float, default=0.02, help="of Muon; AdamW has its own")
    arguments.add_argument("--no-compile", action="store_true", help="no torch.compile (or g++)")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    if not tokenizer.FILE.exists():
        tokenizer.train(list(itertools.islice(read_conversations(), TOKENIZER_CONVERSATIONS)))
    ids, learned = tokenised(tokenizer.load())
    print(f"corpus {len(ids)} tokens, {learned.mean():.3f} learned", flush=True)
    model = TinyChat()
    print("parameters", sum(weights.numel() for weights in model.parameters()), flush=True)
    if not given.no_compile:
        model.hidden = torch.compile(model.hidden, dynamic=False)
    fit(model, Batches(ids, learned, given.seed), given)


if __name__ == "__main__":
    main()
