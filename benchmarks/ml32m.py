"""Everything once, from files to answers, on generated ratings in the layout and size of MovieLens 32M.

    python benchmarks/ml32m.py [--scale 1.0] [--rounds 2] [--sample 2000] [--causal 0.01] [--json]

200,948 users, 84,432 films and about 32,000,204 ratings (times `--scale`) as `ratings.csv` and `movies.csv`, in the
order of users, with tastes in eight dimensions. Then one step after the other, in one process: read the files as they
are; prepare them; hold out each user's last rating; train matrix factorization for an epoch, and measure its error;
train the causal transformer for an epoch on a share of the users (`--causal`); ask for EASE, which refuses so many
films with a sentence; fit iALS in `--rounds` rounds, and rank for a sample of users, with the standard error; save both
as one recommender, load it, serve it, and ask for lists over HTTP. Each step's seconds, and the most memory of the
process during it apart from mapped files.
"""
import argparse, json, sys, tempfile, threading, time, urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scale import OwnMemory, status_gb

USERS, FILMS, RATINGS = 200_948, 84_432, 32_000_204


def write_films(path, n):
    "movies.csv"
    genres = 'Action', 'Drama', 'Comedy|Drama'
    lines = (f'{i},"Film {i}, The ({1920 + i % 100})",{genres[i % 3]}\n' for i in range(1, n + 1))
    path.write_text('movieId,title,genres\n' + ''.join(lines))


def ratings_each(users, rows, rng):
    "How many ratings each user has: a few have many, everybody has twenty"
    import numpy as np
    return np.maximum(rng.lognormal(0, 1.2, users)*rows/users/2, 20).astype(int) # its mean is 2.05


def write_ratings(path, users, films, rows):
    "ratings.csv"
    import numpy as np, pyarrow as pa, pyarrow.csv as pc
    rng = np.random.default_rng(0)
    taste, place = (rng.standard_normal((n, 8), dtype='float32') for n in (users, films))
    n_each = ratings_each(users, rows, rng)
    names, types = ('userId', 'movieId', 'rating', 'timestamp'), (pa.int64(), pa.int64(), pa.float64(), pa.int64())
    with pc.CSVWriter(path, pa.schema(list(zip(names, types)))) as writer:
        for part in np.array_split(np.arange(users), max(rows//1_000_000, 1)):
            user = np.repeat(part, n_each[part])
            n = len(user)
            film = (films*rng.random(n)**3).astype(int)
            liking = 3.5 + .3*(taste[user]*place[film]).sum(1) + .7*rng.standard_normal(n)
            rating, time = np.clip(np.round(2*liking)/2, .5, 5), 10**9 + rng.integers(0, 10**8, n)
            writer.write_table(pa.table(dict(zip(names, (user + 1, film + 1, rating, time)))))


def write_layout(folder, scale):
    "The files"
    users, films, rows = (int(n*scale) for n in (USERS, FILMS, RATINGS))
    folder.mkdir()
    write_films(folder/'movies.csv', films)
    write_ratings(folder/'ratings.csv', users, films, rows)


class Steps:
    "Runs steps, and prints what they cost and what came out"
    def __init__(self): self.own, self.rows = OwnMemory(), []
    def __call__(self, name, f, *args, say=None, **kwargs):
        self.own.peak, begin = 0, time.perf_counter()
        res = f(*args, **kwargs)
        seconds, own = time.perf_counter() - begin, max(self.own.peak, status_gb('RssAnon'))
        row = dict(step=name, seconds=round(seconds, 1), own_gb=round(own, 2))
        if say: row['result'] = say(res)
        self.rows.append(row)
        print(f"{name:24}{row['seconds']:9,.1f} s{row['own_gb']:7.2f} GB   {row.get('result', '')}", flush=True)
        return res


def refusal(f, *args, **kwargs):
    "The sentence of an error"
    try: f(*args, **kwargs)
    except Exception as e: return str(e)
    return 'was not refused'


def ask(rec):
    "A list for new ratings over HTTP, and milliseconds"
    from recnb.page import make_server
    server, sock, address = make_server({'ials+mf':rec}, port=0)
    threading.Thread(target=server.run, kwargs=dict(sockets=[sock]), daemon=True).start()
    body = json.dumps({'ratings':[{'item_id':int(item), 'rating':5} for item in rec.items.ids[:10]]}).encode()
    port = sock.getsockname()[1]
    request = urllib.request.Request(f'http://127.0.0.1:{port}/recommend', body, {'Content-Type':'application/json'})
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        answer = json.loads(urllib.request.urlopen(request, timeout=60).read())
        times.append(1000*(time.perf_counter() - begin))
    return dict(median_ms=round(sorted(times)[10], 1), first_ms=round(times[0], 1), keys=list(answer)[:3])


def all_steps(args, folder):
    import numpy as np, torch
    from recnb.all import (
        USER, Recommender, fit_recipe, load, read_mlcsv, split, test_errors, test_ranking, two_stage
    )
    from recnb.prepare import prepare
    torch.set_num_threads(1)
    steps, columns = Steps(), dict(user='userId', item='movieId')
    steps('write the files', write_layout, folder/'ml-32m', args.scale)
    steps('read as they are', lambda: repr(read_mlcsv(folder/'ml-32m')), say=str)
    about = dict(items=folder/'ml-32m'/'movies.csv', scale=(.5, 5, .5), **columns)
    steps('prepare', prepare, folder/'ml-32m'/'ratings.csv', folder/'prepared', memory='4GB', say=repr, **about)
    r = steps('split', lambda: split(load(folder/'prepared'), 'last:1'))
    bs = int(2**np.clip(np.round(np.log2(len(r)/1000)), 6, 15))
    mf, _ = steps('mf, an epoch', fit_recipe, 'mf', r, 1, bs=bs)
    steps('its test rows', test_errors, mf, say=lambda errors: f"RMSE {errors['rmse']:.3f}")
    some = r.filter((r.df[USER].array.codes < args.causal*len(r.df[USER].array.categories)))
    steps('causal, an epoch', lambda: test_errors(fit_recipe('causal', some, 1)[0]),
        say=lambda errors: f"{len(some):,} ratings, RMSE {errors['rmse']:.3f}")
    steps('ease', refusal, fit_recipe, 'ease', r, 0, say=str)
    ials, _ = steps(f'ials, {args.rounds} rounds', fit_recipe, 'ials', r, 0, rounds=args.rounds)
    steps(f'rank for {args.sample:,}', test_ranking, ials, ks=(10,), sample_users=args.sample,
        say=lambda res: f"NDCG@10 {res['ndcg@10']:.4f} ± {res['± ndcg@10']:.4f}")
    both = steps('both as one', lambda: Recommender(two_stage(ials, mf), dict(model='ials+mf')))
    steps('save', both.save, folder/'saved')
    rec = steps('load', Recommender.load, folder/'saved')
    steps('serve', ask, rec, say=str)
    return steps.rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--scale', type=float, default=1., help='of the numbers of users, films and ratings')
    p.add_argument('--rounds', type=int, default=2, help='of iALS; the default of the model is 16')
    p.add_argument('--sample', type=int, default=2000, help='users to rank for')
    p.add_argument('--causal', type=float, default=.01, help='share of the users for the causal transformer')
    p.add_argument('--temp', help='folder for all files')
    p.add_argument('--json', action='store_true', help='print one JSON object at the end')
    args = p.parse_args()
    with tempfile.TemporaryDirectory(dir=args.temp) as temp: rows = all_steps(args, Path(temp))
    if args.json: print(json.dumps(dict(scale=args.scale, steps=rows)))


if __name__ == '__main__': main()
