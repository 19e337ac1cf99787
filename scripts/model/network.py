"""The network: a plain stack of Llama blocks, whose parameters have their GGUF names.

RMSNorm, rotary positions over interleaved pairs, grouped-query attention, SwiGLU, tied embeddings:
the GGUF architecture "llama" takes the weights as they are.
"""
import math

import torch
from torch import nn
from torch.nn import functional

from corpus import DATA
from tokenizer import VOCABULARY

CONFIG = {"vocab": VOCABULARY, "dim": 192, "layers": 5, "heads": 6, "kv_heads": 2, "hidden": 512,
          "ctx": 512, "eps": 1e-5, "rope_base": 10000.0}
CHECKPOINT = DATA / "model.pt"


def rotate(x, cos, sin):
    """Rotary positions (Su and others, arXiv 2104.09864), pairs side by side."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        dim, hidden = config["dim"], config["hidden"]
        self.heads, self.kv_heads = config["heads"], config["kv_heads"]
        self.head_dim = dim // self.heads
        kv_dim = self.kv_heads * self.head_dim
        self.attn_norm = nn.RMSNorm(dim, config["eps"])
        self.ffn_norm = nn.RMSNorm(dim, config["eps"])
        self.attn_q = nn.Linear(dim, dim, bias=False)
        self.attn_k = nn.Linear(dim, kv_dim, bias=False)
        self.attn_v = nn.Linear(dim, kv_dim, bias=False)
        self.attn_output = nn.Linear(dim, dim, bias=False)
        self.ffn_gate = nn.Linear(dim, hidden, bias=False)
        self.ffn_up = nn.Linear(dim, hidden, bias=False)
        self.ffn_down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x, cos, sin):
        x = x + self.attend(self.attn_norm(x), cos, sin)
        h = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(h)) * self.ffn_up(h))

    def attend(self, h, cos, sin):
        queries = rotate(self.split(self.attn_q(h), self.heads), cos, sin)
        keys = rotate(self.split(self.attn_k(h), self.kv_heads), cos, sin)
        values = self.split(self.attn_v(h), self.kv_heads)
        shared_by = self.heads // self.kv_heads
        mixed = functional.scaled_dot_product_attention(
            queries, keys.repeat_interleave(shared_by, 1), values.repeat_interleave(shared_by, 1),
            is_causal=True)
        return self.attn_output(mixed.transpose(1, 2).reshape(h.shape))

    def split(self, x, heads):
        """(batch, time, heads * head_dim) to (batch, heads, time, head_dim)."""
        return x.view(*x.shape[:2], heads, self.head_dim).transpose(1, 2)


class TinyChat(nn.Module):
    def __init__(self, config=CONFIG):
        super().__init__()
        self.token_embd = nn.Embedding(config["vocab"], config["dim"])
        self.blk = nn.ModuleList(Block(config) for _ in range(config["layers"]))
        self.output_norm = nn.RMSNorm(config["dim"], config["eps"])
        head_dim = config["dim"] // config["heads"]
        frequencies = config["rope_base"] ** (-torch.arange(0, head_dim, 2).float() / head_dim)
        angles = torch.outer(torch.arange(config["ctx"]).float(), frequencies)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.initialise(config["layers"])

    def initialise(self, layers):
        """Normal weights; what writes into the residual stream starts smaller, by its depth."""
        for name, weights in self.named_parameters():
            if weights.dim() == 2:
                writes = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(weights, 0, 0.02 / math.sqrt(2 * layers) if writes else 0.02)

    def hidden(self, ids):
        time = ids.shape[1]
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, self.cos[:time], self.sin[:time])
        return self.output_norm(x)

    def logits(self, hidden):
        return hidden @ self.token_embd.weight.T

    def forward(self, ids):
        return self.logits(self.hidden(ids))

    def loss(self, ids, learned):
        """Cross entropy on learned tokens only; the others never reach the vocabulary."""
        targets = learned[:, 1:]
        wanted = self.hidden(ids[:, :-1])[targets]
        return functional.cross_entropy(self.logits(wanted).float(), ids[:, 1:][targets])
