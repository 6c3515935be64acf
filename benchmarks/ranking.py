"""How fast ranking metrics are: all of them for everybody, next to torchmetrics and to a loop over people.

    python benchmarks/ranking.py [--json] [--repeat 3] [--quick]

The question is of MovieLens 1M's size: everybody's last two ratings are to be found among all films, rated films removed (from where
`recnb.datasets.load` finds it, or made up in the same size). Scores are random, as what they are does not change what they cost. On the CPU.
1. `rank_users`: hit rate, recall, precision, NDCG, MRR and MAP at 1, 5, 10, 50 and 100, top-k accuracy, coverage, novelty, and diversity of genres.
2. torchmetrics: the first six, at 10 only.
3. A loop over people in numpy: the first six, at 10 only, from one sort each.

The slower two are given a random tenth of the people, which is enough for a rate. The contenders take turns, and the best of `--repeat` rounds
counts, after one to warm up. That all three find the same figures at 10 is checked first.
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

TARGET = 2. # seconds for everybody
KS, NAMES = (1, 5, 10, 50, 100), ('hit_rate', 'recall', 'precision', 'ndcg', 'mrr', 'map')


def question(quick):
    "Scores, pairs to find, pairs to remove, how many know each item, genres; and whose data they are"
    r, data = ratings(quick)
    users, items = fit_vocabs(r)
    test = held_out(r, 'last:2')
    u, i = (torch.from_numpy(v.encode(r.df[c])).long() for v,c in ((users, USER), (items, ITEM)))
    t = torch.from_numpy(test)
    scores = torch.randn(len(users), len(items), generator=torch.Generator().manual_seed(0))
    genres = multi_hot(r.items, items, ITEM)[0] if r.items is not None and GENRES in r.items else (torch.rand(len(items), 18) < .15).float()
    return scores, (u[t], i[t]), (u[~t], i[~t]), torch.bincount(i[~t], minlength=len(items)), genres, data


def with_torchmetrics(scores, test, seen):
    "The six at 10"
    asked_for = 'torchvision', 'torchvision.models', 'torchvision.transforms', 'transformers' # for its metrics of pictures and sentences only
    with patch.dict(sys.modules, {o:MagicMock() for o in asked_for}): import torchmetrics.retrieval as tm
    kinds = dict(zip(NAMES, (tm.RetrievalHitRate, tm.RetrievalRecall, tm.RetrievalPrecision, tm.RetrievalNormalizedDCG, tm.RetrievalMRR, tm.RetrievalMAP)))
    users = test[0].unique()
    rel = torch.zeros_like(scores, dtype=torch.bool); rel[test] = True
    s = mask_seen(scores.clone(), *seen)[users, 1:].nan_to_num(neginf=-1e6)
    args = s.flatten(), rel[users, 1:].flatten()
    return {k:m(top_k=10)(*args, indexes=torch.arange(len(users)).repeat_interleave(s.shape[1])).item() for k,m in kinds.items()}


def one_by_one(scores, test, seen, k=10):
    "The six at 10"
    s = mask_seen(scores.clone(), *seen).numpy()
    s[:, 0] = -np.inf
    gain, res = 1/np.log2(np.arange(2, k + 2)), []
    users, items = (o.numpy() for o in test)
    for u in np.unique(users):
        want = items[users == u]
        hits = np.isin(np.argsort(-s[u], kind='stable')[:k], want)
        places = np.flatnonzero(hits) + 1
        res.append((hits.any(), hits.sum()/len(want), hits.mean(), (hits*gain).sum()/gain[:len(want)].sum(), 1/places[0] if len(places) else 0,
            (np.arange(1, len(places) + 1)/places).sum()/min(len(want), k)))
    return dict(zip(NAMES, np.mean(res, 0)))


def run(repeat, quick):
    scores, test, seen, known, genres, data = question(quick)
    people = test[0].unique()
    some = torch.zeros(len(scores), dtype=torch.bool)
    some[people[torch.randperm(len(people), generator=torch.Generator().manual_seed(0))[:max(len(people)//10, 20)]]] = True
    part = [tuple(o[some[p[0]]] for o in p) for p in (test, seen)]
    everything = lambda: rank_users(scores, test, seen, KS, item_counts=known, n_users=len(people), vectors=genres)
    ours, theirs, loop = rank_users(scores, *part, (10,)), with_torchmetrics(scores, *part), one_by_one(scores, *part)
    for k in NAMES: # torchmetrics averages MAP over what was found
        assert abs(ours[f'{k}@10'] - loop[k]) < 1e-6 and (k == 'map' or abs(ours[f'{k}@10'] - theirs[k]) < 1e-6), (k, ours[f'{k}@10'], theirs[k], loop[k])
    def rate(f, n):
        def go():
            began = perf_counter(); f()
            return n/(perf_counter() - began)
        return go
    n = int(some.sum())
    per_second = measure({'ours':rate(everything, len(people)), 'torchmetrics':rate(lambda: with_torchmetrics(scores, *part), n), 'loop':rate(lambda: one_by_one(scores, *part), n)}, repeat)
    seconds = {k:len(people)/v for k,v in per_second.items()}
    return dict(data=data, people=len(people), items=scores.shape[1] - 1, threads=torch.get_num_threads(), repeat=repeat, quick=quick,
        figures={'ours':len(everything()), 'torchmetrics':6, 'loop':6}, seconds={k:round(v, 3) for k,v in seconds.items()},
        ratio={k:round(seconds[k]/seconds['ours'], 1) for k in ('torchmetrics', 'loop')}, bar=TARGET, met=seconds['ours'] <= TARGET)


def show(res):
    print(f"{res['people']:,} people, {res['items']:,} films ({res['data']}{', a part' if res['quick'] else ''}), {res['threads']} threads, best of {res['repeat']}\n")
    print(f"{'':16}{'figures':>10}{'seconds for all':>18}{'times ours':>14}")
    for k,v in res['seconds'].items(): print(f"{k:16}{res['figures'][k]:>10}{v:>18.2f}{res['ratio'].get(k, 1):>14.1f}")
    print(f"\nall metrics for everybody in at most {res['bar']:g} s: {'yes' if res['met'] else 'NO'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='one JSON object on stdout')
    p.add_argument('--repeat', type=int, default=3, help='rounds, of which the best counts')
    p.add_argument('--quick', action='store_true', help='a tenth of the people: does it run?')
    a = p.parse_args()
    with redirect_stdout(sys.stderr): res = run(a.repeat, a.quick)
    if a.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
