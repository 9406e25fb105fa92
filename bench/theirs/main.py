#!/usr/bin/env python3
"""PyTorch's side of one row of the benchmark, which is the argument (Debian: python3-torch python3-torchvision, libopenblas0-pthread).

Reads from its input a number of calls, and answers with milliseconds of wall time and of processor time a call; "end" is answered with
the peak of its resident memory. `THREADS` chooses the threads.
"""
import importlib
import json
import os
import resource
import sys
import time

import torch


def answer(**value):
    print(json.dumps(value), flush=True)


def timed(work, calls):
    start, used = time.perf_counter(), time.process_time()
    for _ in range(calls):
        work()
    return {"wall": (time.perf_counter() - start) * 1e3 / calls, "cpu": (time.process_time() - used) * 1e3 / calls}


def main():
    row = json.loads(sys.argv[1])
    torch.set_num_threads(int(os.environ.get("THREADS", "1")))
    torch.manual_seed(0)
    try:
        work = importlib.import_module(row["group"]).work(row)
    except ImportError as error:
        answer(missing=f"python3 has no {error.name}")
        return
    warm = timed(work, 1)["wall"]
    answer(warm=timed(work, 1)["wall"] if warm < 3000 else warm)
    for request in sys.stdin:
        if request.strip() == "end":
            answer(peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            return
        answer(**timed(work, int(request)))


main()
