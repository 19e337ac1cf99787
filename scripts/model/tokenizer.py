"""The tokenizer and the chat format: text to token ids, and which of them are to be learned."""
import sentencepiece

from corpus import DATA

VOCABULARY = 2048
BEGIN, END = 1, 2  # "<s>" and "<|end|>", which closes every turn
ROLES = {"system": 3, "user": 4, "assistant": 5}  # "<|system|>", "<|user|>", "<|assistant|>"
FILE = DATA / "tok.model"


def load():
    return sentencepiece.SentencePieceProcessor(model_file=str(FILE))


def train(conversations):
    """Byte pair encoding with byte fallback; a newline becomes the byte token <0x0A>."""
    lines = (line for conversation in conversations for message in conversation["messages"]
             for line in message["content"].split("\n"))
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_prefix=str(FILE.with_suffix("")),
        model_type="bpe",
        vocab_size=VOCABULARY,
        byte_fallback=True,
        character_coverage=1.0,
        split_digits=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        unk_id=0,
        bos_id=BEGIN,
        eos_id=END,
        pad_id=-1,
        eos_piece="<|end|>",
        control_symbols=["<|system|>", "<|user|>", "<|assistant|>"],
        num_threads=1,
        minloglevel=2,
    )


def encode_chat(pieces, messages, ask=False):
    """Token ids of a conversation, and beside each whether it is to be learned: 0 or 1.

    A turn is <|role|>, a newline, the text, <|end|>, a newline. Learned is what the assistant says
    and the <|end|> behind it. `ask` opens a turn of the assistant at the end.
    """
    newline = pieces.encode("\n")
    ids, learned = [BEGIN], [0]
    for message in messages:
        text = pieces.encode(message["content"])
        ids += [ROLES[message["role"]], *newline, *text, END, *newline]
        own = int(message["role"] == "assistant")
        learned += [0] * (1 + len(newline)) + [own] * (len(text) + 1) + [0] * len(newline)
    if ask:
        ids += [ROLES["assistant"], *newline]
        learned += [0] * (1 + len(newline))
    return ids, learned
