"""How fast tables larger than memory are prepared, and how much memory that takes.

    python benchmarks/scale.py [--json] [--rows 1000000 10000000] [--memory 4GB] [--kind csv]

For each number of rows, in a process of its own: ratings of `rows/100` users for `rows/400` items, without any order,
written as csv or parquet; `recnb.prepare.prepare` within `--memory`; the folder opened; and a file with a hundredth as
many rows appended to it. Peak memory is the whole process with its libraries, mapped pages included. Seconds are those
of the clock and, which other programs change less, of all threads on the processor. The slope is the exponent of the
latter: 1 where ten times the rows take ten times as long.
"""
import argparse, json, math, resource, subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
NAMES = ['user_id', 'item_id', 'rating', 'timestamp']


def generate(rows, size, seed=0):
    "Ratings in pieces of a million, of the users and items of a table of `size` rows"
    import numpy as np, pyarrow as pa
    rng = np.random.default_rng(seed)
    for begin in range(0, rows, 1_000_000):
        n = min(rows - begin, 1_000_000)
        item = (size//400*rng.random(n)**2).astype('int64') + 1
        columns = rng.integers(1, size//100 + 1, n), item, rng.integers(1, 11, n)/2, rng.integers(10**9, 15*10**8, n)
        yield pa.table(dict(zip(NAMES, columns)))


def write(path, rows, size, seed=0):
    "Generated ratings as a file"
    import pyarrow.csv as pc, pyarrow.parquet as pq
    writer = None
    for piece in generate(rows, size, seed):
        if writer is None:
            is_csv = path.suffix == '.csv'
            writer = pc.CSVWriter(path, piece.schema) if is_csv else pq.ParquetWriter(path, piece.schema)
        writer.write_table(piece)
    writer.close()


def timed(f, *args, **kwargs):
    "Seconds of the clock and of the processor"
    began = time.perf_counter(), time.process_time()
    f(*args, **kwargs)
    return round(time.perf_counter() - began[0], 3), round(time.process_time() - began[1], 3)


def peak_gb():
    "The most memory this process has had"
    scale = 1 if sys.platform == 'darwin' else 1024 # bytes there, KiB here
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*scale/1e9, 3)


def measure(folder, kind, memory):
    "Prepare a file, open the folder, append another file"
    from recnb.prepare import prepare
    from recnb.prepared import open_prepared
    out = Path(folder)/'prepared'
    seconds, cpu = timed(prepare, Path(folder)/f'ratings.{kind}', out, memory=memory)
    peak, rows = peak_gb(), len(open_prepared(out))
    opened, _ = timed(open_prepared, out)
    size = sum(path.stat().st_size for path in out.iterdir())/1e9
    _, appended = timed(prepare, Path(folder)/f'more.{kind}', out, memory=memory, append=True)
    return dict(rows=rows, seconds=seconds, cpu_seconds=cpu, rows_a_second=round(rows/seconds), peak_gb=peak,
        folder_gb=round(size, 3), open_seconds=opened, append_cpu_seconds=appended, append_peak_gb=peak_gb())


def fresh(rows, kind, memory, temp):
    "One measurement in a new process"
    with tempfile.TemporaryDirectory(dir=temp) as folder:
        write(Path(folder)/f'ratings.{kind}', rows, rows)
        write(Path(folder)/f'more.{kind}', rows//100, rows, seed=1)
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
    slopes = [math.log(b['cpu_seconds']/a['cpu_seconds'], b['rows']/a['rows']) for a,b in zip(res, res[1:])]
    if args.json: return print(json.dumps(dict(kind=args.kind, memory=args.memory, runs=res, slopes=slopes)))
    names = dict(rows=12, file_gb=9, seconds=9, cpu_seconds=13, rows_a_second=15, peak_gb=9, open_seconds=14,
        append_cpu_seconds=20)
    print(''.join(f'{name:>{width}}' for name,width in names.items()))
    for run in res: print(''.join(f'{run[name]:{width},}' for name,width in names.items()))
    if slopes: print('slope of the processor seconds: ' + ', '.join(f'{slope:.2f}' for slope in slopes))


if __name__ == '__main__': main()
