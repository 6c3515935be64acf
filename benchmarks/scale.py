"""How fast tables larger than memory are prepared and trained on, and how much memory that takes.

    python benchmarks/scale.py [--json] [--rows 1000000 10000000] [--memory 4GB] [--kind csv]
                               [--steps 1000] [--limit 8GB] [--threads 1]

For each number of rows: ratings of `rows/100` users for `rows/400` items, without any order, written as csv or parquet.
1. A process prepares the file (`recnb.prepare.prepare`) within `--memory`, opens the folder, and appends a file with a
   hundredth as many rows to it.
2. Another one loads the folder, holds out each user's last rating, and trains matrix factorization for an epoch, in
   batches so large that it takes about `--steps` steps: the optimizer passes over all factors in every step. With
   `--limit` it may not allocate more than that (its data, without mapped files).
Peak memory is the whole process with its libraries: `peak_gb` with mapped pages, which the system takes back where
memory is short, `own_gb` without them. Seconds are those of the clock and, which other programs change less, of all
threads on the processor. The slope is the exponent of the latter: 1 where ten times the rows take ten times as long.
"""
import argparse, json, math, resource, subprocess, sys, tempfile, threading, time
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


class OwnMemory(threading.Thread):
    "Notes the most memory that this process has had apart from mapped files, by looking twenty times a second"
    def __init__(self):
        super().__init__(daemon=True)
        self.peak = 0
        self.start()
    def run(self):
        while True:
            self.peak = max(self.peak, status_gb('RssAnon'))
            time.sleep(.05)


def status_gb(name):
    "A line of what Linux knows about this process"
    lines = Path('/proc/self/status').read_text().splitlines()
    return round(int(next(line for line in lines if line.startswith(name)).split()[1])*1024/1e9, 3)


def measure(folder, kind, memory):
    "Prepare a file, open the folder, append another file"
    from recnb.prepare import prepare
    from recnb.prepared import open_prepared
    own, out = OwnMemory(), Path(folder)/'prepared'
    seconds, cpu = timed(prepare, Path(folder)/f'ratings.{kind}', out, memory=memory)
    res = dict(peak_gb=status_gb('VmHWM'), own_gb=own.peak)
    rows = len(open_prepared(out))
    opened, _ = timed(open_prepared, out)
    size = sum(path.stat().st_size for path in out.iterdir())/1e9
    _, appended = timed(prepare, Path(folder)/f'more.{kind}', out, memory=memory, append=True)
    return dict(rows=rows, seconds=seconds, cpu_seconds=cpu, rows_a_second=round(rows/seconds)) | res | dict(
        folder_gb=round(size, 3), open_seconds=opened, append_cpu_seconds=appended, append_peak_gb=status_gb('VmHWM'))


def train(folder, steps, limit, threads):
    "An epoch of matrix factorization on a prepared folder"
    import numpy as np, torch
    from recnb.all import RatingDataLoaders, load, mf_learner, split
    from recnb.prepare import _memory_bytes
    from recnb.training import fit_quietly
    torch.set_num_threads(threads)
    if limit: resource.setrlimit(resource.RLIMIT_DATA, (int(_memory_bytes(limit)),)*2)
    own, made = OwnMemory(), {}
    def make():
        r = split(load(Path(folder)/'prepared'), 'last:1')
        n_train = len(r) - int(r.df['is_test'].sum())
        made['bs'] = int(2**np.clip(np.round(np.log2(n_train/steps)), 6, 20))
        dls = RatingDataLoaders.from_ratings(r, bs=made['bs'], seed=0, device='cpu')
        made['learn'] = mf_learner(dls)
    ready, _ = timed(make)
    learn = made['learn']
    seconds, cpu = timed(fit_quietly, learn, 1)
    n, n_steps = len(learn.dls.train.dataset), len(learn.dls.train)
    parameters = sum(param.numel() for param in learn.model.parameters())
    return dict(rows=n, users=len(learn.dls.users) - 1, items=len(learn.dls.items) - 1, parameters=parameters,
        bs=made['bs'], steps=n_steps, ready_seconds=ready, seconds=seconds, cpu_seconds=cpu,
        rows_a_second=round(n/seconds), peak_gb=status_gb('VmHWM'), own_gb=own.peak)


def child(what, folder, *words):
    "What a new process measured"
    words = [sys.executable, __file__, '--child', what, folder, *map(str, words)]
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.splitlines()[-1])


def fresh(rows, args):
    "Both measurements, each in a new process"
    common = '--kind', args.kind, '--memory', args.memory
    with tempfile.TemporaryDirectory(dir=args.temp) as folder:
        write(Path(folder)/f'ratings.{args.kind}', rows, rows)
        write(Path(folder)/f'more.{args.kind}', rows//100, rows, seed=1)
        size = (Path(folder)/f'ratings.{args.kind}').stat().st_size/1e9
        res = dict(file_gb=round(size, 3)) | child('prepare', folder, *common)
        if not args.steps: return res
        options = '--steps', args.steps, '--threads', args.threads, *(['--limit', args.limit] if args.limit else [])
        return res | dict(mf=child('train', folder, *options))


def print_table(runs, names):
    "Figures of all runs, right-aligned, and their slope"
    print(''.join(f'{name:>{max(len(name) + 2, 12)}}' for name in names))
    for run in runs: print(''.join(f'{run[name]:{max(len(name) + 2, 12)},}' for name in names))
    slopes = [math.log(b['cpu_seconds']/a['cpu_seconds'], b['rows']/a['rows']) for a,b in zip(runs, runs[1:])]
    if slopes: print('slope of the processor seconds: ' + ', '.join(f'{slope:.2f}' for slope in slopes))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object')
    p.add_argument('--rows', type=int, nargs='+', default=[1_000_000, 10_000_000], help='ratings to generate')
    p.add_argument('--kind', choices=['csv', 'parquet'], default='csv', help='of the file')
    p.add_argument('--memory', default='4GB', help='what preparing may use')
    p.add_argument('--steps', type=int, default=1000, help='of the epoch, about; 0 for no training')
    p.add_argument('--limit', help="what training may allocate, such as '8GB'")
    p.add_argument('--threads', type=int, default=1, help='of the training')
    p.add_argument('--temp', help='folder for all files')
    p.add_argument('--child', nargs=2, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child:
        what, folder = args.child
        if what == 'prepare': res = measure(folder, args.kind, args.memory)
        else: res = train(folder, args.steps, args.limit, args.threads)
        return print(json.dumps(res))
    runs = []
    for rows in args.rows:
        runs.append(fresh(rows, args))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    if args.json: return print(json.dumps(dict(kind=args.kind, memory=args.memory, runs=runs)))
    print('prepare')
    print_table(runs, ['rows', 'file_gb', 'seconds', 'cpu_seconds', 'rows_a_second', 'peak_gb', 'own_gb', 'folder_gb',
        'open_seconds', 'append_cpu_seconds'])
    if not args.steps: return
    print('an epoch of matrix factorization')
    print_table([run['mf'] for run in runs], ['rows', 'parameters', 'bs', 'steps', 'ready_seconds', 'seconds',
        'cpu_seconds', 'rows_a_second', 'peak_gb', 'own_gb'])


if __name__ == '__main__': main()
