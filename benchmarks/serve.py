"""How many lists a second the server answers, how long they take, and what it says to nonsense.

    python benchmarks/serve.py [--models mf causal] [--rate 50] [--seconds 10] [--clients 4] [--minutes 10] [--dir FOLDER] [--json] [--quick]

A server in a process of its own trains a model on MovieLens 1M (from where `recnb.datasets.load` finds it; made up in the same size otherwise), or loads
a saved recommender (`--dir`), and listens on loopback. This process asks, over plain sockets that stay open. A question is POST /recommend with ten random
ratings of well-known films.
1. Full speed: each of `--clients` asks again as soon as it has an answer.
2. An offered rate: questions come at fixed moments, whether or not the server keeps up, and the time of an answer counts from when its question was due.
3. `--minutes`: the same for so long; errors, and how the memory of the server grows after the first minute.
4. Nonsense: malformed requests of many kinds. Each must be refused, with 4xx or a closed connection, and the server must be well afterwards.
Beside the times stands what a question costs the server's processors: on a machine with other work the times tell how busy it is.
"""
import argparse, asyncio, json, os, random, subprocess, sys, time
from collections import Counter
from pathlib import Path

TARGET = dict(mf=200., causal=50.) # answers a second, on two cores
P99_MS = 25. # for mf
EPOCHS = dict(mf=3, causal=1)


def child(model, folder, quick):
    "Train or load, and serve until the end"
    sys.path.insert(0, str(Path(__file__).parent))
    from history import ratings
    from recnb.cli import fit_recipe # with every recipe there is
    from recnb.recommender import Recommender
    from recnb.page import make_server
    from recnb.split import split
    if folder: rec, data = Recommender.load(folder), folder
    else:
        r, data = ratings(quick)
        rec = Recommender(fit_recipe(model, split(r, 'last:1'), EPOCHS.get(model, 1))[0], dict(model=model))
    server, sock, at = make_server({model:rec}, port=0)
    print(json.dumps(dict(at=at, data=data, items=len(rec.items) - 1)), flush=True)
    sys.setswitchinterval(.001)
    server.run(sockets=[sock])


def start(model, folder, quick):
    "A server process and what it says of itself"
    args = [sys.executable, __file__, '--child', model] + ['--dir', folder]*bool(folder) + ['--quick']*quick
    p = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
    line = p.stdout.readline()
    if not line: sys.exit('the server did not start')
    return p, json.loads(line)


def memory_mb(pid): return int(next(o for o in Path(f'/proc/{pid}/status').read_text().splitlines() if o.startswith('VmRSS')).split()[1])/1024


def cpu_seconds(pid):
    f = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(f[11]) + int(f[12]))/os.sysconf('SC_CLK_TCK')


def http(method, path, body=b'', **headers):
    "A request as bytes"
    head = {'Host':'localhost', 'Content-Type':'application/json', 'Content-Length':len(body)} | {k.replace('_', '-'):v for k,v in headers.items()}
    return f'{method} {path} HTTP/1.1\r\n'.encode() + ''.join(f'{k}: {v}\r\n' for k,v in head.items() if v is not None).encode('latin-1') + b'\r\n' + body


class Client:
    "A connection that stays open"
    def __init__(self, port): self.port, self.writer, self.reopened = port, None, 0
    async def ask(self, request):
        "Status and body; a connection that the server closed while it was idle is opened again, once, as HTTP asks of clients"
        idle = self.writer is not None
        try: return await self._ask(request)
        except (ConnectionError, asyncio.IncompleteReadError) as e:
            if not idle or getattr(e, 'partial', b''): raise
            self.close()
            self.reopened += 1
            return await self._ask(request)
    async def _ask(self, request):
        if self.writer is None: self.reader, self.writer = await asyncio.open_connection('127.0.0.1', self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b'\r\n\r\n')).decode('latin-1').lower()
        n = head.partition('content-length:')[2].split('\r\n')[0].strip()
        return int(head.split()[1]), await self.reader.readexactly(int(n)) if n else await self.reader.read()
    def close(self):
        if self.writer: self.writer.close()
        self.writer = None


def questions(port, n=500, seed=0):
    "Requests with ten random ratings each"
    items = json.loads(asyncio.run(Client(port).ask(http('GET', '/search?k=100')))[1])['items']
    rng = random.Random(seed)
    rows = lambda: [{'item_id':o['item_id'], 'rating':rng.randint(1, 5)} for o in rng.sample(items, 10)]
    return [http('POST', '/recommend', json.dumps({'ratings':rows()}).encode()) for _ in range(n)]


