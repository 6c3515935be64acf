"""How fast the linear models are: EASE next to a plain numpy inverse, implicit ALS next to `implicit`.

    python benchmarks/linear.py [--json] [--repeat 1] [--quick] [--threads 2]
    python benchmarks/linear.py --large [--json] [--quick] [--threads 2]

On MovieLens 1M (from where `recnb.datasets.load` finds it, or generated in the same size), ratings of 4 and 5 liked,
on the CPU. The contenders take turns, and the best of `--repeat` rounds counts, after one to warm up.
1. EASE: `ease_weights`, and the formula of the paper with `numpy.linalg.inv`, both in double precision. Memory is the
   peak of a process of its own above what it held before.
2. Implicit ALS: `als`, and `implicit`'s AlternatingLeastSquares, both with exact steps and with three steps of
   conjugate gradients, the default of both. The same factors, rounds and start. The scores of the exact steps are
   checked to agree.
Three to four minutes on one core.

`--large` is a catalogue that no square table holds: 200,000 users, 500,000 items, ten million choices of which most go
to few items (Zipf). EASE has to refuse with a sentence; `ials` is trained (64 factors, two rounds), answers a batch of
256 users, finds similar items, is saved, loaded, and answers the same. Seconds of each, and the peak of memory.
"""
import argparse, json, multiprocessing, os, sys, tempfile
from contextlib import redirect_stdout
from dataclasses import replace
from time import perf_counter

FACTORS, ROUNDS, ALPHA, L2 = 64, 5, 6., 5.
LARGE, LARGE_GB = (200_000, 500_000, 10_000_000), 8. # users, items, choices; what they may take


def task(quick):
    "Who liked what; and whose data it is"
    from history import ratings
    from recnb.linear import AllRatingsDataLoaders, liked_matrices
    r, data = ratings(quick)
    r = type(r)(r.df.assign(is_valid=False, is_test=False), scale=r.scale)
    return liked_matrices(AllRatingsDataLoaders.from_ratings(r), 4)[0], data


def plain_ease(X, l2=500.):
    "EASE as in the paper"
    import numpy as np
    P = np.linalg.inv((X.T @ X).toarray().astype('float64') + l2*np.eye(X.shape[1]))
    B = -P/np.diag(P)
    B[np.diag_indices(len(B))] = 0
    return B.astype('float32')


def our_ease(X, l2=500.):
    from recnb.linear import ease_weights
    return ease_weights(X, l2)[0]


def peak_gb():
    "GB of this process at its peak (`ru_maxrss` is no less than that of the process that started this one)"
    with open('/proc/self/status') as f: return next(int(line.split()[1]) for line in f if line[:6] == 'VmHWM:')/1e6


def peak(f, X, queue):
    "GB that a function needs at its peak, to a queue; in a process of its own"
    before = peak_gb()
    f(X)
    queue.put(peak_gb() - before)


def memory(f, X):
    context = multiprocessing.get_context('spawn')
    queue = context.Queue()
    process = context.Process(target=peak, args=(f, X, queue))
    process.start()
    res = queue.get()
    process.join()
    return round(res, 2)


def implicit_als(X, start, cg, threads):
    "Scores' factors by the library"
    import numpy as np
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits
    model = AlternatingLeastSquares(factors=FACTORS, regularization=L2, alpha=ALPHA, iterations=ROUNDS, use_cg=cg,
        num_threads=threads)
    model.user_factors, model.item_factors = np.zeros((X.shape[0], FACTORS), 'float32'), start.copy()
    with threadpool_limits(1, 'blas'): model.fit(X, show_progress=False) # as it asks for; its own threads remain
    return model.user_factors, model.item_factors


def our_als(X, start, steps):
    import torch
    from recnb.ials import als
    return [v.numpy() for v in als(X, torch.from_numpy(start.copy()), ROUNDS, steps, alpha=ALPHA, l2=L2, nu=0.)]


def timed(f, *args):
    "A contender: rounds a second"
    def _speed():
        began = perf_counter()
        f(*args)
        return 1/(perf_counter() - began)
    return _speed


def run(repeat, quick, threads):
    import numpy as np, torch
    from history import measure
    torch.set_num_threads(threads)
    X, data = task(quick)
    start = (np.random.RandomState(0).randn(X.shape[1], FACTORS)*.1/FACTORS**.5).astype('float32')
    start[0] = 0
    difference = np.abs(plain_ease(X) - our_ease(X)).max()
    ours, theirs = our_als(X, start, 0), implicit_als(X, start, False, threads)
    score_difference = np.abs(ours[0][:500] @ ours[1].T - theirs[0][:500] @ theirs[1].T).max()
    assert difference < 1e-4 and score_difference < 1e-2, (difference, score_difference)
    contenders = {'ease, ours':timed(our_ease, X), 'ease, numpy':timed(plain_ease, X),
        'als exact, ours':timed(our_als, X, start, 0),
        'als exact, implicit':timed(implicit_als, X, start, False, threads),
        'als cg, ours':timed(our_als, X, start, 3), 'als cg, implicit':timed(implicit_als, X, start, True, threads)}
    seconds = {k:1/v for k,v in measure(contenders, repeat).items()}
    ratio = {k:round(v/seconds[k.split(',')[0] + ', ours'], 2) for k,v in seconds.items() if 'ours' not in k}
    return dict(data=data, users=X.shape[0] - 1, items=X.shape[1] - 1, liked=X.nnz, threads=threads, quick=quick,
        seconds={k:round(v, 2) for k,v in seconds.items()}, ratio=ratio,
        gigabytes={'ease, ours':memory(our_ease, X), 'ease, numpy':memory(plain_ease, X)},
        difference=dict(ease=float(difference), als=float(score_difference)),
        met=min(ratio.values()) >= 1)


