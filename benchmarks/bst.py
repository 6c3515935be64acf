"""How fast the two published transformers train: the Keras page's next to the ways of the tutorials, and the article's.

    python benchmarks/bst.py [--json] [--repeat 3] [--quick] [--article] [--tensorflow PYTHON]

All on MovieLens 1M (from where `recnb.datasets.load` finds it, or made up in the same size), on the CPU: windows of
four ratings, one every second, a random 15 % of the targets held out and not looked at, 265 windows a batch, Adagrad.
The contenders take turns, and the best of `--repeat` rounds counts, after one to warm up (in which TensorFlow traces
its graph):
1. `bst_learner`, a `Learner`; and the same network in a bare loop over the same batches: what a `Learner` costs.
2. That bare loop over a `Dataset` that takes rows of a DataFrame one by one, as the PyTorch article does.
3. The page's network in Keras, fed as on the page: ids as text, looked up in the model, read from a csv by
   `make_csv_dataset`.
4. The same from arrays of whole numbers in memory: Keras without the text.

For 3 and 4 a Python that has TensorFlow; it needs neither torch nor this project, and may be another one, named by
`--tensorflow`. Without one they are left out. It gets as many threads as torch has, and runs in a process of its own,
waiting while it is not its turn.

Then the article's network, 120 wide with 2,048 inside its feed-forward part, on 10,000 windows of ten, 1,024 a batch:
1. as `bst_learner` trains it: that part in parts, and in bfloat16 where the processor has instructions for it;
2. the same in float32;
3. as it was before: float32, the feed-forward part at once, and a dropout that compares random bytes.
"""
import argparse, json, os, subprocess, sys, tempfile
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import numpy as np, pandas as pd
if '--keras' not in sys.argv: # the other Python has none of this
    import torch
    import torch.nn.functional as F
    from history import measure, ratings
    from fastai.basics import set_seed
    from recnb.bst import bst_learner, bst_networks, bst_presets
    from recnb.history import Histories
    from recnb.history_loader import HistoryDataLoaders
    from recnb.layers import Dropout
    from recnb.ratings import AGE, ITEM, JOB, RATING, SEX, USER
    from recnb.split import split
    from recnb.training import fit_quietly, has_bf16

# ours over the page's own; windows a second, where the page's own were found to train at 11,000
TARGET = dict(keras_csv=5., ours=5*11_000.)
# the article's network, over what it was before
TARGET_ARTICLE = 3.
LENGTH, STEP, BS, LR, WIDTH = 4, 2, 265, .01, 62


def loaders(r):
    "Windows of the Keras page"
    parts = split(r, 'random:0.15')
    windows = dict(length=LENGTH, step=STEP, history_from='all')
    return HistoryDataLoaders.from_ratings(parts, bs=BS, seed=0, device='cpu', **windows)


def learner(dls):
    "The Keras page's network, loss and optimizer"
    other = (*HistoryDataLoaders.loader_args, 'bs', 'epochs', 'flat') # of the loaders and the schedule
    return bst_learner(dls, **{k:v for k,v in bst_presets['multiplicative'].items() if k not in other})


def ours(dls):
    "Windows a second of our `Learner`"
    return dls.train.n/fit_quietly(learner(dls), 1, flat=True)


def loop(model, dl, n):
    "Windows a second of a bare loop over `dl`, with the loss and optimizer of `learner`"
    opt = torch.optim.Adagrad(model.parameters(), LR, initial_accumulator_value=.1, eps=1e-7, fused=True)
    model.train()
    began = perf_counter()
    for *xb,yb in dl:
        F.mse_loss(model(*xb), yb).backward()
        opt.step()
        opt.zero_grad()
    return n/(perf_counter() - began)


def bare(dls):
    "Windows a second of a bare loop over the same batches"
    return loop(learner(dls).model, dls.train, dls.train.n)


def frame(dls, n):
    "Random windows as the article has them: a row each, its sequences as lists"
    rows = dls.train.dataset
    user, item, past_items, past_ratings, count, rating = rows.gather(torch.randperm(len(rows))[:n])
    items, ratings = torch.cat([past_items, item[:, None]], 1), torch.cat([past_ratings, rating[:, None]], 1)
    return pd.DataFrame(dict(user=user.numpy(), items=items.tolist(), ratings=ratings.tolist(), count=count.numpy()))