def figures(took, errors, seconds, cpu):
    ms = sorted(o*1000 for o in took) or [float('nan')]
    return dict(answers=len(took), errors=errors, per_second=round(len(took)/seconds, 1), p50_ms=round(ms[len(ms)//2], 2), p99_ms=round(ms[min(int(len(ms)*.99), len(ms) - 1)], 2),
        server_cpu_ms=round(cpu*1000/max(len(took), 1), 2))


async def full_speed(port, asked, clients, seconds, took):
    "Each client asks again as soon as it has an answer"
    end, errors = time.perf_counter() + seconds, 0
    async def one(i):
        nonlocal errors
        c, n = Client(port), i
        while (began := time.perf_counter()) < end:
            status, _ = await c.ask(asked[n % len(asked)])
            took.append(time.perf_counter() - began)
            errors, n = errors + (status != 200), n + clients
        c.close()
    await asyncio.gather(*map(one, range(clients)))
    return errors


async def offered(port, asked, rate, seconds, took, each_minute=None):
    "Questions at fixed moments"
    free, errors, kinds, tasks, began = [], 0, Counter(), set(), time.perf_counter()
    async def one(n, due):
        nonlocal errors
        c = free.pop() if free else Client(port)
        try: status, _ = await c.ask(asked[n % len(asked)])
        except (OSError, asyncio.IncompleteReadError) as e: status, kinds[type(e).__name__] = 0, kinds[type(e).__name__] + 1
        if status not in (0, 200): kinds[status] += 1
        took.append(time.perf_counter() - due)
        errors += status != 200
        if status: free.append(c)
        if c.reopened: kinds['reopened'], c.reopened = kinds['reopened'] + 1, 0
    for n in range(int(rate*seconds)):
        due = began + n/rate
        if (wait := due - time.perf_counter()) > 0: await asyncio.sleep(wait)
        tasks.add(t := asyncio.create_task(one(n, due))); t.add_done_callback(tasks.discard)
        if each_minute and n and n % int(rate*60) == 0: each_minute()
    await asyncio.gather(*tasks)
    if kinds: print(f'not as usual: {dict(kinds)}', file=sys.stderr, flush=True)
    return errors


def measured(pid, f, *args, **kw):
    took, began, cpu = [], time.perf_counter(), cpu_seconds(pid)
    errors = asyncio.run(f(*args, took, **kw))
    return figures(took, errors, time.perf_counter() - began, cpu_seconds(pid) - cpu)


def nonsense(seed=0):
    "Malformed requests by kind"
    rng = random.Random(seed)
    post = lambda path, data, **kw: http('POST', path, data if isinstance(data, bytes) else json.dumps(data).encode(), **kw)
    values = [None, True, [], {}, '', 'x'*400, -1, 10**400, 1.5, [[]], {'a':1}, '\ud800', 'NaN']
    one = {'item_id':1, 'rating':3}
    yield from (('wrong field', post(path, {**good, k:v})) for path,good in (('/recommend', {'ratings':[one]}), ('/predict', {'items':[1], 'ratings':[one]}))
        for k in (*good, 'k', 'model', 'user_id', 'surprise') for v in values if not (k == 'ratings' and v == []))
    yield from (('wrong rating', post('/recommend', {'ratings':[{**one, k:v}]})) for k in ('rating', 'other') for v in [*values, 99, -5] if v != 1.5)
    yield from (('no number', post('/recommend', f'{{"ratings":[{{"item_id":1,"rating":{o}}}]}}'.encode())) for o in ('NaN', 'Infinity', '-Infinity', '1e999', '٣', '0x1', '1_0', '+1', '.5'))
    good = json.dumps({'ratings':[one]*3}).encode()
    yield from (('cut', post('/recommend', good[:n])) for n in range(0, len(good) - 1, 4))
    yield from (('noise', post('/recommend', rng.randbytes(rng.randint(1, 300)))) for _ in range(40))
    yield from (('flipped', post('/recommend', b'\xff' + good[:n] + b'\xfe' + good[n:])) for n in range(0, 60, 3))
    yield from (('deep', post('/recommend', b)) for b in (b'['*60_000, b'{"a":'*10_000, b'{"ratings":' + b'['*60_000))
    yield from (('large', post('/recommend', b' '*n)) for n in (65_537, 100_000, 1_000_000))
    yield from (('too many', post('/recommend', {'ratings':[one]*n})) for n in (501, 1000, 2000))
    yield from (('wrong type', post('/recommend', good, Content_Type=o)) for o in (None, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x'))
    yield from (('wrong method', http(m, p)) for m in ('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE') for p in ('/', '/recommend', '/predict', '/health'))
    yield from (('wrong path', http('GET', p)) for p in ('/x', '/.env', '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/page.css/x', '/items/', '/similar/', '/recommend/1', '//', '/%00', '/%ff'))
    yield from (('wrong query', http('GET', p)) for p in ('/recommend', '/recommend?user_id=', '/recommend?user_id=%00', '/recommend?user_id=1&k=0', '/recommend?user_id=1&k=-1', '/recommend?user_id=1&k=1e3', '/recommend?user_id=1&k=%D9%A3',
        '/search?k=101', '/search?q=' + 'a'*5000, '/search?x=1', '/items/%ff%fe', '/items/99999999999999999999999', '/similar/NaN', '/similar/1?k=', '/search?model=', '/models?x', '/health?a=b'))
    yield from (('no HTTP', b) for b in (b'\r\n\r\n\r\n', b'hello\r\n\r\n', b'GET / HTTP/x\r\n\r\n', b'GET\r\n\r\n', b'POST /recommend HTTP/1.1\r\nContent-Length: x\r\n\r\n', b'POST /recommend HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
        b'POST /recommend HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', b'GET / HTTP/1.1\r\nA: ' + b'b'*100_000 + b'\r\n\r\n', b'\x16\x03\x01\x02\x00', rng.randbytes(500) + b'\r\n\r\n'))


async def swept(port):
    "How each kind of nonsense was answered"
    counts, wrong = {}, []
    for kind,request in nonsense():
        c = Client(port)
        try:
            status, body = await asyncio.wait_for(c.ask(request), 10)
            if kind != 'no HTTP' and 'error' not in json.loads(body): wrong.append((kind, status, request[:80]))
        except (OSError, asyncio.IncompleteReadError): status = 'closed'
        except (asyncio.TimeoutError, ValueError) as e: status = type(e).__name__
        c.close()
        counts.setdefault(kind, Counter())[str(status)] += 1
        if status != 'closed' and not (isinstance(status, int) and 400 <= status < 500): wrong.append((kind, status, request[:200]))
    status, _ = await Client(port).ask(http('GET', '/health'))
    return dict(requests=sum(sum(o.values()) for o in counts.values()), statuses=dict(sum(counts.values(), Counter())), kinds={k:dict(v) for k,v in counts.items()}, wrong=[repr(o) for o in wrong], well_afterwards=status == 200)


def run(model, args):
    p, said = start(model, args.dir, args.quick)
    try:
        port = int(said['at'].rsplit(':', 1)[1].strip('/'))
        asked = questions(port)
        asyncio.run(full_speed(port, asked, args.clients, 1, [])) # to warm up
        res = dict(model=model, data=said['data'], items=said['items'], clients=args.clients, rate=args.rate)
        res['full_speed'] = measured(p.pid, full_speed, port, asked, args.clients, args.seconds)
        res['alone'] = measured(p.pid, full_speed, port, asked, 1, args.seconds)
        res['offered'] = measured(p.pid, offered, port, asked, args.rate, args.seconds)
        if args.minutes:
            at = [memory_mb(p.pid)]
            def noted(): at.append(memory_mb(p.pid)); print(f'{len(at) - 1} min: {at[-1]:.1f} MB', file=sys.stderr, flush=True)
            res['soak'] = measured(p.pid, offered, port, asked, args.rate, args.minutes*60, each_minute=noted)
            res['soak'].update(minutes=args.minutes, mb=round(memory_mb(p.pid), 1), growth_mb=round(memory_mb(p.pid) - at[min(1, len(at) - 1)], 1))
        res['nonsense'] = asyncio.run(swept(port))
        res['server_errors'] = sum(n for s,n in res['nonsense']['statuses'].items() if s.startswith('5')) + res['full_speed']['errors'] + res['offered']['errors']
        return res
    finally: p.terminate(); p.wait(10)


def show(res):
    print(f"\n{res['model']} on {res['data']} ratings of ml-1m, {res['items']:,} items; ten ratings a question")
    for k,what in dict(full_speed=f"full speed, {res['clients']} clients", alone='full speed, one client', offered=f"offered {res['rate']:g} a second", soak=f"offered for {res.get('soak', {}).get('minutes')} minutes").items():
        if k in res: print(f"  {what:28} {res[k]['per_second']:8.1f} a second   p50 {res[k]['p50_ms']:8.2f} ms   p99 {res[k]['p99_ms']:8.2f} ms   {res[k]['server_cpu_ms']:6.2f} ms of server CPU each   {res[k]['errors']} errors")
    if 'soak' in res: print(f"  memory {res['soak']['mb']} MB, {res['soak']['growth_mb']:+} MB after the first minute")
    n = res['nonsense']
    print(f"  {n['requests']} malformed requests: {n['statuses']}; well afterwards: {n['well_afterwards']}")
    for o in n['wrong']: print('   ', o)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', nargs='+', default=['mf', 'causal'], help='names of recipes, one server each')
    p.add_argument('--dir', help='a saved recommender to serve in place of training one')
    p.add_argument('--rate', type=float, default=50., help='questions offered a second')
    p.add_argument('--seconds', type=float, default=10., help='of each measurement')
    p.add_argument('--clients', type=int, default=4, help='connections at full speed')
    p.add_argument('--minutes', type=float, default=0, help='of the long run')
    p.add_argument('--quick', action='store_true', help='a tenth of the people')
    p.add_argument('--json', action='store_true', help='one JSON list and nothing else on stdout')
    p.add_argument('--child', help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child: return child(args.child, args.dir, args.quick)
    res = [run(m, args) for m in (['saved'] if args.dir else args.models)]
    for o in res:
        best, wanted = o['full_speed'], TARGET.get(o['model'])
        if wanted: o['met'] = bool(best['per_second'] >= wanted and (o['model'] != 'mf' or best['p99_ms'] <= P99_MS))
        if not args.json: show(o)
    if args.json: print(json.dumps(res))
    sys.exit(any(o['server_errors'] or o['nonsense']['wrong'] or not o['nonsense']['well_afterwards'] for o in res))


if __name__ == '__main__': main()
