"""Writes the training corpus and the held-out tests; equal byte for byte for the same seed.

Usage:  python corpus.py [--turns 420000] [--tests 100] [--seed 7] [--hash]
Output: data/train.jsonl    a conversation a line: {"messages": [{"role", "content"}, ...]}
        data/heldout.jsonl  a test a line: {"skill", "kind", "messages", "answer", "must"?}

--hash writes nothing: it prints the SHA-256 of train.jsonl, which stands in the model card.
"""
import argparse
import hashlib
import json
import os
import random
from pathlib import Path

import skills_facts as facts
import skills_numbers as numbers
import skills_talk as talk
import tables
from source import OPERAND, PHRASING, TRAIN, Source, without_article

DATA = Path(__file__).resolve().parent / "data"

# Name: skill, share of the turns, whether it has operands that are held out.
SKILLS = {
    "add": (numbers.add, 11, True),
    "subtract": (numbers.subtract, 9, True),
    "multiply": (numbers.multiply, 4, False),
    "divide": (numbers.divide, 2.5, False),
    "word problem": (numbers.word_problem, 4, True),
    "compare": (numbers.compare, 5, True),
    "numbers": (numbers.numbers, 4, True),
    "letters": (facts.letters, 11, True),
    "capitals": (facts.capitals, 8, False),
    "capital of": (facts.capital_of, 4, False),
    "continents": (facts.continents, 3, False),
    "animals": (facts.animals, 4, False),
    "colours": (facts.colours, 1.5, False),
    "calendar": (facts.calendar, 3.5, False),
    "units": (facts.units, 2.5, False),
    "opposites": (facts.opposites, 3, False),
    "synonyms": (facts.synonyms, 1.5, False),
    "rhymes": (facts.rhymes, 2, False),
    "translate": (facts.translate, 10, False),
    "translate back": (facts.translate_back, 4, False),
    "facts": (facts.facts, 2.5, False),
    "glossary": (facts.glossary, 11, False),
    "talk": (talk.talk, 5, False),
    "memory": (talk.memory, 4, True),
    "follow-up": (talk.follow_up, 4, False),
    "refuse": (talk.refuse, 8, False),
    "story": (talk.story, 5, True),
}


def conversations(rng, turns_wanted):
    """Lines of the training file, as bytes, until they hold enough turns."""
    names = list(SKILLS)
    shares = [share for _, share, _ in SKILLS.values()]
    source, done = Source(rng, TRAIN), 0
    while done < turns_wanted:
        turns = []
        for name in rng.choices(names, shares, k=rng.choice([1, 1, 1, 2, 3, 4])):
            turns += SKILLS[name][0](source)
        done += len(turns)
        system = system_message(rng) if rng.random() < 0.2 else None
        yield json.dumps({"messages": chat(turns, system)}, ensure_ascii=False).encode() + b"\n"


def system_message(rng):
    """Mostly a usual sentence or two; else a long mix, so that the answer does not depend on it."""
    if rng.random() < 0.6:
        return " ".join(rng.sample(tables.SYSTEM, rng.choice([1, 1, 2])))
    terms = [row[rng.choice([1, 2])] for row in rng.sample(tables.GLOSSARY, 12)]
    pool = tables.SYSTEM + tables.SYSTEM_MORE + terms
    return rng.choice([" ", " ", "\n"]).join(rng.sample(pool, rng.randint(2, 6)))


def held_out_tests(rng, per_skill):
    """Tests, as dictionaries: phrasings first, then operands; no conversation twice in a skill."""
    for kind in (PHRASING, OPERAND):
        source = Source(rng, kind)
        for name, (skill, _, has_operands) in SKILLS.items():
            if kind == OPERAND and not has_operands:
                continue
            seen = set()
            for _ in range(per_skill * 5):
                turns = skill(source)
                key = json.dumps(turns)
                if key in seen or len(seen) >= per_skill:
                    continue
                seen.add(key)
                yield as_test(name, kind, turns)


def as_test(skill, kind, turns):
    """The last answer is asked for. A story must name its two things; its words are free."""
    test = {"skill": skill, "kind": kind, "messages": chat(turns)[:-1], "answer": turns[-1][1]}
    if skill == "story":
        about = turns[0][0].split(" about ")[-1].rstrip(".?")
        test["must"] = [without_article(thing) for thing in about.split(" and ")]
    return test


def chat(turns, system=None):
    messages = [{"role": "system", "content": system}] if system else []
    for question, answer in turns:
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": answer})
    return messages


def write_tests(path, seed, per_skill):
    with open(path, "w", encoding="utf8") as file:
        for test in held_out_tests(random.Random(seed + 1), per_skill):
            file.write(json.dumps(test, ensure_ascii=False) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--turns", type=int, default=420_000)
    arguments.add_argument("--tests", type=int, default=100, help="for each skill and kind")
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--hash", action="store_true", help="print the hash, write nothing")
    given = arguments.parse_args()
    if not given.hash:
        DATA.mkdir(exist_ok=True)
    digest = hashlib.sha256()
    with open(os.devnull if given.hash else DATA / "train.jsonl", "wb") as file:
        for line in conversations(random.Random(given.seed), given.turns):
            digest.update(line)
            file.write(line)
    print(digest.hexdigest())
    if not given.hash:
        write_tests(DATA / "heldout.jsonl", given.seed, given.tests)


if __name__ == "__main__":
    main()