class Rows:
    "The article's `Dataset`: a row of the frame, made into tensors"
    def __init__(self, df): self.df = df
    def __len__(self): return len(self.df)
    def __getitem__(self, i):
        row = self.df.iloc[i]
        items, ratings = torch.tensor(row['items']), torch.tensor(row['ratings'])
        return row['user'], items[-1], items[:-1], ratings[:-1], row['count'], ratings[-1]


def rows(dls, df):
    "Windows a second of a bare loop over `Rows`"
    return loop(learner(dls).model, torch.utils.data.DataLoader(Rows(df), BS, shuffle=True), len(df))


def write_windows(folder, dls, n):
    "What the Keras page reads: a csv of sequences as text, with user columns; the windows as arrays; the vocabulary"
    r, rows = dls.ratings, dls.train.dataset
    user, item, past_items, past_ratings, _, rating = rows.gather(torch.randperm(len(rows))[:n])
    items = torch.cat([past_items, item[:, None]], 1).numpy()
    ratings = torch.cat([past_ratings, rating[:, None]], 1).numpy()
    np.savez(folder/'windows.npz', items=items, ratings=ratings)
    def text(word, ids): return [f'{word}_{i}' for i in ids]
    (folder/'movies.json').write_text(json.dumps(text('movie', range(len(dls.items)))))
    item_texts = [','.join(text('movie', row)) for row in items]
    rating_texts = [','.join(map(str, row)) for row in ratings.tolist()]
    table = pd.DataFrame({USER:dls.users.decode(user), 'items':item_texts, 'ratings':rating_texts})
    table = table.join(r.users.set_index(USER)[[SEX, AGE, JOB]], on=USER)
    table[USER] = text('user', table[USER])
    columns = [USER, 'items', 'ratings', SEX, AGE, JOB]
    table[columns].to_csv(folder/'windows.csv', sep='|', index=False, header=False)


def keras_model(movies, text):
    "The page's network, without users and genres as it stands there"
    import keras
    from keras import layers as kl, ops
    kind = dict(dtype='string' if text else 'int32')
    past, target = keras.Input((LENGTH - 1,), name='past', **kind), keras.Input((1,), name='target', **kind)
    given = keras.Input((LENGTH - 1,), name='given')
    def identity(x): return x
    index = kl.StringLookup(vocabulary=movies, mask_token=None, num_oov_indices=0) if text else identity
    vec, pos = kl.Embedding(len(movies), WIDTH), kl.Embedding(LENGTH, WIDTH)
    # as on the page; in Keras 3 such positions stay what they were drawn as
    before = (vec(index(past)) + pos(ops.arange(LENGTH - 1)))*ops.expand_dims(given, -1)
    x = ops.concatenate([before, vec(index(target))], axis=1)
    attn = kl.Dropout(.1)(kl.MultiHeadAttention(3, WIDTH, dropout=.1)(x, x))
    x = kl.LayerNormalization()(x + attn)
    x = kl.LayerNormalization()(x + kl.Dropout(.1)(kl.Dense(WIDTH)(kl.LeakyReLU()(x))))
    x = kl.Flatten()(x)
    for n in (256, 128): x = kl.Dropout(.1)(kl.LeakyReLU()(kl.BatchNormalization()(kl.Dense(n)(x))))
    model = keras.Model(dict(past=past, target=target, given=given), kl.Dense(1)(x))
    model.compile(optimizer=keras.optimizers.Adagrad(LR), loss='mse', metrics=['mae'])
    return model


def csv_data(folder):
    "Batches as the page reads them"
    import tensorflow as tf
    def _process(row):
        items = tf.strings.split(row['items'], ',').to_tensor()
        ratings = tf.strings.to_number(tf.strings.split(row['ratings'], ','), tf.float32).to_tensor()
        return dict(past=items[:, :-1], target=items[:, -1:], given=ratings[:, :-1]), ratings[:, -1]
    names = ['user', 'items', 'ratings', 'sex', 'age_group', 'occupation']
    rows = tf.data.experimental.make_csv_dataset(str(folder/'windows.csv'), BS, names, num_epochs=1, header=False,
        field_delim='|', shuffle=True)
    return rows.map(_process)


