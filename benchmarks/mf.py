"""How fast matrix factorization trains, next to the usual ways of training it.

    python benchmarks/mf.py [--json] [--repeat 3] [--quick]

All on MovieLens 1M (from where `recnb.datasets.load` finds it, or made up in the same size), on the CPU, in one
process. A tenth of the rows is for validation, after each epoch, for all but the row-by-row loop. The contenders take
turns, so that a busy moment hits all of them, and the best of `--repeat` rounds counts, after one to warm up:
1. The loader alone: an epoch of `GatherDL` and nothing done with it.
2. A row-by-row `Dataset` over a DataFrame with torch's `DataLoader`, our model and optimizer in a bare loop.
3. fastai's `CollabDataLoaders` and `collab_learner`, at its usual 64 rows a batch and at 4096.
4. The bare loop with our loader: what a `Learner` costs.
"""
import argparse, json, sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from time import perf_counter

from history import measure, ratings
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from fastai.basics import default_device, set_seed
from fastai.collab import CollabDataLoaders, collab_learner
from recnb.experiment import predict_dl
from recnb.features import part_rows
from recnb.loader import RatingDataLoaders
from recnb.metrics import rating_errors
from recnb.mf import mf_learner
from recnb.ratings import ITEM, RATING, USER
from recnb.split import split
from recnb.training import bias_groups, fit_quietly

TARGET = dict(loader=5e6, rows=20., fastai_64=2., fastai_4096=2., bare=.75) # rows a second, then ours over theirs
N_FACTORS, BS = 64, 4096


def part(r, n, seed=0):
    "`n` random ratings, a tenth of them for validation"
    keep = np.zeros(len(r), bool)
    keep[np.random.default_rng(seed).permutation(len(r))[:n]] = True
    return split(r.filter(keep), valid='random:0.1', seed=seed)


def loaders(r, bs): return RatingDataLoaders.from_ratings(r, bs=bs, seed=0)


def loader(r, bs=BS, epochs=5):
    "Rows a second of our loader alone"
    dl = loaders(r, bs).train
    began = perf_counter()
    n = sum(len(b[0]) for _ in range(epochs) for b in dl)
    return n/(perf_counter() - began)


def ours(r, bs, epochs=1):
    "Training rows a second of our `Learner`, validation included"
    learn = mf_learner(loaders(r, bs), n_factors=N_FACTORS)
    return learn.dls.train.n*epochs/fit_quietly(learn, epochs)


def fastais(r, bs, epochs=1):
    "The same of fastai's own"
    dls = CollabDataLoaders.from_df(r.df[[USER, ITEM, RATING]], valid_pct=.1, seed=0, bs=bs)
    learn = collab_learner(dls, n_factors=N_FACTORS, y_range=r.y_range)
    return dls.train.n*epochs/fit_quietly(learn, epochs)


def loop(learn, dl, n, epochs=1, validate=False):
    "Training rows a second of a bare loop over `dl`, with the model, loss, optimizer and schedule of `learn`"
    model = learn.model
    groups = [dict(params=p, weight_decay=wd) for p,wd in zip(bias_groups(model), learn.wd)]
    opt = torch.optim.AdamW(groups, lr=learn.lr, fused=True)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, learn.lr, total_steps=epochs*len(dl))
    began = perf_counter()
    for _ in range(epochs):
        model.train()
        for *xb,yb in dl:
            F.mse_loss(model(*xb), yb).backward()
            opt.step()
            sched.step()
            opt.zero_grad()
        if validate: rating_errors(*predict_dl(learn, learn.dls.valid))
    return n*epochs/(perf_counter() - began)


def bare(r, bs=BS, epochs=1):
    "Training rows a second of a bare loop over our loader, validation included"
    learn = mf_learner(loaders(r, bs), n_factors=N_FACTORS)
    return loop(learn, learn.dls.train, learn.dls.train.n, epochs, validate=True)


class Rows(torch.utils.data.Dataset):
    "The `Dataset` of many a tutorial"
    def __init__(self, df): self.df = df
    def __len__(self): return len(self.df)
    def __getitem__(self, i):
        row = self.df.iloc[i]
        return int(row[USER]), int(row[ITEM]), np.float32(row[RATING])


