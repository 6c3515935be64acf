"""How soon SVD++ both ways is how good, next to myFM and Surprise's SVD++ on the same rows.

    python benchmarks/svdpp.py [--json] [--quick] [--only svdpp myfm surprise] [--draws 300]

MovieLens 1M (from where `recnb.datasets.load` finds it, or random ratings of its size), a random tenth of the rows
held out (seed 0), one thread each, one contender after the other. The curves are for the clock: nothing is chosen by
the held-out rows, and the end of each contender is its last epoch or draw.
1. `svdpp_learner` with the settings for MovieLens 1M on its notebook's page, its errors after each epoch.
2. myFM's regression with implicit feedback both ways, rank 10: the mean of all draws but the first five, each tenth
   draw.
3. Surprise's SVD++ with its own settings; what it has learned shows only at its end.
Seconds are those of the processor in training, without the measuring: other work on the machine counts for nobody.
Peers that are not installed (`pip install "recnb[peers]"`) are left out, and named.
All three take about eight minutes of a core, half of that Surprise's; `--only svdpp myfm` leaves it out.
"""
import argparse, io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from time import process_time

from history import ratings
import numpy as np, pandas as pd, torch
from fastai.basics import Callback, set_seed
from recnb.metrics import rating_errors
from recnb.experiment import predict_dl
from recnb.peers import import_peer, surprise_learner
from recnb.split import split
from recnb.svdpp import svdpp_learner
from recnb.training import epoch_table, fit_quietly
from recnb.user_days import LargeBatchDataLoaders
from scipy import sparse

LEVELS = .85, .84, .83 # of RMSE
SETTINGS = dict(n_factors=24, wd=1.)
RANK = 10


class TrainingSeconds(Callback):
    "Seconds of the processor in training, up to the end of each epoch"
    def before_fit(self): self.seconds = [0.]
    def before_train(self): self.began = process_time()
    def after_train(self): self.seconds.append(self.seconds[-1] + process_time() - self.began)


def ours(dls):
    "Seconds and errors after each epoch"
    set_seed(0)
    learn, clock = svdpp_learner(dls, **SETTINGS), TrainingSeconds()
    fit_quietly(learn, 20, cbs=[clock])
    return epoch_table(learn)[['mae', 'rmse']].assign(seconds=clock.seconds[1:])


def columns(dl): return [column.cpu().numpy() for column in (dl.dataset.user, dl.dataset.item, dl.dataset.rating)]


def sides(dls):
    "A sparse row for each user and each item: which it is, and over the root of their number, what it goes with"
    user, item, _ = columns(dls.train)
    n, m = len(dls.users), len(dls.items)
    pairs = sparse.csr_matrix((np.ones(len(user)), (user, item)), (n, m))
    def side(pairs):
        count = np.asarray(pairs.sum(1))[:, 0].clip(min=1)
        return sparse.hstack([sparse.identity(len(count)), sparse.diags(count**-.5) @ pairs], format='csr')
    return side(pairs), side(pairs.T.tocsr())


class DrawErrors:
    "What myFM calls after each draw: errors of the mean of the draws so far"
    def __init__(self, blocks, truth, low, high):
        self.blocks, self.truth, self.clip = blocks, truth, partial(np.clip, a_min=low, a_max=high)
        self.total, self.n, self.seconds, self.rows, self.began = 0., 0, 0., [], process_time()
    def __call__(self, draw, fm, *rest):
        self.seconds += process_time() - self.began
        if draw >= 5:
            none = sparse.csr_matrix((len(self.truth), 0))
            self.total, self.n = self.total + fm.predict_score(none, self.blocks), self.n + 1
            if draw % 10 == 9: self.measure()
        self.began = process_time()
        return False, ''
    def measure(self):
        errors = rating_errors(self.clip(self.total/self.n), self.truth)
        self.rows.append(dict(mae=errors['mae'], rmse=errors['rmse'], seconds=self.seconds))


def myfm(dls, draws):
    "Seconds and errors after each tenth draw"
    lib = import_peer('myfm', 'myfm')
    tables = sides(dls)
    def blocks(user, item): return [lib.RelationBlock(i.astype('int64'), t) for i,t in zip((user, item), tables)]
    user, item, rating = columns(dls.train)
    *pairs, truth = columns(dls.valid)
    clock = DrawErrors(blocks(*pairs), truth, dls.scale.low, dls.scale.high)
    model = lib.MyFMRegressor(rank=RANK, random_seed=0)
    n, m = len(dls.users), len(dls.items)
    with redirect_stderr(io.StringIO()): # its bar
        model.fit(None, rating.astype('float64'), X_rel=blocks(user, item), n_iter=draws, n_kept_samples=1,
            group_shapes=[n, m, m, n], callback=clock)
    return pd.DataFrame(clock.rows)


def surprise(dls):
    "Seconds and errors at the end"
    import_peer('surprise', 'scikit-surprise')
    began = process_time()
    learn = surprise_learner(dls, algorithm='SVDpp', seed=0)
    seconds = process_time() - began
    errors = rating_errors(*predict_dl(learn, dls.valid))
    return pd.DataFrame([dict(mae=errors['mae'], rmse=errors['rmse'], seconds=seconds)])


def summary(curve):
    "When a contender reached each level, None where it did not; and its end"
    reached = {f'{level:g}':curve['seconds'][curve['rmse'] <= level].min() for level in LEVELS}
    end = curve.iloc[-1]
    return dict(seconds_to={level:None if np.isnan(s) else round(s, 1) for level,s in reached.items()},
        seconds=round(end['seconds'], 1), mae=round(end['mae'], 4), rmse=round(end['rmse'], 4))


def run(only, draws, quick):
    r, data = ratings(quick)
    dls = LargeBatchDataLoaders.from_ratings(split(r, valid='random:0.1', seed=0), seed=0, device='cpu')
    contenders = dict(svdpp=ours, myfm=partial(myfm, draws=draws), surprise=surprise)
    res, missing = {}, []
    for name in only:
        try: res[name] = summary(contenders[name](dls))
        except ImportError as e: missing.append(str(e))
    return dict(data=data, train=len(dls.train.dataset), held_out=len(dls.valid.dataset), draws=draws, quick=quick,
        contenders=res, missing=missing)


def show(res):
    part = ', a part' if res['quick'] else ''
    print(f"MovieLens 1M ({res['data']}{part}): {res['train']:,} ratings to train on, {res['held_out']:,} held out; "
        f"seconds of one thread\n")
    levels = ''.join(f'{f"to {level:g}":>10}' for level in LEVELS)
    print(f"{'contender':12}{levels}{'end':>10}{'MAE':>9}{'RMSE':>9}")
    for name,row in res['contenders'].items():
        times = [row['seconds_to'][f'{level:g}'] for level in LEVELS]
        print(f'{name:12}' + ''.join(f"{'-' if s is None else f'{s:.1f}':>10}" for s in times)
            + f"{row['seconds']:>10.1f}{row['mae']:>9.4f}{row['rmse']:>9.4f}")
    for sentence in res['missing']: print(sentence)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--quick', action='store_true', help='a tenth of the users, to see that it runs')
    p.add_argument('--only', nargs='+', choices=('svdpp', 'myfm', 'surprise'), default=('svdpp', 'myfm', 'surprise'))
    p.add_argument('--draws', type=int, default=300, help='of myFM')
    args = p.parse_args()
    torch.set_num_threads(1)
    with redirect_stdout(sys.stderr): res = run(args.only, args.draws, args.quick)
    if args.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
