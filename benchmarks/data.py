"""How fast ratings are read, and how much memory that takes.

    python benchmarks/data.py [--json] [--rows 25000000]

Two measurements, each in a process of its own so that nothing is warm and the peak is its own:
1. MovieLens 1M's `ratings.dat` (from `RECNB_DATA`, or made up in the same layout), against pandas' `sep='::'`.
2. `--rows` ratings in MovieLens 25M's csv layout, read, checked and encoded to indices.
"""
import argparse, json, os, resource, subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
TARGET = dict(speedup=8., peak_gb=3.)
COLS = ['user_id', 'item_id', 'rating', 'timestamp']


def timed(f, repeat=1):
    "The best of `repeat` runs in seconds, and the last result"
    best = float('inf')
    for _ in range(repeat):
        began = time.perf_counter()
        res = f()
        best = min(best, time.perf_counter() - began)
    return best, res


def generate(rows, seed=0):
    "Ratings of the shape of MovieLens 25M, in pieces of a million, ordered by user and film"
    import numpy as np
    rng, user = np.random.default_rng(seed), 1
    while rows > 0:
        n = min(rows, 1_000_000)
        users = user + np.sort(rng.integers(0, max(n//154, 1), n))
        items = np.minimum(rng.zipf(1.2, n), 209_171)
        yield users, items, rng.integers(1, 11, n)/2, rng.integers(789_652_009, 1_574_327_703, n)
        user, rows = users[-1] + 1, rows - n


def write_csv(folder, rows):
    "A folder in MovieLens 25M's layout"
    import pyarrow as pa, pyarrow.csv as pc
    names = ['userId', 'movieId', 'rating', 'timestamp']
    schema = pa.schema(
        [(names[0], pa.int64()), (names[1], pa.int64()), (names[2], pa.float64()), (names[3], pa.int64())]
    )
    with pc.CSVWriter(folder/'ratings.csv', schema, write_options=pc.WriteOptions(quoting_style='none')) as f:
        for piece in generate(rows): f.write_table(pa.table(dict(zip(names, piece)), schema=schema))
    (folder/'movies.csv').write_text('movieId,title,genres\n1,Toy Story (1995),Adventure|Children\n')


def write_1m(folder, rows=1_000_209):
    "A folder in MovieLens 1M's layout"
    with open(folder/'ratings.dat', 'w') as f:
        for piece in generate(rows):
            f.writelines(f'{u}::{i}::{int(r + .5)}::{t}\n' for u,i,r,t in zip(*piece))
    (folder/'movies.dat').write_text('1::Toy Story (1995)::Animation\n')
    (folder/'users.dat').write_text('1::F::1::10::48067\n')


def small(folder):
    "MovieLens 1M, ours and theirs"
    import pandas as pd
    from recnb.layouts import read_ml1m
    path = Path(folder)
    ours, r = timed(lambda: read_ml1m(path), 3)
    theirs, df = timed(lambda: pd.read_csv(path/'ratings.dat', sep='::', engine='python', names=COLS))
    assert (df[COLS].to_numpy() == r.df[COLS].to_numpy()).all()
    return dict(rows=len(r), seconds=round(ours, 3), pandas_seconds=round(theirs, 3), speedup=round(theirs/ours, 1))


def large(folder):
    "MovieLens 25M's layout: read, check, encode"
    from recnb.layouts import read_mlcsv
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read, r = timed(lambda: read_mlcsv(folder))
    encode, vocab = timed(lambda: indices(r.df))
    scale = 1 if sys.platform == 'darwin' else 1024 # bytes there, KiB here
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*scale/1e9
    return dict(
        rows=len(r),
        file_gb=round((Path(folder) / 'ratings.csv').stat().st_size / 1e9, 3),
        read_seconds=round(read, 2),
        encode_seconds=round(encode, 2),
        encoder=vocab,
        table_gb=round(r.df.memory_usage().sum() / 1e9, 3),
        imports_gb=round(start * scale / 1e9, 3),
        peak_gb=round(peak, 3),
    )


def indices(df):
    "Both ids as int32 indices, kept in the table; returns what did it"
    import pandas as pd
    try: from recnb.features import Vocab
    except ImportError: Vocab = None
    for c in ('user_id', 'item_id'):
        df[c + '_idx'] = (Vocab(df[c].unique()).encode(df[c]) if Vocab else pd.factorize(df[c])[0]).astype('int32')
    return 'recnb.features.Vocab' if Vocab else 'pandas.factorize'


def fresh(what, folder):
    "Run one measurement in a new process"
    out = subprocess.run(
        [sys.executable, __file__, '--run', what, str(folder)], check=True, capture_output=True, text=True
    ).stdout
    return json.loads(out.splitlines()[-1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object')
    p.add_argument('--rows', type=int, default=25_000_000, help='ratings to generate in the large table')
    p.add_argument('--run', nargs=2, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.run: return print(json.dumps({'small':small, 'large':large}[args.run[0]](args.run[1])))
    res = measure(args.rows)
    if args.json: print(json.dumps(res))
    else: report(res)


def measure(rows):
    "Both measurements, on published files where there are any"
    with tempfile.TemporaryDirectory() as tmp:
        made, real = Path(tmp), Path(os.environ.get('RECNB_DATA', '/nonexistent'))/'ml-1m'
        for name in ('ml-1m', 'ml-25m'): (made/name).mkdir()
        published = (real/'ratings.dat').is_file()
        if not published: write_1m(made/'ml-1m')
        res = dict(ml_1m=fresh('small', real if published else made/'ml-1m'))
        res['ml_1m']['data'] = 'published' if published else 'generated'
        write_csv(made/'ml-25m', rows)
        res['ml_25m'] = fresh('large', made/'ml-25m')
    speedup, peak = res['ml_1m']['speedup'], res['ml_25m']['peak_gb']
    met = dict(speedup=speedup >= TARGET['speedup'], peak_gb=peak <= TARGET['peak_gb'])
    return res | dict(target=TARGET, met=met)


def report(res):
    "Print both measurements as a table"
    a, b = res['ml_1m'], res['ml_25m']
    table = [
        ('MovieLens 1M', f"{a['rows']:,} ratings ({a['data']})"),
        ('  recnb, all files, checked (best of 3)', f"{a['seconds']:.2f} s"),
        ('  pandas, ratings.dat only', f"{a['pandas_seconds']:.2f} s"),
        ('  times faster', f"{a['speedup']:.1f} (target {TARGET['speedup']:g})"),
        ('MovieLens 25M layout', f"{b['rows']:,} generated ratings, {b['file_gb']:.2f} GB"),
        ('  read and checked', f"{b['read_seconds']:.1f} s"),
        (f"  encoded with {b['encoder']}", f"{b['encode_seconds']:.1f} s"),
        ('  table', f"{b['table_gb']:.2f} GB"),
        ('  peak memory', f"{b['peak_gb']:.2f} GB (target {TARGET['peak_gb']:g}; imports alone {b['imports_gb']:.2f})")]
    for name,value in table: print(f'{name:42}{value}')


if __name__ == '__main__': main()
