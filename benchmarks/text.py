"""How fast overviews become vectors: batches of a length, next to one text at a time and to sentence-transformers.

    python benchmarks/text.py [--json] [--repeat 2] [--quick] [--model minilm] [--max-length 64]

The overviews of MovieLens 1M (from where `recnb.datasets.load` and `recnb.metadata.read_films` find them, or invented ones in the same number), on the
CPU, float32, nothing kept on disk, the model loaded anew by none of them:
1. `encode_texts`' way: sorted by length, batches of about as many tokens, the mean of the last layer.
2. The same tokenizer and network, one text at a time, as a loop over rows does it. A random tenth of the texts, which is enough for a rate.
3. `SentenceTransformer.encode` of the same model and length, where that package is installed.

The contenders take turns, and the best of `--repeat` rounds counts, after one to warm up. That all three give the same vectors is checked, too.
"""
import argparse, json, sys
from contextlib import redirect_stdout
from time import perf_counter

from history import measure
import numpy as np, torch
from recnb.datasets import load
from recnb.metadata import add_films
from recnb.ratings import OVERVIEW, DataError
from recnb.text import _encode, load_encoder, model_folder, pool
from recnb.toy import toy

TARGET = dict(one_by_one=3., sentence_transformers=1.) # ours over theirs


def overviews():
    "One text a film, and where they are from"
    try: return add_films(load('ml-1m')).items[OVERVIEW].dropna().tolist(), 'published'
    except (DataError, OSError): return toy(n_users=100, n_items=3883, seed=0).items[OVERVIEW].tolist(), 'generated'


def one_by_one(texts, tok, net, max_length):
    with torch.inference_mode():
        res = []
        for o in texts:
            x = tok(o, truncation=True, max_length=max_length, return_tensors='pt')
            res.append(pool(net(**x, output_hidden_states=True).hidden_states, x['attention_mask'], 'last')[0])
        return torch.stack(res)


def rate(f, texts):
    "Texts a second, and what came out"
    began = perf_counter()
    out = f(texts)
    return len(texts)/(perf_counter() - began), out


def run(repeat, quick, model, max_length):
    texts, data = overviews()
    if quick: texts = texts[:200]
    tok, net = load_encoder(model)
    some = np.random.default_rng(0).choice(len(texts), max(len(texts)//10, 20), replace=False)
    seen = {}
    def contender(name, f, texts):
        def go():
            speed, seen[name] = rate(f, texts)
            return speed
        return go
    contenders = dict(ours=contender('ours', lambda t: _encode(t, tok, net, max_length, 'last', 'cpu', False, False), texts),
        one_by_one=contender('one_by_one', lambda t: one_by_one(t, tok, net, max_length), [texts[i] for i in some]))
    try:
        from sentence_transformers import SentenceTransformer
        st = SentenceTransformer(model_folder(model), device='cpu')
        st.max_seq_length = max_length
        contenders['sentence_transformers'] = contender('sentence_transformers', lambda t: torch.from_numpy(st.encode(t, normalize_embeddings=False, show_progress_bar=False)), texts)
    except ImportError as e: print(f'left out: sentence-transformers ({e})')
    speed = measure(contenders, repeat)
    unit = lambda x: torch.nn.functional.normalize(x, dim=1)
    gap = {k:float((unit(v) - unit(seen['ours'] if len(v) == len(texts) else seen['ours'][some])).abs().max()) for k,v in seen.items() if k != 'ours'}
    ratio = {k:round(speed['ours']/v, 2) for k,v in speed.items() if k != 'ours'}
    return dict(data=data, texts=len(texts), model=model, max_length=max_length, threads=torch.get_num_threads(), repeat=repeat, quick=quick,
        texts_per_second={k:round(v, 1) for k,v in speed.items()}, ratio=ratio, largest_difference=gap, bar=TARGET, met=all(ratio[k] >= TARGET[k] for k in ratio))


def show(res):
    names = dict(ours='batches of a length', one_by_one='one text at a time', sentence_transformers='sentence-transformers')
    print(f"{res['texts']:,} overviews ({res['data']}), {res['model']}, {res['max_length']} tokens, {res['threads']} threads, best of {res['repeat']}\n")
    print(f"{'':26}{'texts/s':>9}{'ours over it':>14}{'bar':>6}{'difference':>12}")
    for k,v in res['texts_per_second'].items():
        more = '' if k == 'ours' else f"{res['ratio'][k]:>14.2f}{res['bar'][k]:>6g}{res['largest_difference'][k]:>12.1e}"
        print(f'{names[k]:26}{v:>9.0f}{more}')
    print(f"\nevery bar met: {'yes' if res['met'] else 'NO'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--repeat', type=int, default=2, help='rounds, the best of which counts')
    p.add_argument('--quick', action='store_true', help='200 texts, to see that it runs; the figures mean little')
    p.add_argument('--model', default='minilm', help="as for encode_texts: 'minilm', a name on the hub, or a folder")
    p.add_argument('--max-length', type=int, default=64, help='tokens of a text at most')
    args = p.parse_args()
    with redirect_stdout(sys.stderr): res = run(args.repeat, args.quick, args.model, args.max_length) # whatever a library says goes beside the result
    print(json.dumps(res)) if args.json else show(res)


if __name__ == '__main__': main()
