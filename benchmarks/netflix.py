"""What the full Netflix pair of csv files costs: memory and time to read it, and one epoch of the multi-task model.

    python benchmarks/netflix.py [--rows 17337458] [--json]

The real file has 17,337,458 ratings of 1,350 films by 143,458 people, sorted by film. One of the same layout and size
is made up in a temporary folder: films and people as unevenly active as there, ratings at random, so nothing can be
learned from it, but it costs the same.
1. `load`, in a process of its own: seconds, and the most memory that it ever held. At most 2 GB.
2. A random 80/20 split, loaders without histories (`length=1`), and one epoch of the multi-task learner with ids only,
   in batches of 8,192.
"""
import argparse, json, resource, subprocess, sys, tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import numpy as np, pandas as pd

TARGET = 2.0 # GB to read
ROWS, USERS, ITEMS = 17_337_458, 143_458, 1_350


def writes(folder, n):
    "The pair of files, made up; in a process of its own, as a process hands its peak memory down to those it starts"
    rng = np.random.default_rng(0)
    many = rng.dirichlet(np.ones(ITEMS)*.5)
    user = np.sort(rng.permutation(2_649_429)[:USERS] + 1)[
        np.minimum((USERS * rng.random(n) ** 1.6).astype(int), USERS - 1)
    ]
    item = np.sort(rng.choice(ITEMS, size=n, p=many) + 1)
    pd.DataFrame({'User_ID': user, 'Rating': rng.integers(1, 6, n), 'Movie_ID': item}).to_csv(
        folder / 'Netflix_Dataset_Rating.csv', index=False
    )
    pd.DataFrame(
        {'Movie_ID': np.arange(1, ITEMS + 1), 'Year': 2000, 'Name': [f'Film {i}' for i in range(1, ITEMS + 1)]}
    ).to_csv(folder / 'Netflix_Dataset_Movie.csv', index=False)
    return dict(rows=n, peak_gb=peak())


def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/2**20 # GB


def reads(folder, n):
    "Read, and say how long it took and what it held"
    from recnb.layouts import read_netflix
    before, start = peak(), perf_counter()
    r = read_netflix(folder)
    return dict(rows=len(r), seconds=perf_counter() - start, peak_gb=peak(), of_it_imports_gb=before)


def trains(folder, n):
    "One epoch"
    from recnb.layouts import read_netflix
    from recnb.experiment import fit_recipe
    from recnb.split import split
    import recnb.multitask
    parts = split(read_netflix(folder), 'random:0.2')
    start = perf_counter()
    learn, seconds = fit_recipe(
        'multitask',
        parts,
        1,
        bs=8192,
        length=1,
        history=False,
        user=True,
        columns=(),
        query_sizes=(32,),
        candidate_sizes=(32,),
        width=32,
    )
    return dict(
        rows=int((~parts.df['is_test']).sum()),
        seconds_an_epoch=seconds,
        seconds_with_loaders=perf_counter() - start,
        peak_gb=peak(),
    )


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rows', type=int, default=ROWS)
    p.add_argument('--json', action='store_true')
    p.add_argument('--step', choices=['writes', 'reads', 'trains'], help=argparse.SUPPRESS)
    p.add_argument('--folder', type=Path, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.step: return print(json.dumps(globals()[a.step](a.folder, a.rows)))
    res = {}
    with tempfile.TemporaryDirectory() as d:
        for step in ('writes', 'reads', 'trains'):
            command = [sys.executable, __file__, '--step', step, '--folder', d, '--rows', str(a.rows)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode: sys.exit(done.stderr)
            res[step] = json.loads(done.stdout.splitlines()[-1])
    if a.json: return print(json.dumps(res))
    r, t = res['reads'], res['trains']
    before = f"{r['of_it_imports_gb']:.2f} GB of it before reading; target {TARGET:g}"
    print(f"read {r['rows']:,} rows in {r['seconds']:.1f} s, at most {r['peak_gb']:.2f} GB ({before})")
    print(f"one epoch over {t['rows']:,} rows: {t['seconds_an_epoch']:.0f} s, at most {t['peak_gb']:.2f} GB")


if __name__ == '__main__': main()