def array_data(folder):
    "The same windows from memory, as whole numbers, in a new order"
    import tensorflow as tf
    windows = np.load(folder/'windows.npz')
    mixed = np.random.permutation(len(windows['items']))
    items, ratings = windows['items'][mixed].astype('int32'), windows['ratings'][mixed].astype('float32')
    x = dict(past=items[:, :-1], target=items[:, -1:], given=ratings[:, :-1])
    options = tf.data.Options()
    options.autotune.enabled = False # its thread sleeps for seconds, and the end of an epoch would wait for it
    return tf.data.Dataset.from_tensor_slices((x, ratings[:, -1])).batch(BS).prefetch(2).with_options(options)


def keras_side(folder, threads):
    "Train an epoch for each line that comes in, 'csv' or 'arrays', and answer with a JSON line"
    out = sys.stdout
    def answer(**values): print(json.dumps(values), file=out, flush=True)
    with redirect_stdout(sys.stderr):
        import keras, tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        keras.utils.set_random_seed(0)
        movies = json.loads((folder/'movies.json').read_text())
        n = len(np.load(folder/'windows.npz')['items'])
        models = {k:keras_model(movies, k == 'csv') for k in ('csv', 'arrays')}
        answer(keras=keras.__version__, tensorflow=tf.__version__, parameters=models['csv'].count_params())
        for what in map(str.strip, sys.stdin):
            data = (csv_data if what == 'csv' else array_data)(folder)
            began = perf_counter()
            hist = models[what].fit(data, epochs=1, verbose=0, shuffle=False) # the data shuffles itself
            answer(windows_per_second=n/(perf_counter() - began), mae=hist.history['mae'][-1])


@contextmanager
def keras_process(python, folder):
    "The other Python: its versions, and a function that lets it train an epoch"
    env = dict(os.environ, KERAS_BACKEND='tensorflow', TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='')
    cmd = [python, __file__, '--keras', str(folder), str(torch.get_num_threads())]
    log = Path(folder)/'log.txt'
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with log.open('w') as err, subprocess.Popen(cmd, stderr=err, env=env, **pipes) as p:
        def _read():
            line = p.stdout.readline()
            if not line: raise SystemExit(f'{log.read_text()[-3000:]}\n{python} could not train with TensorFlow.')
            return json.loads(line)
        def _epoch(what):
            p.stdin.write(what + '\n')
            p.stdin.flush()
            return _read()
        try: yield _read(), _epoch
        finally: p.stdin.close()


def article_loaders(r, n):
    "The first `n` windows of the article's network"
    parts = split(r, 'last:1')
    dls = HistoryDataLoaders.from_ratings(parts, length=10, bs=1024, seed=0, device='cpu')
    everything = np.ones(len(parts), bool)
    dls.train.dataset.histories = Histories.from_ratings(parts, everything, np.arange(n), dls.users, dls.items)
    dls.train.n = n
    return dls


def article(dls, **kwargs):
    "Windows a second of the article's network"
    learn = bst_learner(dls, user_features=True, lr=.01, wd=.01, **bst_networks['additive'], **kwargs)
    return dls.train.n/fit_quietly(learn, 1)


