"""Greedy accuracy of the checkpoint on the held-out tests, by skill.

Usage:  python evaluate.py [--limit N] [--show N]
Input:  data/model.pt, data/tok.model, data/heldout.jsonl, freeform.tsv
Output: a table, and data/predictions.jsonl (each test with its output) for verify.ts

An answer passes only where it is equal to the expected one, character by character. A story passes
where it names each thing that was asked for, has three to five sentences, and ends by itself. A
free-form question (written by hand, not by the generator) passes where the answer holds its key.
"""
import argparse
import json
from collections import defaultdict
from pathlib import Path

import torch

import tokenizer
from corpus import DATA
from network import CHECKPOINT, TinyChat

FREE_FORM = "(free form)"
BATCH = 50
LONG_ANSWER, SHORT_ANSWER = 130, 60


def read_tests():
    """Tests by (skill, kind), in order of appearance."""
    groups = defaultdict(list)
    with open(DATA / "heldout.jsonl", encoding="utf8") as file:
        for line in file:
            test = json.loads(line)
            groups[test["skill"], test["kind"]].append(test)
    with open(Path(__file__).with_name("freeform.tsv"), encoding="utf8") as file:
        for line in file:
            question, key = line.rstrip("\n").split("\t")
            groups[FREE_FORM, "free form"].append({
                "skill": FREE_FORM, "kind": "free form", "key": key, "answer": key,
                "messages": [{"role": "user", "content": question}]})
    return groups


@torch.no_grad()
def generate(model, prompts, most):
    """Greedy answers of a batch, and whether each ended by itself.

    Rows are padded on the right, which a causal model cannot see: no mask is needed.
    """
    count = len(prompts)
    every = torch.arange(count)
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    ids = torch.zeros(count, int(lengths.max()) + most, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, :len(prompt)] = torch.tensor(prompt)
    running = torch.ones(count, dtype=torch.bool)
    answers = [[] for _ in prompts]
    for _ in range(most):
        last = model.hidden(ids[:, :int(lengths.max())])[every, lengths - 1]
        chosen = model.logits(last).argmax(-1)
        running &= chosen != tokenizer.END
        if not running.any():
            break
        ids[every, lengths] = chosen
        lengths += running.long()
        for row in running.nonzero().flatten().tolist():
            answers[row].append(int(chosen[row]))
    return answers, [not still for still in running.tolist()]


def passes(test, text, ended):
    if not ended:
        return False
    if "key" in test:
        return test["key"] in text.lower()
    if "must" in test:
        return 3 <= text.count(".") <= 5 and all(thing in text for thing in test["must"])
    return text == test["answer"]


def run(model, pieces, tests):
    """Each test with its output and whether it passed."""
    long = tests[0]["skill"] in ("story", FREE_FORM)
    for at in range(0, len(tests), BATCH):
        part = tests[at:at + BATCH]
        prompts = [tokenizer.encode_chat(pieces, test["messages"], ask=True)[0] for test in part]
        answers, ended = generate(model, prompts, LONG_ANSWER if long else SHORT_ANSWER)
        for test, answer, done in zip(part, answers, ended):
            text = pieces.decode(answer)
            yield {**test, "output": text, "passed": passes(test, text, done)}


def print_table(step, score, totals):
    print(f"step {step}\n| skill | held-out phrasings | held-out operands |\n| --- | --- | --- |")
    for skill, kinds in score.items():
        if skill != FREE_FORM:
            print(f"| {skill} | {kinds.get('phrasing', '-')} | {kinds.get('operand', '-')} |")
    rates = {kind: f"{good}/{count} = {100 * good / count:.1f} %"
             for kind, (good, count) in totals.items()}
    print(f"| **all** | {rates['phrasing']} | {rates['operand']} |\n")
    print(f"free form: {rates['free form']}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--limit", type=int, default=0, help="tests of a skill and kind; 0: all")
    arguments.add_argument("--show", type=int, default=0, help="failed tests of a skill to print")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    saved = torch.load(CHECKPOINT, map_location="cpu")
    model = TinyChat(saved["cfg"])
    model.load_state_dict(saved["state"])
    model.eval()
    pieces = tokenizer.load()
    score, totals = defaultdict(dict), defaultdict(lambda: (0, 0))
    with open(DATA / "predictions.jsonl", "w", encoding="utf8") as file:
        for (skill, kind), tests in read_tests().items():
            results = list(run(model, pieces, tests[:given.limit or None]))
            for result in results:
                file.write(json.dumps(result, ensure_ascii=False) + "\n")
            failed = [result for result in results if not result["passed"]]
            for result in failed[:given.show]:
                print(f"  [{skill}/{kind}] {result['messages'][-1]['content']!r}\n"
                      f"     got {result['output']!r}\n     not {result['answer']!r}")
            good = len(results) - len(failed)
            score[skill][kind] = f"{good}/{len(results)}"
            totals[kind] = (totals[kind][0] + good, totals[kind][1] + len(results))
    print_table(saved["step"], score, totals)


if __name__ == "__main__":
    main()
