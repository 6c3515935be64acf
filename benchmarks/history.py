"""How fast and in how much memory examples for sequence models are prepared, next to the way of the tutorials.

    python benchmarks/history.py [--json] [--repeat 3] [--quick]

All on MovieLens 1M (from where `recnb.datasets.load` finds it, or generated in the same size), on the CPU.
1. Speed. Ours is an index of where each history begins and ends, and batches gathered from it; theirs are lists in
   a DataFrame. First all have to come to the same examples; then they take turns, and the best of `--repeat` rounds
   counts.
   - Leave-one-out: an example for every rating, it and the nine before it. As the PyTorch article does it: sort,
     group, cut each user's ratings into padded windows, explode, make a mask, join the users, look up indices. And
     the same in as little pandas as we could, without mask and padding tokens.
   - The sliding windows of the Keras page, four ratings, one every second: lists cut in a loop, exploded, joined with
     the users and as text.
2. Memory: how far the peak of a process rises above what it is with the data loaded, while it makes all examples of a
   length once. A process for each length, and 40,960 cells (targets times length) a batch for all, so that their
   batches are of one size in bytes.
"""
import argparse, json, resource, subprocess, sys
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter

import numpy as np, pandas as pd, torch
from fastai.basics import set_seed
from recnb.datasets import load
from recnb.features import fit_vocabs
from recnb.history import Histories, window_ends
from recnb.history_loader import HistoryRows
from recnb.ratings import DataError, Ratings, AGE, ITEM, JOB, RATING, SEX, TIME, USER
from recnb.split import time_order

TARGET = dict(speedup=50., memory=1.1, memory_mb=20.) # theirs over ours; the largest over the smallest, or MB above it
LENGTH, WINDOW, STEP, LENGTHS, CELLS, PAD = 10, 4, 2, (10, 50, 200), 40_960, '[PAD]'


def ratings(quick=False):
    "MovieLens 1M, or random ratings of its size, with times and users (a tenth of them if `quick`); and which it is"
    try: r, data = load('ml-1m'), 'published'
    except (DataError, OSError): r, data = generated(), 'generated'
    return (r.filter(r.df[USER] % 10 == 0) if quick else r), data


def generated(n=1_000_209, n_users=6040, n_items=3706, seed=0):
    "Random ratings by users, some of whom rate much more than others"
    rng, ids = np.random.default_rng(seed), np.arange(1, n_users + 1)
    active = rng.lognormal(size=n_users)
    df = pd.DataFrame({USER:rng.choice(ids, n, p=active/active.sum()), ITEM:rng.integers(1, n_items + 1, n),
        RATING:rng.integers(1, 6, n), TIME:rng.integers(956_703_932, 1_046_454_590, n)})
    def draw(word, k): return [f'{word} {i}' for i in rng.integers(0, k, n_users)]
    users = pd.DataFrame({USER:ids, SEX:draw('sex', 2), AGE:draw('group', 7), JOB:draw('occupation', 21)})
    return Ratings.from_df(df, users=users, name='generated')


def measure(contenders, repeat, warm=1):
    "The best of `repeat` rounds of each contender, after some to warm up"
    best = dict.fromkeys(contenders, 0.)
    for i in range(repeat + warm):
        for k,f in contenders.items():
            set_seed(0)
            speed = f()
            if i >= warm: best[k] = max(best[k], speed)
    return best


def examples(r, targets, length):
    "Ours: targets with histories of all that came before"
    vocabs = fit_vocabs(r)
    return HistoryRows(Histories.from_ratings(r, np.ones(len(r), bool), targets, *vocabs), length)


