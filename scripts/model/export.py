"""Writes the trained model as one GGUF file of the architecture "llama".

Usage:  python export.py [--type q8_0|f16|f32] [--out tiny-chat-q8_0.gguf]
Input:  data/model.pt, data/tok.model
"""
import argparse

import gguf
import numpy as np
import torch

import tokenizer
from network import CHECKPOINT

# The template writes <s> itself; a program that adds one too must not write both.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] != 'system' or message['content'] %}"
    "{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}")
FILE_TYPES = {"q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "f16": gguf.LlamaFileType.MOSTLY_F16,
              "f32": gguf.LlamaFileType.ALL_F32}
Q8_0 = gguf.GGMLQuantizationType.Q8_0


def add_description(writer, config, kind):
    writer.add_name("Tiny Chat")
    writer.add_description(
        "A very small demo chat model, trained from scratch on a synthetic closed-world corpus.")
    writer.add_license("CC0-1.0")
    writer.add_languages(["en"])
    writer.add_context_length(config["ctx"])
    writer.add_embedding_length(config["dim"])
    writer.add_block_count(config["layers"])
    writer.add_feed_forward_length(config["hidden"])
    writer.add_head_count(config["heads"])
    writer.add_head_count_kv(config["kv_heads"])
    writer.add_layer_norm_rms_eps(config["eps"])
    writer.add_rope_dimension_count(config["dim"] // config["heads"])
    writer.add_rope_freq_base(config["rope_base"])
    writer.add_vocab_size(config["vocab"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_file_type(FILE_TYPES[kind])


def add_tokenizer(writer, pieces):
    ids = range(pieces.vocab_size())
    writer.add_tokenizer_model("llama")  # SentencePiece BPE with byte fallback
    writer.add_token_list([pieces.id_to_piece(token).encode() for token in ids])
    writer.add_token_scores([pieces.get_score(token) for token in ids])
    writer.add_token_types([token_type(pieces, token) for token in ids])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(tokenizer.BEGIN)
    writer.add_eos_token_id(tokenizer.END)  # "<|end|>" ends both a turn and the text
    writer.add_eot_token_id(tokenizer.END)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def token_type(pieces, token):
    if pieces.is_unknown(token):
        return gguf.TokenType.UNKNOWN
    if pieces.is_control(token):
        return gguf.TokenType.CONTROL
    return gguf.TokenType.BYTE if pieces.is_byte(token) else gguf.TokenType.NORMAL


def add_weights(writer, state, kind):
    """Matrices in the type asked for, vectors as F32; no output.weight, it is the embedding."""
    for name, tensor in state.items():
        weights = np.ascontiguousarray(tensor.float().numpy())
        if weights.ndim == 2 and kind == "q8_0":
            writer.add_tensor(name, gguf.quants.quantize(weights, Q8_0), raw_dtype=Q8_0)
        elif weights.ndim == 2 and kind == "f16":
            writer.add_tensor(name, weights.astype(np.float16))
        else:
            writer.add_tensor(name, weights)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--type", choices=list(FILE_TYPES), default="q8_0")
    arguments.add_argument("--out", default="tiny-chat-q8_0.gguf")
    given = arguments.parse_args()
    saved = torch.load(CHECKPOINT, map_location="cpu")
    writer = gguf.GGUFWriter(given.out, "llama")
    add_description(writer, saved["cfg"], given.type)
    add_tokenizer(writer, tokenizer.load())
    add_weights(writer, saved["state"], given.type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print("wrote", given.out, "from step", saved["step"])


if __name__ == "__main__":
    main()
