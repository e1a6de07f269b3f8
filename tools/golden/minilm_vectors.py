#!/usr/bin/env python3
"""Golden vectors for the model import: an independent BERT encoder in numpy, straight from the safetensors file.

It shares nothing with the program or with llama.cpp: tokenizer (basic + WordPiece, Devlin et al. 2018, section 4 and the paper's
reference code's documented rules), forward pass (Vaswani et al. 2017; Devlin et al. 2018; exact erf GELU), mean pooling and L2
normalisation (Reimers & Gurevych 2019) are written out here.

    python3 tools/golden/minilm_vectors.py MODEL_FOLDER > src/runtime/testdata/minilm_golden.json

Needs numpy. Shapes: T tokens, D dimensions, H heads.
"""
import json
import math
import struct
import sys
import unicodedata

import numpy as np

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "A pointer to a const object may not be used to modify that object.",
    "Über die größeren Änderungen im Straßenverkehr müssen wir heute ausführlich sprechen.",
    "for (size_t i = 0; i != vec.size(); ++i) { std::cout << vec[i] << '\\n'; }",
    "In 2024 the price rose from $1,299.99 to $1,450.00, an increase of 11.5%.",
    "猫は縁側で静かに眠っている。",
    "机器学习模型需要大量的数据。",
    "Café naïve résumé Ångström œuvre coöperate",
    "Supercalifragilisticexpialidocious antidisestablishmentarianism",
    "template <typename T> concept Hashable = requires(T a) { { std::hash<T>{}(a) } -> std::convertible_to<std::size_t>; };",
    "Wörter\tmit\u00a0geschützten   Leerzeichen\nund Zeilenumbrüchen – sowie „Anführungszeichen“…",
    "ok",
]


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        index = json.loads(file.read(length))
        start = 8 + length
        tensors = {}
        for name, entry in index.items():
            if name == "__metadata__" or entry["dtype"] != "F32":
                continue
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            tensors[name] = np.frombuffer(file.read(end - begin), dtype="<f4").reshape(entry["shape"]).astype(np.float64)
        return tensors


def is_cjk(code):
    ranges = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]
    return any(low <= code <= high for low, high in ranges)


def is_punctuation(char):
    code = ord(char)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(char).startswith("P")


def split_words(text):
    """Lower-cases, removes accents, splits at white space; punctuation and CJK characters are words of their own."""
    words, current = [], ""
    for char in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(char)
        if char.isspace() or category == "Zs":
            if current:
                words.append(current)
            current = ""
        elif category in ("Cc", "Cf") or category == "Mn" or char == "\ufffd":
            continue
        elif is_punctuation(char) or is_cjk(ord(char)):
            if current:
                words.append(current)
            words.append(char)
            current = ""
        else:
            current += char
    return words + ([current] if current else [])


def pieces_of(word, vocabulary):
    """Greedy longest match; None when some part has no piece."""
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                pieces.append(vocabulary[piece])
                start = end
                break
        else:
            return None
    return pieces


def tokenize(text, vocabulary):
    ids = [vocabulary["[CLS]"]]
    for word in split_words(text):
        ids += pieces_of(word, vocabulary) or [vocabulary["[UNK]"]]
    return ids + [vocabulary["[SEP]"]]


def layer_norm(x, weight, bias, eps):
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps) * weight + bias


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


erf = np.vectorize(math.erf)


def gelu(x):
    return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))


def embed(ids, w, config):
    eps, heads = config["layer_norm_eps"], config["num_attention_heads"]

    def linear(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(x, name):
        return layer_norm(x, w[name + ".weight"], w[name + ".bias"], eps)

    count = len(ids)
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:count] + w["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, "embeddings.LayerNorm")
    width = x.shape[1] // heads
    for layer in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}."

        def split(name):  # (T, D) -> (H, T, D/H)
            return linear(x, prefix + "attention.self." + name).reshape(count, heads, width).transpose(1, 0, 2)

        query, key, value = split("query"), split("key"), split("value")
        mixed = softmax(query @ key.transpose(0, 2, 1) / math.sqrt(width)) @ value
        mixed = mixed.transpose(1, 0, 2).reshape(count, heads * width)
        x = norm(linear(mixed, prefix + "attention.output.dense") + x, prefix + "attention.output.LayerNorm")
        inner = gelu(linear(x, prefix + "intermediate.dense"))
        x = norm(linear(inner, prefix + "output.dense") + x, prefix + "output.LayerNorm")
    pooled = x.mean(axis=0)
    return pooled / np.linalg.norm(pooled)


def main():
    folder = sys.argv[1]
    with open(folder + "/config.json", encoding="utf-8") as file:
        config = json.load(file)
    with open(folder + "/vocab.txt", encoding="utf-8") as file:
        vocabulary = {line.rstrip("\n"): i for i, line in enumerate(file)}
    weights = read_safetensors(folder + "/model.safetensors")
    cases = []
    for text in SENTENCES:
        ids = tokenize(text, vocabulary)
        cases.append({"text": text, "tokens": ids, "vector": [round(float(v), 6) for v in embed(ids, weights, config)]})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    print('{"model":"all-MiniLM-L6-v2","cases":[\n' + lines + "\n]}")


if __name__ == "__main__":
    main()
