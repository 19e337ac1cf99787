"""Where a skill gets its choices from: a seeded generator and a side of the training split.

Every list of phrasings holds some that begin with "!": those are never trained on, and the tests
of kind "phrasing" use no others. Of the operands (numbers, words, names) of a skill about one in
twenty, by its hash, is never trained on, and the tests of kind "operand" use no others.

The order in which choices are made is part of the corpus: its SHA-256 stands in the model card.
"""
import hashlib

import tables

TRAIN, PHRASING, OPERAND = "train", "phrasing", "operand"

# Of the 256 values of a hash's first byte, those below this one are held out.
HELD_OUT_BELOW = 13
DRAWS_AT_MOST = 10_000
# Questions that keep their capital letter behind a polite prefix.
CAPITALISED = ["I", "TON", "GPU", "VRAM", "NAT", *tables.NAMES]


class Source:
    """Choices for one side of the split: TRAIN, PHRASING or OPERAND."""

    def __init__(self, rng, split):
        self.rng = rng
        self.split = split

    def pick(self, phrasings):
        """One of the phrasings on this side; trained ones where none is held out."""
        held_out = [text[1:] for text in phrasings if text.startswith("!")]
        if self.split == PHRASING and held_out:
            return self.rng.choice(held_out)
        return self.rng.choice([text for text in phrasings if not text.startswith("!")])

    def draw(self, make, key_of):
        """Operands from `make` on this side; `key_of` says which of them count as the same."""
        for _ in range(DRAWS_AT_MOST):
            operands = make()
            if is_held_out(key_of(operands)) == (self.split == OPERAND):
                return operands
        raise RuntimeError("no operands on this side of the split")

    def turn(self, phrasing, answer, **fields):
        """A conversation of one turn: the phrasing with its fields, and the answer."""
        return [(self.vary(phrasing.format(**fields)), answer)]

    def vary(self, question):
        """A training question as people type it: polite, in lower case, without the last dot."""
        if self.split != TRAIN:
            return question
        rng = self.rng
        chance = rng.random()
        if chance < 0.16:
            prefix = rng.choice(tables.PREFIXES)
            opens_sentence = prefix[-2] in "!:" or question.split(" ")[0] in CAPITALISED
            question = prefix + (question if opens_sentence else uncapitalised(question))
        elif chance < 0.24:
            question += rng.choice(tables.SUFFIXES)
        chance = rng.random()
        if chance < 0.10:
            question = question.lower()
        elif chance < 0.14:
            question = uncapitalised(question)
        if rng.random() < 0.10 and question[-1] in "?.!":
            question = question[:-1]
        return question


def is_held_out(key):
    return hashlib.md5(repr((key,)).encode()).digest()[0] < HELD_OUT_BELOW


def capitalised(text):
    return text[0].upper() + text[1:]


def uncapitalised(text):
    return text[0].lower() + text[1:]


def with_article(noun):
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def without_article(noun):
    first, _, rest = noun.partition(" ")
    return rest if rest and first in ("a", "an", "the") else noun