def rows(r, n, bs=BS):
    "Training rows a second of a bare loop over `Rows`"
    learn = mf_learner(loaders(r, bs), n_factors=N_FACTORS) # tables of full size, as ours
    df = r.df[part_rows(r, 'train')].sample(n, random_state=0)
    users, items = learn.dls.users.encode(df[USER]), learn.dls.items.encode(df[ITEM])
    df = pd.DataFrame({USER:users, ITEM:items, RATING:df[RATING].to_numpy()})
    return loop(learn, torch.utils.data.DataLoader(Rows(df), bs, shuffle=True), n)


def entry(speed, key, contender, bs, n, ours=None):
    "A row of the result; `ours` is the key of what it is compared with"
    res = dict(key=key, contender=contender, batch=bs, rows=int(n), samples_per_second=round(speed[key]))
    if ours: res['ours_over_it'] = round(speed[ours]/speed[key], 3)
    if key in TARGET:
        value = res.get('ours_over_it', res['samples_per_second'])
        res |= dict(bar=TARGET[key], met=bool(value >= TARGET[key]))
    return res


def run(repeat, quick):
    r, data = ratings()
    n_all, n_small, n_rows = (100_000, 10_000, 5_000) if quick else (len(r), 60_000, 20_000)
    big, small = part(r, n_all), part(r, n_small)
    epochs = 2
    speed = measure({'loader':partial(loader, big), 'ours_4096':partial(ours, big, BS, epochs),
        'bare':partial(bare, big, BS, epochs), 'fastai_4096':partial(fastais, big, BS),
        'rows':partial(rows, big, n_rows),
        'ours_64':partial(ours, small, 64), 'fastai_64':partial(fastais, small, 64)}, repeat)
    n, n_64 = int(part_rows(big, 'train').sum()), int(part_rows(small, 'train').sum())
    table = [entry(speed, 'loader', 'GatherDL alone', BS, n),
        entry(speed, 'ours_4096', 'mf_learner', BS, n),
        entry(speed, 'rows', 'Dataset by rows, bare loop', BS, n_rows, 'ours_4096'),
        entry(speed, 'fastai_4096', 'collab_learner', BS, n, 'ours_4096'),
        entry(speed, 'bare', 'GatherDL, bare loop', BS, n, 'ours_4096'),
        entry(speed, 'ours_64', 'mf_learner', 64, n_64),
        entry(speed, 'fastai_64', 'collab_learner', 64, n_64, 'ours_64')]
    return dict(data=data, ratings=n_all, n_factors=N_FACTORS, threads=torch.get_num_threads(), repeat=repeat,
        quick=quick, contenders=table)


def show(res):
    part = ', a part' if res['quick'] else ''
    print(f"MovieLens 1M ({res['data']}{part}): {res['ratings']:,} ratings, {res['n_factors']} factors, "
        f"{res['threads']} threads, best of {res['repeat']}\n")
    print(f"{'contender':28}{'batch':>6}{'rows':>10}{'samples/s':>13}{'ours/it':>9}{'bar':>12}  met")
    for row in res['contenders']:
        ratio = f"{row['ours_over_it']:.2f}" if 'ours_over_it' in row else ''
        bar = met = ''
        if 'bar' in row:
            bar = f"{row['bar']:g}" if ratio else f"{row['bar']:,.0f}/s"
            met = 'yes' if row['met'] else 'NO'
        print(f"{row['contender']:28}{row['batch']:>6}{row['rows']:>10,}{row['samples_per_second']:>13,}"
            f"{ratio:>9}{bar:>12}  {met}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--repeat', type=int, default=3, help='rounds, the best of which counts')
    p.add_argument('--quick', action='store_true', help='few rows, to see that it runs; the figures mean little')
    args = p.parse_args()
    default_device(False) # the CPU, for ours and theirs
    with redirect_stdout(sys.stderr): res = run(args.repeat, args.quick) # what a library prints goes beside the result
    if args.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
