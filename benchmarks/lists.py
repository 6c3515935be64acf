"""How fast lists for everybody are written, and what a list for each of 100 million users would take.

    python benchmarks/lists.py [--users 1000000] [--items 20000] [--each 20] [--measured 20000] [--workers 1 2]
                               [--price 0.05] [--exact] [--train mf] [--json]

A matrix factorization of random factors (its speed does not depend on what it has learned, while the recall of an index
does) with `--users` and `--items`; each user has rated `--each`, and more what suits a taste in eight dimensions. With
`--train`, `mf` learns from these ratings for an epoch, or `ials` factorizes what is rated 4 or more. For each number
of workers: as many processes, each with one thread, load the saved model, with an index above 100,000 items, and write
their shard of the lists of `--measured` users (`recnb.bulk_lists.write_lists`, ten items each, seen ones left out). The
rate is that of all of them together, without loading, which stands beside it. The rest is arithmetic: hours for all
users and for 100 million, and their price at `--price` an hour of one processor.
"""
import argparse, json, os, subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
MANY = 100_000_000


def taste_choices(users, items, each):
    "User and item of each rating, and how well they suit: of four items, each user takes the one that suits best"
    import numpy as np
    rng, n = np.random.default_rng(0), users*each
    taste, place = (rng.standard_normal((n, 8), dtype='float32') for n in (users, items))
    user = np.repeat(np.arange(users, dtype='int32'), each)
    best, suits = np.zeros(n, 'int32'), np.full(n, -np.inf, 'float32')
    for _ in range(4):
        item = (items*rng.random(n)**2).astype('int32')
        fit = np.concatenate([(taste[part[0]]*place[part[1]]).sum(1) for part in zip(*(np.array_split(a, n//10**6 + 1)
            for a in (user, item)))])
        best, suits = np.where(fit > suits, item, best), np.maximum(fit, suits)
    best[:items] = np.arange(items) # so that every item is rated
    return user, best, suits


def generated(users, items, each):
    "Ratings with tastes"
    import numpy as np, pandas as pd
    from recnb.all import ITEM, RATING, USER, Ratings, Scale
    user, item, suits = taste_choices(users, items, each)
    ids = {USER:user, ITEM:item}
    df = pd.DataFrame({name:pd.Categorical.from_codes(codes, np.arange(codes.max() + 1)) for name,codes in ids.items()})
    noise = np.random.default_rng(1).standard_normal(len(df))
    df[RATING] = np.clip(np.round(2*(3. + .3*suits + .7*noise))/2, .5, 5).astype('float32')
    return Ratings(df, scale=Scale(.5, 5, .5), name='generated')


def save_model(folder, users, items, each, train=None):
    "A recommender and the ratings of its users; with random factors, where it is not to be trained"
    import torch
    from types import SimpleNamespace
    from recnb.all import MF, RatingDataLoaders, Recommender, fit_recipe
    ratings = generated(users, items, each)
    if train: learn = fit_recipe(train, ratings, 1 if train == 'mf' else 0)[0]
    else:
        dls = RatingDataLoaders.for_queries(ratings, seed=0, device='cpu')
        torch.manual_seed(0)
        model = MF(len(dls.users), len(dls.items), 32, dls.y_range, 3.5, init_std=.3)
        learn = SimpleNamespace(model=model, dls=dls)
    Recommender(learn, dict(model=train or 'mf')).save(folder/'model')


def write_shard(folder, number, workers, exact):
    "Seconds to load the model and to write a shard, memory, and the recall of an index (1 without one)"
    import pyarrow.parquet as pq, torch
    from recnb.bulk_lists import write_lists
    from recnb.bundle import load_recommender
    from recnb.indexed_lists import with_index
    torch.set_num_threads(1)
    begin = time.perf_counter()
    limit = 10**9 if exact else 100_000
    rec = with_index(load_recommender(folder/'model'), limit)
    loaded = time.perf_counter()
    write_lists(rec, folder/f'lists{workers}', folder/'users.parquet', shard=(number, workers), progress=False,
        index_above=limit)
    seconds = time.perf_counter() - loaded
    lines = Path('/proc/self/status').read_text().splitlines()
    [path] = (folder/f'lists{workers}').glob(f'lists-{number:05d}-*')
    about = json.loads(pq.read_schema(path).metadata[b'recnb']).get('index', {})
    peak = int(next(line for line in lines if line.startswith('VmHWM')).split()[1])*1024/1e9
    return dict(load_seconds=loaded - begin, seconds=seconds, peak_gb=peak, recall=about.get('recall', 1.))


def measure(folder, workers, args):
    "The rate of so many processes"
    words = [sys.executable, __file__, '--folder', str(folder), *['--exact']*args.exact, '--shard']
    env = os.environ | dict(OMP_NUM_THREADS='1')
    processes = [subprocess.Popen([*words, f'{i + 1}/{workers}'], stdout=subprocess.PIPE, text=True, env=env)
        for i in range(workers)]
    parts = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    rate = sum(args.measured/workers/part['seconds'] for part in parts)
    hours = {name:n/rate/3600 for name,n in (('hours', args.users), ('hours_for_100_million', MANY))}
    price = {'price' + name[5:]:h*workers*args.price for name,h in hours.items()} | dict(recall=parts[0]['recall'])
    slowest = {name:max(part[name] for part in parts) for name in ('load_seconds', 'peak_gb')}
    res = dict(workers=workers, users_a_second=rate) | slowest | hours | price
    return {name:round(value, 3) for name,value in res.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--users', type=int, default=1_000_000)
    p.add_argument('--items', type=int, default=20_000)
    p.add_argument('--each', type=int, default=20, help='ratings of each user')
    p.add_argument('--measured', type=int, default=20_000, help='users whose lists are written')
    p.add_argument('--workers', type=int, nargs='+', default=[1, 2], help='processes')
    p.add_argument('--price', type=float, default=.05, help='of a processor for an hour')
    p.add_argument('--exact', action='store_true', help='no index, also above 100,000 items')
    p.add_argument('--train', choices=['mf', 'ials'], help='learn from the ratings, in place of random factors')
    p.add_argument('--json', action='store_true', help='print one JSON object')
    for name in ('--folder', '--shard'): p.add_argument(name, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.shard:
        number, workers = map(int, args.shard.split('/'))
        return print(json.dumps(write_shard(Path(args.folder), number, workers, args.exact)))
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        save_model(folder, args.users, args.items, args.each, args.train)
        import numpy as np, pandas as pd
        users = np.random.default_rng(1).permutation(args.users)[:args.measured]
        pd.DataFrame(dict(user_id=users)).to_parquet(folder/'users.parquet')
        runs = [measure(folder, workers, args) for workers in args.workers]
    if args.json: return print(json.dumps(dict(users=args.users, items=args.items, runs=runs)))
    for run in runs: print('  '.join(f'{name} {value:,}' for name,value in run.items()))


if __name__ == '__main__': main()
