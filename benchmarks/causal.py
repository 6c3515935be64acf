"""What a predicted rating costs in training as histories get longer: the causal transformer next to BST.

    python benchmarks/causal.py [--json] [--repeat 3] [--quick]

All on MovieLens 1M (from where `recnb.datasets.load` finds it, or made up in the same size), on the CPU. BST reads a
history once for each rating that it predicts; the causal model reads a segment of a history once for all ratings in it.
Both are two layers of width 64 with four heads, both train in a `Learner` with all that belongs to a step (gathering,
forward, backward, optimizer), and the first batch is not counted. The matrix factorization under the causal model is
there but not fitted, which costs the same. All run in float32, and the causal model once more in bfloat16 where the
processor has it, as it then does by itself. Batches are of 4096 targets for the causal model, and of 40,960 cells
(targets times length) for BST. The contenders take turns, each over the same batches every time, and the best of
`--repeat` rounds counts, after one to warm up.
"""
import argparse, json, sys
from contextlib import redirect_stdout
from functools import partial
from time import perf_counter

from history import CELLS, measure, ratings
import torch
from fastai.basics import Callback, CancelFitException, set_seed
from recnb.bst import bst_learner
from recnb.causal import causal_learner
from recnb.history_loader import HistoryDataLoaders, SegmentDataLoaders
from recnb.split import split
from recnb.stacked_mf import StackedMF
from recnb.training import AutocastBF16, fit_quietly, has_bf16

TARGET = 3. # the causal model's cost at the largest length over that at the smallest
LENGTHS, BS, NET = (10, 25, 50, 100, 200), 4096, dict(width=64, ff=128, layers=2, heads=4)


class Clock(Callback):
    "Time batches after the first, and end the fit after `n` of their targets"
    order = 70 # after everything else that a batch brings
    def __init__(self, n): self.n = n
    def before_fit(self): self.rows, self.began = 0, None
    def after_batch(self):
        if self.began is None:
            self.began = perf_counter()
            return
        self.rows += len(self.yb[0])
        self.seconds = perf_counter() - self.began
        if self.rows >= self.n: raise CancelFitException()


def speed(make, dls, n, **kwargs):
    "Training targets a second"
    set_seed(0)
    dls.train.gen.manual_seed(dls.train.seed) # the same batches every time
    learn, clock = make(dls, **NET, **kwargs), Clock(n)
    learn.add_cb(clock)
    fit_quietly(learn, 1, flat=True)
    return clock.rows/clock.seconds


def unfitted_mf(dls):
    "A stacked factorization that costs what a fitted one does"
    n_users, n_items = len(dls.users), len(dls.items)
    return StackedMF(n_users, n_items, dls.blocks, y_range=dls.y_range, mean=3.5).requires_grad_(False)


def run(repeat, quick):
    r, data = ratings(quick)
    parts = split(r, valid='random:0.1')
    n, n_bst = (BS, 1) if quick else (60_000, 3) # targets, and batches
    contenders = {}
    for t in LENGTHS:
        segments = SegmentDataLoaders.from_ratings(parts, length=t, bs=BS, seed=0, device='cpu')
        windows = HistoryDataLoaders.from_ratings(parts, length=t, bs=CELLS//t, seed=0, device='cpu')
        mf = unfitted_mf(segments)
        def causal(bf16, dls=segments, mf=mf):
            return speed(causal_learner, dls, n, mf=mf, cbs=[AutocastBF16()] if bf16 else [])
        contenders['causal', t] = partial(causal, False)
        if has_bf16('cpu'): contenders['causal_bf16', t] = partial(causal, True)
        contenders['bst', t] = partial(speed, bst_learner, windows, n_bst*windows.train.bs)
    cost = {k:1e6/v for k,v in measure(contenders, repeat).items()} # microseconds
    models = list(dict.fromkeys(m for m,_ in cost))
    growth = {m:round(cost[m, LENGTHS[-1]]/cost[m, LENGTHS[0]], 2) for m in models}
    def row(t):
        ratio = round(cost['bst', t]/cost['causal', t], 1)
        return dict(length=t, **{f'{m}_us':round(cost[m, t], 1) for m in models}, bst_over_causal=ratio)
    return dict(data=data, ratings=len(r), threads=torch.get_num_threads(), repeat=repeat, quick=quick, targets=n,
        lengths=[row(t) for t in LENGTHS], growth=growth, bar=TARGET, met=growth['causal'] <= TARGET)


def show(res):
    part = ', a part' if res['quick'] else ''
    print(f"MovieLens 1M ({res['data']}{part}): {res['ratings']:,} ratings, "
        f"{res['threads']} threads, best of {res['repeat']}\n")
    models, names = res['growth'], dict(causal='causal', causal_bf16='in bfloat16', bst='BST')
    print(f"{'microseconds a rating':24}" + ''.join(f'{names[m]:>13}' for m in models) + f"{'BST/causal':>13}")
    for row in res['lengths']:
        times = ''.join(f"{row[f'{m}_us']:>13.1f}" for m in models)
        print(f"{'length ' + str(row['length']):24}{times}{row['bst_over_causal']:>13.1f}")
    print(f"{f'{LENGTHS[-1]} over {LENGTHS[0]}':24}" + ''.join(f'{models[m]:>13.2f}' for m in models))
    met = 'yes' if res['met'] else 'NO'
    print(f"\nthe causal model at {LENGTHS[-1]} at most {res['bar']:g} times as much as at {LENGTHS[0]}: {met}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--repeat', type=int, default=3, help='rounds, the best of which counts')
    p.add_argument('--quick', action='store_true',
        help='a tenth of the users and a few batches, to see that it runs; the figures mean little')
    args = p.parse_args()
    with redirect_stdout(sys.stderr): res = run(args.repeat, args.quick) # what a library prints goes beside the result
    if args.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
