"""How fast overviews become vectors: batches of a length, next to one text at a time and to sentence-transformers.

    python benchmarks/text.py [--json] [--repeat 2] [--quick] [--model minilm] [--max-length 64]

The overviews of MovieLens 1M (from where `recnb.datasets.load` and `recnb.metadata.read_films` find them, or generated
ones in the same number), on the CPU, float32, without a cache, with a model that is loaded once:
1. `encode_texts`' way: sorted by length, batches of about as many tokens, the mean of the last layer.
2. The same tokenizer and network, one text at a time, as a loop over rows does it. A random tenth of the texts, which
   is enough for a rate.
3. `SentenceTransformer.encode` of the same model and length, where that package is installed.

The contenders take turns, and the best of `--repeat` rounds counts, after one to warm up. That all three give the same
vectors is checked, too.
"""
import argparse, json, sys
from contextlib import redirect_stdout
from time import perf_counter

from history import measure
import numpy as np, torch
from recnb.datasets import load
from recnb.metadata import add_films
from recnb.ratings import OVERVIEW, DataError
from recnb.text_encoder import load_encoder, model_folder, pool, run_encoder
from recnb.toy import toy

TARGET = dict(one_by_one=3., sentence_transformers=1.) # ours over theirs


def overviews():
    "One text a film, and whether they are published or generated"
    try: return add_films(load('ml-1m')).items[OVERVIEW].dropna().tolist(), 'published'
    except (DataError, OSError): return toy(n_users=100, n_items=3883, seed=0).items[OVERVIEW].tolist(), 'generated'


@torch.inference_mode()
def one_by_one(texts, tokenizer, net, max_length):
    "Vectors of texts, one text at a time"
    res = []
    for text in texts:
        x = tokenizer(text, truncation=True, max_length=max_length, return_tensors='pt')
        hidden = net(**x, output_hidden_states=True).hidden_states
        res.append(pool(hidden, x['attention_mask'], 'last')[0])
    return torch.stack(res)


def sentence_transformer(model, max_length):
    "A function from texts to vectors by sentence-transformers"
    from sentence_transformers import SentenceTransformer
    encoder = SentenceTransformer(model_folder(model), device='cpu')
    encoder.max_seq_length = max_length
    def encode(texts):
        return torch.from_numpy(encoder.encode(texts, normalize_embeddings=False, show_progress_bar=False))
    return encode


def rate(f, texts):
    "Texts a second, and what came out"
    began = perf_counter()
    out = f(texts)
    return len(texts)/(perf_counter() - began), out


def largest_gap(vectors, others):
    "The largest difference between two sets of vectors, scaled to length 1"
    a, b = (torch.nn.functional.normalize(x, dim=1) for x in (vectors, others))
    return float((a - b).abs().max())


def run(repeat, quick, model, max_length):
    "One result as a dict"
    texts, data = overviews()
    if quick: texts = texts[:200]
    tokenizer, net = load_encoder(model)
    rows = np.random.default_rng(0).choice(len(texts), max(len(texts)//10, 20), replace=False)
    vectors, contenders = {}, {}
    def add(name, encode, texts):
        def go():
            speed, vectors[name] = rate(encode, texts)
            return speed
        contenders[name] = go
    add('ours', lambda texts: run_encoder(texts, tokenizer, net, max_length, 'last'), texts)
    add('one_by_one', lambda texts: one_by_one(texts, tokenizer, net, max_length), [texts[i] for i in rows])
    try: add('sentence_transformers', sentence_transformer(model, max_length), texts)
    except ImportError as e: print(f'left out: sentence-transformers ({e})')
    speed = measure(contenders, repeat)
    ours = vectors.pop('ours')
    gap = {name:largest_gap(v, ours if len(v) == len(texts) else ours[rows]) for name,v in vectors.items()}
    ratio = {name:round(speed['ours']/speed[name], 2) for name in vectors}
    return dict(data=data, texts=len(texts), model=model, max_length=max_length, threads=torch.get_num_threads(),
        repeat=repeat, quick=quick, texts_per_second={name:round(v, 1) for name,v in speed.items()}, ratio=ratio,
        largest_difference=gap, bar=TARGET, met=all(ratio[name] >= TARGET[name] for name in ratio))


def show(res):
    "Print a result as a table"
    names = dict(ours='batches of a length', one_by_one='one text at a time',
        sentence_transformers='sentence-transformers')
    print(f"{res['texts']:,} overviews ({res['data']}), {res['model']}, {res['max_length']} tokens, "
        f"{res['threads']} threads, best of {res['repeat']}\n")
    print(f"{'':26}{'texts/s':>9}{'ours over it':>14}{'bar':>6}{'difference':>12}")
    for name,speed in res['texts_per_second'].items():
        print(f'{names[name]:26}{speed:>9.0f}', end='\n' if name == 'ours' else '')
        if name == 'ours': continue
        print(f"{res['ratio'][name]:>14.2f}{res['bar'][name]:>6g}{res['largest_difference'][name]:>12.1e}")
    print(f"\nevery bar met: {'yes' if res['met'] else 'NO'}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
    p.add_argument('--repeat', type=int, default=2, help='rounds, the best of which counts')
    p.add_argument('--quick', action='store_true', help='200 texts, to see that it runs; the figures mean little')
    p.add_argument('--model', default='minilm', help="as for encode_texts: 'minilm', a name on the hub, or a folder")
    p.add_argument('--max-length', type=int, default=64, help='tokens of a text at most')
    args = p.parse_args()
    with redirect_stdout(sys.stderr): # whatever a library prints goes beside the result
        res = run(args.repeat, args.quick, args.model, args.max_length)
    if args.json: print(json.dumps(res))
    else: show(res)


if __name__ == '__main__': main()