def show(res):
    print(f"{res['liked']:,} liked pairs, {res['users']:,} users, {res['items']:,} items ({res['data']}), "
        f"{res['threads']} threads\n")
    print(f"{'':22}{'seconds':>10}{'times ours':>14}{'GB':>8}")
    for k,v in res['seconds'].items():
        print(f"{k:22}{v:>10.2f}{res['ratio'].get(k, 1):>14}{res['gigabytes'].get(k, ''):>8}")
    print(f"\nat least as fast as each: {'yes' if res['met'] else 'NO'}")


def large_choices(quick, seed=0):
    "Users who choose few items, most of them the popular ones"
    import numpy as np, pandas as pd
    from recnb.ratings import ITEM, USER, Ratings
    n_users, n_items, n = (size//(20 if quick else 1) for size in LARGE)
    rng, share = np.random.default_rng(seed), 1/np.arange(1, n_items + 1)**.8
    item = np.r_[rng.permutation(n_items), rng.choice(n_items, n - n_items, p=share/share.sum())] # each at least once
    df = pd.DataFrame({USER:rng.integers(0, n_users, n), ITEM:item}).drop_duplicates(ignore_index=True)
    r = Ratings.from_df(df, name='generated', feedback='implicit')
    return replace(r, df=r.df.assign(is_valid=False, is_test=False))


def run_large(quick, threads):
    import torch
    from recnb.all import AllRatingsDataLoaders, Recommender, ease_learner, ials_learner, load_recommender
    torch.set_num_threads(threads)
    seconds, state = {}, {}
    def step(name, f):
        began = perf_counter()
        state[name] = f()
        seconds[name] = round(perf_counter() - began, 2)
        return state[name]
    r = step('generate', lambda: large_choices(quick))
    dls = step('loaders', lambda: AllRatingsDataLoaders.from_ratings(r))
    sentence = ''
    try: ease_learner(dls, **(dict(max_items=1000) if quick else {}))
    except ValueError as e: sentence = str(e)
    assert 'ials' in sentence and 'GB of memory' in sentence, sentence
    learn = step('train', lambda: ials_learner(dls, factors=FACTORS, rounds=2))
    rec = step('recommender', lambda: Recommender(learn))
    ids, item = rec.users.ids[:256].tolist(), rec.items.ids[0]
    top = step('256 lists', lambda: rec.recommend(ids, k=10))
    step('one list', lambda: rec.recommend(ids[:1], k=10))
    step('similar items', lambda: rec.similar_items(item, 10))
    with tempfile.TemporaryDirectory() as folder:
        step('save', lambda: rec.save(f'{folder}/large'))
        loaded = step('load', lambda: load_recommender(f'{folder}/large'))
    assert loaded.recommend(ids[:8], k=10)['item_id'].tolist() == top['item_id'][:80].tolist()
    gigabytes = round(peak_gb(), 2)
    return dict(users=len(dls.users) - 1, items=len(dls.items) - 1, choices=len(r), threads=threads, quick=quick,
        ease=sentence, seconds=seconds, gigabytes=gigabytes, bar=LARGE_GB, met=gigabytes <= LARGE_GB)


def show_large(res):
    print(f"{res['choices']:,} choices, {res['users']:,} users, {res['items']:,} items, {res['threads']} threads\n")
    for name,seconds in res['seconds'].items(): print(f'{name:16}{seconds:>10.2f} s')
    print(f"\n{res['ease']}\n")
    print(f"{res['gigabytes']} GB at the peak, at most {res['bar']:g}: {'yes' if res['met'] else 'NO'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='one JSON object on stdout')
    p.add_argument('--repeat', type=int, default=1, help='rounds, of which the best counts')
    p.add_argument('--quick', action='store_true', help='a tenth of the users: does it run?')
    p.add_argument('--threads', type=int, default=2, help='of each contender')
    p.add_argument('--large', action='store_true', help='a catalogue of half a million items instead')
    args = p.parse_args()
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'): os.environ[name] = str(args.threads)
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive') # on a busy machine a thread that spins holds up the others
    with redirect_stdout(sys.stderr):
        res = run_large(args.quick, args.threads) if args.large else run(args.repeat, args.quick, args.threads)
    if args.json: print(json.dumps(res))
    else: (show_large if args.large else show)(res)


if __name__ == '__main__': main()
