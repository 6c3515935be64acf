"""How fast tables larger than memory are prepared, and how much memory that takes.

    python benchmarks/scale.py [--json] [--rows 1000000 10000000] [--memory 4GB] [--kind csv]

For each number of rows, in a process of its own: ratings of `rows/100` users for `rows/400` items, without any order,
written as csv or parquet; `recnb.prepare.prepare` within `--memory`; `load` of the folder, and one pass over its
ratings. Peak memory is the whole process with its libraries, mapped pages included. The slope is the exponent of the
seconds: 1 where ten times the rows take ten times as long.
"""
import argparse, json, math, resource, subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
NAMES = ['user_id', 'item_id', 'rating', 'timestamp']


def generate(rows, seed=0):
    "Ratings in pieces of a million"
    import numpy as np, pyarrow as pa
    rng = np.random.default_rng(seed)
    for begin in range(0, rows, 1_000_000):
        n = min(rows - begin, 1_000_000)
        item = (rows//400*rng.random(n)**2).astype('int64') + 1
        columns = rng.integers(1, rows//100 + 1, n), item, rng.integers(1, 11, n)/2, rng.integers(10**9, 15*10**8, n)
        yield pa.table(dict(zip(NAMES, columns)))


def write(path, rows):
    "The generated ratings as a file"
    import pyarrow.csv as pc, pyarrow.parquet as pq
    writer = None
    for piece in generate(rows):
        if writer is None:
            is_csv = path.suffix == '.csv'
            writer = pc.CSVWriter(path, piece.schema) if is_csv else pq.ParquetWriter(path, piece.schema)
        writer.write_table(piece)
    writer.close()


def measure(folder, kind, memory):
    "Prepare one file, open the folder, read its ratings once"
    from recnb.prepare import open_prepared, prepare
    out = Path(folder)/'prepared'
    began = time.perf_counter()
    prepare(Path(folder)/f'ratings.{kind}', out, memory=memory)
    seconds = time.perf_counter() - began
    scale = 1 if sys.platform == 'darwin' else 1024 # bytes there, KiB here
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*scale/1e9
    began = time.perf_counter()
    r = open_prepared(out)
    opened = time.perf_counter() - began
    mean = float(r.df.rating.mean())
    size = sum(o.stat().st_size for o in out.iterdir())/1e9
    return dict(rows=len(r), seconds=round(seconds, 2), rows_a_second=round(len(r)/seconds), peak_gb=round(peak, 3),
        open_seconds=round(opened, 3), folder_gb=round(size, 3), mean_rating=round(mean, 3))


def fresh(rows, kind, memory, temp):
    "One measurement in a new process"
    with tempfile.TemporaryDirectory(dir=temp) as folder:
        write(Path(folder)/f'ratings.{kind}', rows)
        size = (Path(folder)/f'ratings.{kind}').stat().st_size/1e9
        words = [sys.executable, __file__, '--run', folder, '--kind', kind, '--memory', memory]
        out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return dict(file_gb=round(size, 3)) | json.loads(out.splitlines()[-1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object')
    p.add_argument('--rows', type=int, nargs='+', default=[1_000_000, 10_000_000], help='ratings to generate')
    p.add_argument('--kind', choices=['csv', 'parquet'], default='csv', help='of the file')
    p.add_argument('--memory', default='4GB', help='what may be used')
    p.add_argument('--temp', help='folder for all files')
    p.add_argument('--run', help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.run: return print(json.dumps(measure(args.run, args.kind, args.memory)))
    res = [fresh(rows, args.kind, args.memory, args.temp) for rows in args.rows]
    slopes = [math.log(b['seconds']/a['seconds'], b['rows']/a['rows']) for a,b in zip(res, res[1:])]
    if args.json: return print(json.dumps(dict(kind=args.kind, memory=args.memory, runs=res, slopes=slopes)))
    print(f"{'rows':>12}{'file GB':>9}{'seconds':>9}{'rows/s':>12}{'peak GB':>9}{'open s':>8}")
    for run in res:
        sizes = f"{run['rows']:12,}{run['file_gb']:9.2f}{run['seconds']:9.1f}{run['rows_a_second']:12,}"
        print(f"{sizes}{run['peak_gb']:9.2f}{run['open_seconds']:8.2f}")
    if slopes: print('slope of the seconds: ' + ', '.join(f'{slope:.2f}' for slope in slopes))


if __name__ == '__main__': main()
