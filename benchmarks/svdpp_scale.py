"""What an epoch of SVD++ costs as ratings grow, and how much memory it takes, up to the size of MovieLens 25M.

    python benchmarks/svdpp_scale.py [--json] [--scales 0.1 0.3 1.0] [--steps 4]

Generated ratings: `162,541 * scale` users, `59,047 * scale` items and about `25,000,095 * scale` ratings, with a few
items that many rated. For each scale, a process holds out a tenth, makes `svdpp_learner` as it is by default (ten
members of 16 factors), and takes `--steps` training steps. The seconds of an epoch are the median step times the steps
of an epoch. Seconds are those of one thread on the processor. Peak memory is the process with its libraries and the
ratings, without mapped files. The slope is the exponent of the seconds of an epoch: 1 where ten times the ratings take
ten times as long.
The three default scales take about two minutes and 5 GB.
"""
import argparse, json, subprocess, sys
from pathlib import Path
from statistics import median
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from ml32m import ratings_each
from scale import OwnMemory, print_table, status_gb

USERS, ITEMS, RATINGS = 162_541, 59_047, 25_000_095


def generate(scale):
    "A table of ratings"
    import numpy as np, pandas as pd
    rng = np.random.default_rng(0)
    users, items, rows = (int(n*scale) for n in (USERS, ITEMS, RATINGS))
    user = np.repeat(np.arange(users, dtype='int32'), ratings_each(users, rows, rng))
    item = (items*rng.random(len(user), dtype='float32')**3).astype('int32')
    stars = 3.5 + rng.standard_normal(len(user), dtype='float32')
    rating = np.clip(np.round(2*stars)/2, .5, 5).astype('float32')
    return pd.DataFrame(dict(user_id=user, item_id=item, rating=rating))


def measure(scale, steps):
    "Seconds and memory of a few training steps"
    import torch
    from fastai.basics import Callback, CancelFitException
    from recnb.all import LargeBatchDataLoaders, Ratings, fit_quietly, split, svdpp_learner
    torch.set_num_threads(1)
    own, clock = OwnMemory(), [process_time()]
    class FewSteps(Callback):
        "Notes when each step ends, and stops after a few"
        def before_train(self): clock.append(process_time())
        def after_batch(self):
            clock.append(process_time())
            if self.iter + 1 == steps: raise CancelFitException()
    r = split(Ratings.from_df(generate(scale)), valid='random:0.1', seed=0)
    dls = LargeBatchDataLoaders.from_ratings(r, seed=0, device='cpu')
    learn = svdpp_learner(dls)
    fit_quietly(learn, 1, cbs=[FewSteps()])
    step = median(b - a for a,b in zip(clock[1:], clock[2:]))
    n, n_steps = len(dls.train.dataset), len(dls.train)
    return dict(rows=n, users=r.n_users, items=r.n_items, bs=dls.train.bs, steps=n_steps,
        ready_seconds=round(clock[1] - clock[0], 1), step_seconds=round(step, 2), cpu_seconds=round(step*n_steps, 1),
        own_gb=max(own.peak, status_gb('RssAnon')))


def child(scale, steps):
    "What a new process measured"
    words = [sys.executable, __file__, '--child', '--scales', str(scale), '--steps', str(steps)]
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.splitlines()[-1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--scales', type=float, nargs='+', default=(.1, .3, 1.), help='of MovieLens 25M')
    p.add_argument('--steps', type=int, default=4, help='training steps for each')
    p.add_argument('--child', action='store_true', help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child: return print(json.dumps(measure(args.scales[0], args.steps)))
    runs = [child(scale, args.steps) for scale in args.scales]
    if args.json: print(json.dumps(dict(runs=runs)))
    else: print_table(runs, list(runs[0]))


if __name__ == '__main__': main()
