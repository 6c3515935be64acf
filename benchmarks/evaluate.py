"""What `recnb evaluate` costs where there are many items: time and memory, next to torchmetrics.

    python benchmarks/evaluate.py [--json] [--quick]

A matrix factorization of 20,000 users and 500,000 items is trained for an epoch on 1.2 million generated ratings and
saved, each user's last rating held out. What is measured, each in a process of its own, on the CPU:
1. `recnb evaluate DIR --json`: all figures for all users, over the full catalogue, without the items they have rated.
2. `recnb evaluate DIR --json --sample-users 1000`: how near is a sample?
3. torchmetrics: six figures at 10 for 20 users whose scores are there already, scaled to all. Ours has to find the
   same six.
"""
import argparse, json, subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
SIZE = dict(n=1_200_000, n_users=20_000, n_items=500_000)
MAX_GB, FEW = 2., 20


def save(folder, quick):
    "A matrix factorization of many items"
    import numpy as np
    from history import generated
    from recnb.all import ITEM, USER, Ratings, Recommender, fit_recipe, split
    size = {name: n//10 for name,n in SIZE.items()} if quick else SIZE
    df, rng = generated(**size).df, np.random.default_rng(1)
    item = size['n_items']*rng.random(len(df))**6 # some are liked by many
    item[:size['n_items']] = rng.permutation(size['n_items']) # and each is there
    df[ITEM] = item.astype('int32') + 1
    r = Ratings.from_df(df.drop_duplicates([USER, ITEM]), name='generated')
    Recommender(fit_recipe('mf', split(r, 'last:1'), 1)[0], dict(model='mf')).save(folder)


def peak_gb():
    "The most memory of this process (`ru_maxrss` would be no less than that of the process that started this one)"
    with open('/proc/self/status') as f: return next(int(line.split()[1]) for line in f if line[:6] == 'VmHWM:')/1e6


def evaluate(folder, *more):
    "Run the command, and print what it cost behind what it prints"
    from recnb.cli import main as recnb
    began = time.perf_counter(), time.process_time()
    try: recnb(['evaluate', folder, '--json', *more])
    except SystemExit as e: assert not e.code
    seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    print(json.dumps(dict(seconds=round(seconds, 1), cpu_seconds=round(cpu, 1), peak_gb=round(peak_gb(), 2))))


def torchmetrics(folder):
    "Seconds of torchmetrics for all users, by those of a few; the same six figures by both"
    import torch
    from ranking import NAMES, with_torchmetrics
    from recnb.all import ITEM, TEST, USER, load_recommender, rank_users
    rec = load_recommender(folder)
    n_users = rec.ratings.df[USER].nunique()
    df = rec.ratings.df[rec.ratings.df[USER] <= FEW]
    user, item = torch.from_numpy(df[USER].to_numpy() - 1), torch.from_numpy(rec.items.encode(df[ITEM])).long()
    with torch.no_grad(): scores = rec.model.scores(torch.from_numpy(rec.users.encode(range(1, FEW + 1))).long())
    is_test = torch.tensor(df[TEST].to_numpy())
    test, seen = [(user[rows], item[rows]) for rows in (is_test, ~is_test)]
    began = time.perf_counter()
    theirs = with_torchmetrics(scores, test, seen)
    seconds = (time.perf_counter() - began)/len(test[0].unique())*n_users
    ours = rank_users(scores, test, seen, (10,))
    for name in NAMES: assert abs(ours[f'{name}@10'] - theirs[name]) < 1e-6, (name, ours, theirs)
    print(json.dumps(dict(users=n_users, items=len(rec.items) - 1, seconds=round(seconds, 1))))


def child(*words):
    "What a process of its own prints, a JSON object a line"
    done = subprocess.run([sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(quick):
    with tempfile.TemporaryDirectory() as temp:
        folder = str(Path(temp)/'mf')
        child('--save', folder, *['--quick']*quick)
        figures, full = child('--evaluate', folder)
        sample, some = child('--evaluate', folder, '--sample-users', '1000')
        theirs, = child('--torchmetrics', folder)
    ndcg = dict(all=figures['ndcg@10'], sample=sample['ndcg@10'], standard_error=sample['± ndcg@10'])
    return dict(users=theirs['users'], items=theirs['items'], figures=len(figures), evaluate=full, sample=some,
        ndcg=ndcg, torchmetrics_seconds=theirs['seconds'], ratio=round(theirs['seconds']/full['seconds'], 1),
        max_gb=MAX_GB, met=full['peak_gb'] <= MAX_GB and theirs['seconds'] > full['seconds'])


def show(res):
    print(f"{res['users']:,} users, {res['items']:,} items\n")
    print(f"{'':28}{'seconds':>9}{'of CPU':>9}{'peak GB':>9}")
    for name,what in (('evaluate', 'recnb evaluate'), ('sample', 'with --sample-users 1000')):
        row = res[name]
        print(f"{what:28}{row['seconds']:>9.1f}{row['cpu_seconds']:>9.1f}{row['peak_gb']:>9.2f}")
    print(f"{'torchmetrics, six figures':28}{res['torchmetrics_seconds']:>9.1f}\n")
    ndcg = res['ndcg']
    print(f"NDCG@10 of all {ndcg['all']:.6f}, of the sample {ndcg['sample']:.6f} ± {ndcg['standard_error']:.6f}")
    print(f"torchmetrics takes {res['ratio']:g} times as long; within {res['max_gb']:g} GB and faster: "
        f"{'yes' if res['met'] else 'NO'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='one JSON object on stdout')
    p.add_argument('--quick', action='store_true', help='a tenth of the size: does it run?')
    for name in ('save', 'evaluate', 'torchmetrics'): p.add_argument(f'--{name}', help=argparse.SUPPRESS)
    args, more = p.parse_known_args()
    if args.save: return save(args.save, args.quick)
    if args.evaluate: return evaluate(args.evaluate, *more)
    if args.torchmetrics: return torchmetrics(args.torchmetrics)
    res = run(args.quick)
    if args.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