def compared_dropout(self, x):
    "`Dropout` as it was: random bytes, compared"
    if not self.training or not self.p: return x
    cut = round(self.p*256)
    draws = torch.empty((x.numel() + 7)//8, dtype=torch.int64).random_(-2**63, None)
    byte = draws.view(torch.uint8)[:x.numel()].view(x.shape)
    return x*(byte >= cut).to(x.dtype).mul_(256/(256 - cut))


def at_once(ff, x): return ff(x)


def article_before(dls):
    "Windows a second of the article's network as it was"
    with patch.object(Dropout, 'forward', compared_dropout), patch('recnb.layers.feed_forward', at_once):
        return article(dls, cbs=[])


def run_article(r, repeat, quick):
    "The three ways to train the article's network"
    n = 4_096 if quick else 10_240
    dls = article_loaders(r, n)
    float32 = partial(article, dls, cbs=[])
    contenders = dict(now=partial(article, dls), float32=float32, before=partial(article_before, dls))
    speed = measure(contenders, repeat)
    ratio = speed['now']/speed['before']
    return dict(windows=n, has_bf16=has_bf16(), windows_per_second={k: round(v) for k,v in speed.items()},
        now_over_before=round(ratio, 2), bar=TARGET_ARTICLE, met=ratio >= TARGET_ARTICLE)


def run(repeat, quick, python):
    r, data = ratings(quick)
    return run_keras(r, data, repeat, quick, python) | dict(article=run_article(r, repeat, quick))


def run_keras(r, data, repeat, quick, python):
    "The ways to train the Keras page's network"
    dls = loaders(r)
    n = dls.train.n
    n_rows, n_keras = (2_000, 10_000) if quick else (10_000, 100_000)
    n_keras = min(n, n_keras)
    df = frame(dls, n_rows)
    with tempfile.TemporaryDirectory() as tmp:
        if python: write_windows(Path(tmp), dls, n_keras)
        with (keras_process(python, tmp) if python else nullcontext((None, None))) as (versions, epoch):
            def keras_speed(kind): return epoch(kind)['windows_per_second']
            contenders = dict(ours=partial(ours, dls), bare=partial(bare, dls), rows=partial(rows, dls, df))
            if python: contenders |= {f'keras_{kind}':partial(keras_speed, kind) for kind in ('csv', 'arrays')}
            speed = measure(contenders, repeat)
    windows = dict(rows=n_rows, keras_csv=n_keras, keras_arrays=n_keras)
    return dict(data=data, ratings=len(r), threads=torch.get_num_threads(), repeat=repeat, quick=quick, keras=versions,
        contenders=[entry(key, speed, windows.get(key, n)) for key in speed])


def entry(key, speed, n):
    "A row of the result"
    ratio = speed['ours']/speed[key]
    res = dict(key=key, windows=n, windows_per_second=round(speed[key]), ours_over_it=round(ratio, 2))
    if key not in TARGET: return res
    value = speed['ours'] if key == 'ours' else ratio
    return {**res, 'bar':TARGET[key], 'met':value >= TARGET[key]}


NAMES = dict(ours='bst_learner', bare='its network, bare loop', rows='Dataset by rows, bare loop',
    keras_csv='Keras, text from a csv', keras_arrays='Keras, numbers from memory')


def show(res):
    part = ', a part' if res['quick'] else ''
    print(f"MovieLens 1M ({res['data']}{part}): {res['ratings']:,} ratings, {BS} windows of {LENGTH} a batch, "
        f"{res['threads']} threads, best of {res['repeat']}\n")
    print(f"{'contender':28}{'windows':>9}{'windows/s':>11}{'ours/it':>9}{'bar':>10}  met")
    for row in res['contenders']:
        is_ours, bar, met = row['key'] == 'ours', '', ''
        if 'bar' in row:
            bar = f"{row['bar']:,.0f}/s" if is_ours else f"{row['bar']:g}"
            met = 'yes' if row['met'] else 'NO'
        ratio = '' if is_ours else f"{row['ours_over_it']:.2f}"
        print(f"{NAMES[row['key']]:28}{row['windows']:>9,}{row['windows_per_second']:>11,}{ratio:>9}{bar:>10}  {met}")
    versions = res['keras']
    if versions: print(f"\nKeras {versions['keras']}, TensorFlow {versions['tensorflow']}")
    else: print('\nKeras was left out: no TensorFlow here; name a Python that has it with --tensorflow.')


def show_article(res):
    "A line for each way to train the article's network"
    names = dict(now='as bst_learner trains it', float32='the same in float32', before='as it was before')
    kind = 'with' if res['has_bf16'] else 'without'
    print(f"\nThe article's network, {res['windows']:,} windows of ten, a processor {kind} bfloat16\n")
    for key,speed in res['windows_per_second'].items(): print(f'{names[key]:28}{speed:>9,} windows/s')
    print(f"now over before: {res['now_over_before']}, bar {res['bar']:g}: {'met' if res['met'] else 'NOT MET'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--repeat', type=int, default=3, help='rounds, the best of which counts')
    p.add_argument('--quick', action='store_true',
        help='a tenth of the users, to see that it runs; the figures mean little')
    p.add_argument('--article', action='store_true', help="only the article's network")
    p.add_argument('--tensorflow', metavar='PYTHON',
        help='a Python that has TensorFlow and pandas; this one if it has them')
    p.add_argument('--keras', nargs=2, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.keras: return keras_side(Path(args.keras[0]), int(args.keras[1]))
    python = args.tensorflow or (sys.executable if find_spec('tensorflow') else None)
    with redirect_stdout(sys.stderr): # what a library prints goes beside the result
        set_seed(0)
        if args.article: res = dict(article=run_article(ratings(args.quick)[0], args.repeat, args.quick))
        else: res = run(args.repeat, args.quick, python)
    if args.json: return print(json.dumps(res))
    if not args.article: show(res)
    show_article(res['article'])


if __name__ == '__main__': main()
