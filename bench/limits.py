"""How fast a step could be on this machine: the same formulas that `attune plan` uses, over measured ceilings.

limit_soft: the step's matrix products at the speed that each shape reaches alone, attention at the speed of a large
product, elementwise work and the update at the speed of a copy. limit_hard: all arithmetic at the speed of a loop of
multiply-adds in registers, or all traffic at the speed of a copy, and the update.
"""

import dataclasses


def triangle(n):
    return n * (n + 1) // 2


@dataclasses.dataclass(frozen=True)
class Shape:
    """A llama: L layers, d wide, h query and k key heads of e, f in the feed-forward, V tokens."""
    L: int
    d: int
    h: int
    k: int
    e: int
    f: int
    V: int
    tied: bool

    @staticmethod
    def of(config):
        heads = config["num_attention_heads"]
        return Shape(config["num_hidden_layers"], config["hidden_size"], heads, config["num_key_value_heads"],
                     config["hidden_size"] // heads, config["intermediate_size"], config["vocab_size"],
                     config["tie_word_embeddings"])

    def parameters(self):
        block = 2 * self.d * self.h * self.e + 2 * self.d * self.k * self.e + 3 * self.d * self.f + 2 * self.d
        return self.L * block + self.d + self.V * self.d * (1 if self.tied else 2)


@dataclasses.dataclass(frozen=True)
class Work:
    """What one optimiser step has to do, each prompt once."""
    tokens: int  # through the trunk
    last: int  # of these, rows that the last block owes to a scored token
    attention: int  # (query, key) pairs
    scored: int

    @staticmethod
    def of(records):
        """Of [(prompt, answer, ...), ...] lengths; the prompt's last token predicts the first of each answer."""
        tokens = sum(map(sum, records))
        scored = sum(sum(answers) for _, *answers in records)
        attention = sum(triangle(p) + sum(p * a + triangle(a) for a in answers) for p, *answers in records)
        return Work(tokens, scored + len(records), attention, scored)

    @staticmethod
    def mean(works):
        return Work(*(round(sum(column) / len(works)) for column in zip(*map(dataclasses.astuple, works))))


def products(shape, work):
    """[(rows, outputs, inputs, how often)] of the forward pass."""
    s = shape
    layers = [(work.tokens, s.L - 1), (work.last, 1)]
    yield work.tokens, (s.h + 2 * s.k) * s.e, s.d, s.L
    for rows, count in layers:
        yield rows, s.d, s.h * s.e, count
        yield rows, 2 * s.f, s.d, count
        yield rows, s.d, s.f, count
    yield work.scored, s.V, s.d, 1


def trained(forward):
    """The products of forward and backward: y = x W^T, dx = dy W, dW = dy^T x."""
    for m, n, k, count in forward:
        for dims in ((m, n, k), (m, k, n), (n, k, m)):
            yield dims, count


def probes(shape, work):
    """The shapes whose speed must be measured to compute the limits of steps like `work`."""
    return sorted({dims for dims, _ in trained(products(shape, work))})


def elementwise_bytes(shape, work):
    s = shape
    return 4 * s.L * work.tokens * (6 * s.d + 4 * s.h * s.e + 4 * s.k * s.e + 5 * s.f) * 3


def limits(shape, work, typical, ceilings):
    """Seconds {"soft", "hard"} of one full fine-tuning step with AdamW. `typical` is the work that the ceilings' shapes
    were made from: products of other sizes go at the same speed."""
    rates = ceilings["gemm"]
    pairs = zip(trained(products(shape, work)), trained(products(shape, typical)), strict=True)
    gemm = sum(count * 2 * m * n * k / rates["x".join(map(str, known))] for ((m, n, k), count), (known, _) in pairs)
    arithmetic = sum(count * 2 * m * n * k for (m, n, k), count in trained(products(shape, work)))
    attention = 3 * 4 * shape.L * shape.h * shape.e * work.attention
    traffic = elementwise_bytes(shape, work) / ceilings["copy"]
    update = 28 * shape.parameters() / ceilings["copy"]
    hard = max((arithmetic + attention) / ceilings["registers"], traffic) + update
    return {"soft": gemm + attention / ceilings["square"] + traffic + update, "hard": hard}
