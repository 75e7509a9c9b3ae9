"""What this machine gives right now: multiply-adds in registers, matrix products of asked shapes, a memory copy.

Long-lived, asked between blocks.
"""

import ctypes
import pathlib
import subprocess
import time

import torch

import serve


def compiled(out):
    """registers.cpp, for the machine that measures."""
    library = pathlib.Path(out) / "registers.so"
    source = pathlib.Path(__file__).with_name("registers.cpp")
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["g++", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source, "-lpthread"], check=True)
    registers = ctypes.CDLL(str(library)).registers
    registers.restype = ctypes.c_double
    return registers


def rate(work, run, seconds=0.15):
    """Units of work per second: the best of three windows, so that a neighbour's moment does not count."""
    run()
    best = 0
    for _ in range(3):
        start, count = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - start) < seconds / 3 or count == 0:
            run()
            count += 1
        best = max(best, work * count / (time.perf_counter() - start))
    return best


def gemm(m, n, k):
    """FLOP/s of y[m,n] = x[m,k] w[n,k]^T."""
    x, w, y = torch.randn(m, k), torch.randn(n, k), torch.empty(m, n)
    return rate(2 * m * n * k, lambda: torch.mm(x, w.t(), out=y))


def copy(megabytes=256):
    """Bytes per second, read and written both counted."""
    source = torch.ones(megabytes << 18)
    target = torch.empty_like(source)
    return rate(2 * source.numel() * 4, lambda: target.copy_(source), seconds=0.6)


def main():
    registers = compiled(serve.receive()["out"])
    serve.answer({"threads": torch.get_num_threads(), "torch": torch.__version__})
    while (request := serve.receive()) is not None:
        with torch.no_grad():
            serve.answer({"registers": max(registers(torch.get_num_threads()) for _ in range(3)), "copy": copy(),
                          "gemm": [gemm(*shape) for shape in request["shapes"]]})


if __name__ == "__main__":
    main()