def batches(rows, bs=CELLS//LENGTH):
    "Every example once"
    for idxs in torch.arange(len(rows)).split(bs): yield rows.gather(idxs)


def leave_one_out(r): return examples(r, np.ones(len(r), bool), LENGTH)
def windows(r): return examples(r, window_ends(r, WINDOW, STEP), WINDOW)


def grouped(df):
    "For each user a list of items and one of ratings, in the order of time"
    g = df.sort_values(TIME, kind='stable').groupby(USER)
    return pd.DataFrame({USER:list(g.groups), 'items':list(g[ITEM].apply(list)), 'ratings':list(g[RATING].apply(list))})


def as_text(df):
    "Ids as the tutorials have them"
    return df.assign(**{c:[f'{word}_{i}' for i in df[c]] for c,word in ((USER, 'user'), (ITEM, 'movie')) if c in df})


def lookup(r): return {f'movie_{id}':i for i,id in enumerate(fit_vocabs(r)[1].ids, 1)} | {PAD:0}


def exploded(d):
    "A row for each list of items and its list of ratings"
    items = d[[USER, 'items']].explode('items', ignore_index=True)
    return pd.concat([items, d[['ratings']].explode('ratings', ignore_index=True)], axis=1)


def up_to_each(values, length=LENGTH):
    "Of one user's values a window for each: all up to it, then cut or padded"
    res = []
    for i in range(len(values)):
        seen = values[:i + 1]
        res.append(seen[-length:] if i >= length else [PAD]*(length - len(seen)) + seen)
    return res


def leave_one_out_article(r):
    "Every rating, the article's way"
    d = grouped(as_text(r.df))
    for c in ('items', 'ratings'): d[c] = d[c].apply(up_to_each)
    d = exploded(d)
    d['target'], d['before'] = d['ratings'].apply(lambda v: v[-1]), d['ratings'].apply(lambda v: v[:-1])
    d['mask'] = d['items'].apply(lambda v: np.array(v) == PAD)
    d['pads'] = d['mask'].apply(sum)
    d = d.join(as_text(r.users).set_index(USER), on=USER)
    index = lookup(r)
    items = np.array([[index[i] for i in window] for window in d['items']])
    before = np.array([[0 if v == PAD else v for v in window] for window in d['before']])
    return items, np.column_stack([before, d['target']])


def padded(values, length=LENGTH):
    "The same windows, without copies of all that came before"
    values = [0]*(length - 1) + values
    return [values[i:i + length] for i in range(len(values) - length + 1)]


def leave_one_out_lean(r):
    "Every rating, in as little pandas as we could"
    d = grouped(r.df)
    for c in ('items', 'ratings'): d[c] = d[c].apply(padded)
    d = d.explode(['items', 'ratings'], ignore_index=True).join(r.users.set_index(USER), on=USER)
    items = np.array(d['items'].tolist())
    index = fit_vocabs(r)[1].encode(items.ravel()) # 0 is no item's id, and stays 0
    return index.reshape(items.shape), np.array(d['ratings'].tolist())


def every_second(values, length=WINDOW, step=STEP):
    "Of one user's list the windows of the Keras page; the last one ends where the list does"
    res, at = [], 0
    while at + length <= len(values):
        res.append(values[at:at + length])
        at += step
    return res + [values[-length:]] if len(values) >= length else res


def windows_page(r):
    "The Keras page's windows, its way: a DataFrame, as it goes into a file"
    df = as_text(r.df)
    d = grouped(df.assign(**{RATING:df[RATING].apply(float)}))
    for c in ('items', 'ratings'): d[c] = d[c].apply(every_second)
    d = exploded(d).dropna(subset='items', ignore_index=True) # users with too few ratings have an empty row
    d = d.join(as_text(r.users).set_index(USER), on=USER)
    d['items'] = d['items'].apply(','.join)
    d['ratings'] = d['ratings'].apply(lambda values: ','.join([str(v) for v in values]))
    return d


def windows_arrays(r):
    "The text of `windows_page` as arrays again"
    d, index = windows_page(r), lookup(r)
    items = np.array([[index[i] for i in text.split(',')] for text in d['items']])
    return items, np.array([[float(v) for v in text.split(',')] for text in d['ratings']])


def by_text(r, rows):
    "The order of rows in which their users' ids are sorted as text"
    return np.argsort(as_text(r.df)[USER].to_numpy()[rows].astype(str), kind='stable')


def check_same(rows, items, ratings, order):
    "Are our examples, in `order`, those of the other way?"
    user, item, past_items, past_ratings, n, rating = rows.gather(torch.as_tensor(order))
    assert np.array_equal(torch.cat([past_items, item[:, None]], 1).numpy(), items), 'the items differ'
    assert np.array_equal(torch.cat([past_ratings, rating[:, None]], 1).numpy(), ratings), 'the ratings differ'


def timed(f):
    "A contender: examples a second, when `f` returns how many it made"
    def _speed():
        began = perf_counter()
        n = f()
        return n/(perf_counter() - began)
    return _speed


def contenders(r, theirs, number):
    "By name: ours as an index only, ours with all batches gathered, and theirs"
    def gather(f): return sum(len(b[0]) for b in batches(f(r)))
    def run(their, n):
        their(r)
        return n
    res = {(f, 'index'):timed(lambda f=f: len(f(r))) for f in number}
    res |= {(f, 'gathered'):timed(lambda f=f: gather(f)) for f in number}
    return res | {k:timed(lambda their=their, n=number[f]: run(their, n)) for k,(f,their) in theirs.items()}


def speeds(r, repeat):
    "Ours and theirs: seconds, and how many times as long theirs take"
    ordered = time_order(r)
    check_same(leave_one_out(r), *leave_one_out_article(r), ordered[by_text(r, ordered)])
    check_same(leave_one_out(r), *leave_one_out_lean(r), ordered)
    check_same(windows(r), *windows_arrays(r), by_text(r, window_ends(r, WINDOW, STEP)))
    theirs = {'article':(leave_one_out, leave_one_out_article), 'lean':(leave_one_out, leave_one_out_lean),
        'keras':(windows, windows_page)}
    number = {f:len(f(r)) for f in (leave_one_out, windows)}
    speed = measure(contenders(r, theirs, number), repeat, warm=0)
    return [row(k, number[f], *(number[f]/speed[o] for o in ((f, 'index'), (f, 'gathered'), k)))
        for k,(f,_) in theirs.items()]


def row(way, n, index, gathered, theirs):
    res = dict(way=way, length=WINDOW if way == 'keras' else LENGTH, examples=n, index_seconds=round(index, 4),
        gathered_seconds=round(gathered, 4), their_seconds=round(theirs, 3),
        theirs_over_index=round(theirs/index, 1), theirs_over_gathered=round(theirs/gathered, 1))
    if way != 'article': return res
    return {**res, 'bar':TARGET['speedup'], 'met':theirs/gathered >= TARGET['speedup']}


def peak_mb():
    "The largest that this process has been"
    unit = 1 if sys.platform == 'darwin' else 1024 # bytes there, KiB here
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*unit/1e6


def memory(length, quick):
    "Rise of the peak while all examples of a length are made"
    r, _ = ratings(quick)
    start = peak_mb()
    rows = examples(r, np.ones(len(r), bool), length)
    n = sum(len(b[0]) for b in batches(rows, CELLS//length))
    growth = round(peak_mb() - start, 1)
    return dict(length=length, batch=CELLS//length, n=n, loaded_mb=round(start, 1), growth_mb=growth)


def in_new_process(length, quick):
    "`memory` in a new process"
    cmd = [sys.executable, __file__, '--memory', str(length)] + ['--quick']*quick
    return json.loads(subprocess.run(cmd, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def run(repeat, quick):
    # memory first, while this process is small: Linux hands its peak on to children
    by_length = [in_new_process(length, quick) for length in LENGTHS]
    growth = [o['growth_mb'] for o in by_length]
    met = max(growth) <= max(TARGET['memory']*min(growth), min(growth) + TARGET['memory_mb'])
    r, data = ratings(quick)
    return dict(data=data, ratings=len(r), threads=torch.get_num_threads(), repeat=repeat, quick=quick,
        preparation=speeds(r, repeat), memory=by_length,
        memory_bar=dict(times=TARGET['memory'], or_mb_more=TARGET['memory_mb'], met=met))


def show(res):
    part = ', a part' if res['quick'] else ''
    print(f"MovieLens 1M ({res['data']}{part}): {res['ratings']:,} ratings, {res['threads']} threads, "
        f"best of {res['repeat']}\n")
    names = dict(article='every rating: the article', lean='  the same in little pandas',
        keras='windows: the Keras page')
    print(f"{'theirs':28}{'examples':>10}{'our index':>11}{'+ gather':>10}{'theirs':>10}"
        f"{'/index':>8}{'/both':>8}{'bar':>6}  met")
    for row in res['preparation']:
        bar, met = (f"{row['bar']:g}", 'yes' if row['met'] else 'NO') if 'bar' in row else ('', '')
        ours = f"{row['index_seconds']:>9.3f} s{row['gathered_seconds']:>8.3f} s"
        ratio = f"{row['theirs_over_index']:>8.0f}{row['theirs_over_gathered']:>8.1f}"
        print(f"{names[row['way']]:28}{row['examples']:>10,}{ours}{row['their_seconds']:>8.2f} s{ratio}{bar:>6}  {met}")
    print(f"\n{'peak memory above data':24}{'targets a batch':>17}{'MB':>8}")
    for row in res['memory']: print(f"{'length ' + str(row['length']):24}{row['batch']:>17,}{row['growth_mb']:>8.0f}")
    b = res['memory_bar']
    print(f"the largest at most {b['times']:g} times the smallest, or {b['or_mb_more']:g} MB above it: "
        f"{'yes' if b['met'] else 'NO'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--repeat', type=int, default=3, help='rounds, the best of which counts')
    p.add_argument('--quick', action='store_true', help='a tenth of the users, to see that it runs')
    p.add_argument('--memory', type=int, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.memory: return print(json.dumps(memory(args.memory, args.quick)))
    with redirect_stdout(sys.stderr): res = run(args.repeat, args.quick) # what a library prints goes beside the result
    if args.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
