"""How fast ranking metrics are: all of them for all users, next to torchmetrics and to a loop over users.

    python benchmarks/ranking.py [--json] [--repeat 3] [--quick]

The task is of MovieLens 1M's size: every user's last two ratings are to be found among all films, rated films removed
(from where `recnb.datasets.load` finds it, or generated in the same size). Scores are random, as what they are does
not change what they cost. On the CPU.
1. `rank_users`: hit rate, recall, precision, NDCG, MRR and MAP at 1, 5, 10, 50 and 100, top-k accuracy, coverage,
   novelty, and diversity of genres.
2. torchmetrics: the first six, at 10 only.
3. A loop over users in numpy: the first six, at 10 only, from one sort each.

The slower two are given a random tenth of the users, which is enough for a rate. The contenders take turns, and the
best of `--repeat` rounds counts, after one to warm up. That all three find the same figures at 10 is checked first.
"""
import argparse, json, sys
from contextlib import redirect_stdout
from time import perf_counter
from unittest.mock import MagicMock, patch

from history import measure, ratings
import numpy as np, torch
from recnb.features import fit_vocabs, multi_hot
from recnb.metrics import mask_seen, rank_users
from recnb.ratings import GENRES, ITEM, USER
from recnb.split import held_out

TARGET = 2. # seconds for all users
KS, NAMES = (1, 5, 10, 50, 100), ('hit_rate', 'recall', 'precision', 'ndcg', 'mrr', 'map')


def task(quick):
    "Scores, test pairs, seen pairs, how many users have rated each item, genres; and whose data they are"
    r, data = ratings(quick)
    users, items = fit_vocabs(r)
    test = torch.from_numpy(held_out(r, 'last:2'))
    user, item = (torch.from_numpy(v.encode(r.df[c])).long() for v,c in ((users, USER), (items, ITEM)))
    scores = torch.randn(len(users), len(items), generator=torch.Generator().manual_seed(0))
    has_genres = r.items is not None and GENRES in r.items
    genres = multi_hot(r.items, items, ITEM)[0] if has_genres else (torch.rand(len(items), 18) < .15).float()
    item_counts = torch.bincount(item[~test], minlength=len(items))
    return scores, (user[test], item[test]), (user[~test], item[~test]), item_counts, genres, data


def with_torchmetrics(scores, test, seen):
    "The six at 10"
    # torchmetrics imports these for its metrics of pictures and sentences only
    not_needed = 'torchvision', 'torchvision.models', 'torchvision.transforms', 'transformers'
    with patch.dict(sys.modules, {name:MagicMock() for name in not_needed}): import torchmetrics.retrieval as tm
    kinds = dict(zip(NAMES, (tm.RetrievalHitRate, tm.RetrievalRecall, tm.RetrievalPrecision, tm.RetrievalNormalizedDCG,
        tm.RetrievalMRR, tm.RetrievalMAP)))
    users = test[0].unique()
    relevant = torch.zeros_like(scores, dtype=torch.bool)
    relevant[test] = True
    s = mask_seen(scores.clone(), *seen)[users, 1:].nan_to_num(neginf=-1e6)
    args = dict(preds=s.flatten(), target=relevant[users, 1:].flatten(),
        indexes=torch.arange(len(users)).repeat_interleave(s.shape[1]))
    return {k:kind(top_k=10)(**args).item() for k,kind in kinds.items()}


def one_by_one(scores, test, seen, k=10):
    "The six at 10"
    s = mask_seen(scores.clone(), *seen).numpy()
    s[:, 0] = -np.inf
    gain, res = 1/np.log2(np.arange(2, k + 2)), []
    users, items = (o.numpy() for o in test)
    for u in np.unique(users):
        relevant = items[users == u]
        hits = np.isin(np.argsort(-s[u], kind='stable')[:k], relevant)
        places = np.flatnonzero(hits) + 1
        ndcg = (hits*gain).sum()/gain[:len(relevant)].sum()
        ap = (np.arange(1, len(places) + 1)/places).sum()/min(len(relevant), k)
        mrr = 1/places[0] if len(places) else 0
        res.append((hits.any(), hits.sum()/len(relevant), hits.mean(), ndcg, mrr, ap))
    return dict(zip(NAMES, np.mean(res, 0)))


def check_same(scores, test, seen):
    "Do all three find the same figures at 10? torchmetrics averages MAP over what was found, so not that one"
    ours = rank_users(scores, test, seen, (10,))
    theirs, loop = with_torchmetrics(scores, test, seen), one_by_one(scores, test, seen)
    for k in NAMES:
        figures = k, ours[f'{k}@10'], theirs[k], loop[k]
        assert abs(figures[1] - figures[3]) < 1e-6, figures
        assert k == 'map' or abs(figures[1] - figures[2]) < 1e-6, figures


def rate(f, n):
    "A contender: users a second, when `f` ranks `n`"
    def _speed():
        began = perf_counter()
        f()
        return n/(perf_counter() - began)
    return _speed


def run(repeat, quick):
    scores, test, seen, item_counts, genres, data = task(quick)
    users = test[0].unique()
    sample = torch.zeros(len(scores), dtype=torch.bool)
    shuffled = torch.randperm(len(users), generator=torch.Generator().manual_seed(0))
    sample[users[shuffled[:max(len(users)//10, 20)]]] = True
    part = [tuple(column[sample[pairs[0]]] for column in pairs) for pairs in (test, seen)]
    check_same(scores, *part)
    def all_metrics():
        return rank_users(scores, test, seen, KS, item_counts=item_counts, n_users=len(users), vectors=genres)
    n = int(sample.sum())
    per_second = measure({'ours':rate(all_metrics, len(users)),
        'torchmetrics':rate(lambda: with_torchmetrics(scores, *part), n),
        'loop':rate(lambda: one_by_one(scores, *part), n)}, repeat)
    seconds = {k:len(users)/v for k,v in per_second.items()}
    return dict(data=data, people=len(users), items=scores.shape[1] - 1, threads=torch.get_num_threads(), repeat=repeat,
        quick=quick, figures={'ours':len(all_metrics()), 'torchmetrics':6, 'loop':6},
        seconds={k:round(v, 3) for k,v in seconds.items()},
        ratio={k:round(seconds[k]/seconds['ours'], 1) for k in ('torchmetrics', 'loop')},
        bar=TARGET, met=seconds['ours'] <= TARGET)


def show(res):
    part = ', a part' if res['quick'] else ''
    print(f"{res['people']:,} users, {res['items']:,} films ({res['data']}{part}), {res['threads']} threads, "
        f"best of {res['repeat']}\n")
    print(f"{'':16}{'figures':>10}{'seconds for all':>18}{'times ours':>14}")
    for k,v in res['seconds'].items(): print(f"{k:16}{res['figures'][k]:>10}{v:>18.2f}{res['ratio'].get(k, 1):>14.1f}")
    print(f"\nall metrics for all users in at most {res['bar']:g} s: {'yes' if res['met'] else 'NO'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='one JSON object on stdout')
    p.add_argument('--repeat', type=int, default=3, help='rounds, of which the best counts')
    p.add_argument('--quick', action='store_true', help='a tenth of the users: does it run?')
    args = p.parse_args()
    with redirect_stdout(sys.stderr): res = run(args.repeat, args.quick)
    if args.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
