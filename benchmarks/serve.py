"""How many lists a second the server answers, how long they take, and how it refuses malformed requests.

    python benchmarks/serve.py [--models mf causal] [--rate 50] [--seconds 10] [--clients 4] [--minutes 10]
                               [--dir FOLDER] [--json] [--quick] [--crowd] [--swap SECONDS]

A server in a process of its own trains a model on MovieLens 1M (from where `recnb.datasets.load` finds it; toy data of
the same size otherwise), or loads a saved recommender (`--dir`), and listens on loopback. This process sends requests
over plain sockets that stay open. A request is POST /recommend with ten random ratings of well-known films.
1. Full speed: each of `--clients` sends the next request as soon as it has an answer.
2. An offered rate: requests come at fixed moments, whether or not the server keeps up, and the time of an answer counts
   from the moment at which its request was due.
3. `--minutes`: the same for so long; errors, and how the memory of the server grows after the first minute.
4. `--crowd`: 1,500 connections, of which 600 send nothing, 600 send the head of a request a byte at a time, and 300 are
   of honest clients, each of which sends a request, reads the answer, and looks at it for ten seconds. Whoever is cut
   off comes back. Every honest request must be answered, 99 of 100 within two seconds.
5. `--swap`: two processes (`recnb serve --workers 2`) at the offered rate for so long. Every fifteen seconds, in turn,
   a new version of the folder is saved, and a process is killed. No request may stay without its answer; a client sends
   a request again, once, where its connection was closed before a byte of the answer, as HTTP clients do. The memory of
   one process and of two stands beside it, and of the two after all that.
6. Malformed requests of many kinds. Each must be refused, with 4xx or a closed connection, and the server must be well
   afterwards.
Beside the times stands what a request costs the server's processors: on a machine with other work the times tell how
busy it is.
"""
import argparse, asyncio, json, os, random, resource, signal, subprocess, sys, tempfile, threading, time
from collections import Counter
from pathlib import Path

TARGET = dict(mf=200., causal=50.) # answers a second, on two cores
P99_MS = 25. # for mf
EPOCHS = dict(mf=3, causal=1)


# The server

def serve_forever(model, folder, quick):
    "Train or load, and serve until the end"
    sys.path.insert(0, str(Path(__file__).parent))
    from history import ratings
    from recnb.all import Recommender, fit_recipe, split
    from recnb.monitoring import log_to_stderr
    from recnb.page import make_server
    log_to_stderr()
    if folder: rec, data = Recommender.load(folder), folder
    else:
        r, data = ratings(quick)
        rec = Recommender(fit_recipe(model, split(r, 'last:1'), EPOCHS.get(model, 1))[0], dict(model=model))
    server, sock, address = make_server({model:rec}, port=0)
    print(json.dumps(dict(address=address, data=data, items=len(rec.items) - 1)), flush=True)
    sys.setswitchinterval(.001)
    server.run(sockets=[sock])


def start(model, folder, quick):
    "A server process, and its address, data and number of items"
    args = [sys.executable, __file__, '--child', model] + ['--dir', folder]*bool(folder) + ['--quick']*quick
    process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line: sys.exit('the server did not start')
    return process, json.loads(line)


def memory_mb(pid):
    lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    return int(next(line for line in lines if line.startswith('VmRSS')).split()[1])/1024


def cpu_seconds(pid):
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12]))/os.sysconf('SC_CLK_TCK')


# Requests

def http(method, path, body=b'', **headers):
    "A request as bytes"
    defaults = {'Host':'localhost', 'Content-Type':'application/json', 'Content-Length':len(body)}
    headers = defaults | {name.replace('_', '-'):value for name,value in headers.items()}
    lines = ''.join(f'{name}: {value}\r\n' for name,value in headers.items() if value is not None)
    return f'{method} {path} HTTP/1.1\r\n'.encode() + lines.encode('latin-1') + b'\r\n' + body


class Client:
    "A connection that stays open"
    def __init__(self, port): self.port, self.writer, self.reopened = port, None, 0

    async def send(self, request):
        "Status and body; a connection that the server closed while it was idle is opened again, once"
        idle = self.writer is not None
        try: return await self._send(request)
        except (ConnectionError, asyncio.IncompleteReadError) as e:
            if not idle or getattr(e, 'partial', b''): raise
            self.close()
            self.reopened += 1
            return await self._send(request)

    async def _send(self, request):
        if self.writer is None: self.reader, self.writer = await asyncio.open_connection('127.0.0.1', self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b'\r\n\r\n')).decode('latin-1').lower()
        length = head.partition('content-length:')[2].split('\r\n')[0].strip()
        body = await (self.reader.readexactly(int(length)) if length else self.reader.read())
        return int(head.split()[1]), body

    def close(self):
        if self.writer: self.writer.close()
        self.writer = None


def random_requests(port, n=500, seed=0):
    "Requests with ten random ratings each"
    items = json.loads(asyncio.run(Client(port).send(http('GET', '/search?k=100')))[1])['items']
    rng = random.Random(seed)
    def ratings(): return [{'item_id':item['item_id'], 'rating':rng.randint(1, 5)} for item in rng.sample(items, 10)]
    return [http('POST', '/recommend', json.dumps({'ratings':ratings()}).encode()) for _ in range(n)]


# Measurements

def figures(times, errors, seconds, cpu):
    ms = sorted(t*1000 for t in times) or [float('nan')]
    p50, p99 = ms[len(ms)//2], ms[min(int(len(ms)*.99), len(ms) - 1)]
    return dict(answers=len(times), errors=errors, per_second=round(len(times)/seconds, 1), p50_ms=round(p50, 2),
        p99_ms=round(p99, 2), server_cpu_ms=round(cpu*1000/max(len(times), 1), 2))


async def full_speed(port, requests, clients, seconds, times):
    "Each client sends the next request as soon as it has an answer"
    end, errors = time.perf_counter() + seconds, 0
    async def keep_sending(first):
        nonlocal errors
        client, n = Client(port), first
        while (start := time.perf_counter()) < end:
            status, _ = await client.send(requests[n % len(requests)])
            times.append(time.perf_counter() - start)
            errors += status != 200
            n += clients
        client.close()
    await asyncio.gather(*map(keep_sending, range(clients)))
    return errors


async def offered(port, requests, rate, seconds, times, each_minute=None):
    "Requests at fixed moments"
    free, errors, kinds, tasks, begin = [], 0, Counter(), set(), time.perf_counter()
    async def send_one(n, due):
        nonlocal errors
        client = free.pop() if free else Client(port)
        try: status, _ = await client.send(requests[n % len(requests)])
        except (OSError, asyncio.IncompleteReadError) as e:
            status = 0
            kinds[type(e).__name__] += 1
        if status not in (0, 200): kinds[status] += 1
        times.append(time.perf_counter() - due)
        errors += status != 200
        if status: free.append(client)
        if client.reopened: kinds['reopened'] += 1
        client.reopened = 0
    for n in range(int(rate*seconds)):
        due = begin + n/rate
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        task = asyncio.create_task(send_one(n, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if each_minute and n and n % int(rate*60) == 0: each_minute()
    await asyncio.gather(*tasks)
    if kinds: print(f'not as usual: {dict(kinds)}', file=sys.stderr, flush=True)
    return errors


def measure(pid, f, *args, **kwargs):
    times, begin, cpu = [], time.perf_counter(), cpu_seconds(pid)
    errors = asyncio.run(f(*args, times, **kwargs))
    return figures(times, errors, time.perf_counter() - begin, cpu_seconds(pid) - cpu)


# A crowd

CROWD = dict(nothing=600, slow=600, honest=300)
LOOK_SECONDS = 10.

async def disturb(port, request, end, cut_off):
    "Open a connection and send nothing, or a byte a second; when it is closed, open another"
    while time.perf_counter() < end:
        try:
            reader, writer = await asyncio.open_connection('127.0.0.1', port)
            closed = asyncio.create_task(reader.read())
            for byte in request:
                writer.write(bytes([byte]))
                if (await asyncio.wait([closed], timeout=1))[0]: break
            await asyncio.wait([closed], timeout=max(end - time.perf_counter(), 0))
            cut_off.append(closed.done())
            closed.cancel()
            writer.close()
        except OSError: await asyncio.sleep(.5)


async def crowd(port, requests, seconds, times):
    "Honest clients among many that only take room"
    end, errors, cut_off, rng = time.perf_counter() + seconds, 0, [], random.Random(1)
    async def honest(n):
        nonlocal errors
        client = Client(port)
        await asyncio.sleep(5 + rng.random()*LOOK_SECONDS) # once the others are there
        while time.perf_counter() < end:
            start = time.perf_counter()
            try: status, _ = await client.send(requests[n % len(requests)])
            except (OSError, asyncio.IncompleteReadError): status = 0
            times.append(time.perf_counter() - start)
            errors += status != 200
            await asyncio.sleep(LOOK_SECONDS)
    sends = [b'']*CROWD['nothing'] + [http('GET', '/search')]*CROWD['slow']
    tasks = [asyncio.create_task(disturb(port, request, end, cut_off)) for request in sends]
    await asyncio.gather(*map(honest, range(CROWD['honest'])))
    for task in tasks: task.cancel()
    print(f'{sum(cut_off)} idle or slow connections were cut off', file=sys.stderr, flush=True)
    return errors


# New versions, and processes that die

def start_workers(folder, workers=2):
    "`recnb serve` with so many processes, and its port"
    from socket import socket
    with socket() as sock:
        sock.bind(('127.0.0.1', 0))
        port = sock.getsockname()[1]
    program = 'import sys; from recnb.cli import main; main(sys.argv[1:])'
    args = ['serve', str(folder), '--port', str(port), '--workers', str(workers)]
    process = subprocess.Popen([sys.executable, '-c', program, *args])
    async def ready(): return await Client(port).send(http('GET', '/ready'))
    for _ in range(600):
        try:
            if asyncio.run(ready())[0] == 200: return process, port
        except OSError: pass
        time.sleep(.2)
    sys.exit('the server did not start')


def workers_of(process):
    done = subprocess.run(['pgrep', '-P', str(process.pid)], capture_output=True, text=True)
    return [int(line) for line in done.stdout.split()]


def memory_of(process):
    "Memory of a server and its workers, in MB; what they share counts once"
    def pss(pid):
        lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith('Pss:'))
    return round(sum(map(pss, [process.pid, *workers_of(process)]))/1024, 1)


def memory_after_load(folder, workers, rate):
    "Memory in MB of a server with so many processes, once it has answered for five seconds"
    process, port = start_workers(folder, workers)
    try:
        measure(process.pid, offered, port, random_requests(port), rate, 5)
        return memory_of(process)
    finally:
        process.terminate()
        process.wait(30)


def disturb_workers(process, versions, folder, stop, log):
    "A new version, and then a process killed, every fifteen seconds"
    n = 0
    while not stop.wait(15):
        if n % 2: os.kill(workers_of(process)[0], signal.SIGKILL)
        else: versions[n//2 % 2].save(folder, force=True)
        log.append('killed' if n % 2 else 'saved')
        n += 1


def two_versions(args):
    "Two recommenders to replace one another, and what they learned from"
    from history import ratings
    from recnb.all import Recommender, fit_recipe, load_recommender, split
    if args.dir: return [load_recommender(args.dir) for _ in range(2)], args.dir
    r, data = ratings(args.quick)
    learners = [fit_recipe('mf', split(r, 'last:1'), 1, seed=seed)[0] for seed in (0, 1)]
    return [Recommender(learn, dict(model='mf')) for learn in learners], data


def swap(args):
    "Requests at a rate while models are replaced and processes die"
    sys.path.insert(0, str(Path(__file__).parent))
    versions, data = two_versions(args)
    folder, stop, log = Path(tempfile.mkdtemp())/'films', threading.Event(), []
    versions[0].save(folder)
    one_process, memory = (memory_after_load(folder, workers, min(args.rate, 60)) for workers in (1, 2))
    process, port = start_workers(folder)
    try:
        requests = random_requests(port)
        events = (process, versions[::-1], folder, stop, log)
        thread = threading.Thread(target=disturb_workers, args=events, daemon=True)
        thread.start()
        res = measure(process.pid, offered, port, requests, args.rate, args.swap)
        stop.set()
        thread.join()
        return dict(res, seconds=args.swap, rate=args.rate, data=data, events=dict(Counter(log)),
            mb_one_process=one_process, mb=memory, mb_after=memory_of(process))
    finally:
        process.terminate()
        process.wait(30)


# Malformed requests

RATED = {'item_id':1, 'rating':3}
VALUES = [None, True, [], {}, '', 'x'*400, -1, 10**400, 1.5, [[]], {'a':1}, '\ud800', 'NaN'] # for any field
NO_NUMBERS = 'NaN Infinity -Infinity 1e999 ٣ 0x1 1_0 +1 .5'.split()
CONTENT_TYPES = [None, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x']
METHODS = 'PUT DELETE PATCH OPTIONS TRACE'.split()
PATHS = ('/x /.env /../../etc/passwd /%2e%2e/%2e%2e/etc/passwd /static/ /static/x /static/%2e%2e/api.py /page.css/x '
    '/items/ /similar/ /recommend/1 // /%00 /%ff').split()
QUERIES = ('/recommend /recommend?user_id= /recommend?user_id=%00 /recommend?user_id=1&k=0 /recommend?user_id=1&k=-1 '
    '/recommend?user_id=1&k=1e3 /recommend?user_id=1&k=%D9%A3 /search?k=101 /search?x=1 /items/%ff%fe '
    '/items/99999999999999999999999 /similar/NaN /similar/1?k= /search?model= /models?x /health?a=b').split()
POST = b'POST /recommend HTTP/1.1\r\n'
NO_HTTP = [b'\r\n\r\n\r\n', b'hello\r\n\r\n', b'GET / HTTP/x\r\n\r\n', b'GET\r\n\r\n', b'\x16\x03\x01\x02\x00',
    POST + b'Content-Length: x\r\n\r\n', POST + b'Content-Length: -1\r\n\r\n',
    b'GET / HTTP/1.1\r\nA: ' + b'b'*100_000 + b'\r\n\r\n',
    POST + b'Host: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n']


def post(path, data, **headers):
    return http('POST', path, data if isinstance(data, bytes) else json.dumps(data).encode(), **headers)


def wrong_fields():
    "A good request with one field wrong"
    for path,good in (('/recommend', {'ratings':[RATED]}), ('/predict', {'items':[1], 'ratings':[RATED]})):
        for field in (*good, 'k', 'model', 'user_id', 'surprise'):
            for value in VALUES:
                if (field, value) != ('ratings', []): yield 'wrong field', post(path, {**good, field:value})
    for field in ('rating', 'other'):
        for value in (*VALUES, 99, -5):
            if value != 1.5: yield 'wrong rating', post('/recommend', {'ratings':[{**RATED, field:value}]})


def wrong_bodies(rng):
    "Bodies that are no JSON, or too much of it"
    good = json.dumps({'ratings':[RATED]*3}).encode()
    for number in NO_NUMBERS:
        yield 'no number', post('/recommend', f'{{"ratings":[{{"item_id":1,"rating":{number}}}]}}'.encode())
    for n in range(0, len(good) - 1, 4): yield 'cut', post('/recommend', good[:n])
    for _ in range(40): yield 'noise', post('/recommend', rng.randbytes(rng.randint(1, 300)))
    for n in range(0, 60, 3): yield 'flipped', post('/recommend', b'\xff' + good[:n] + b'\xfe' + good[n:])
    for body in (b'['*60_000, b'{"a":'*10_000, b'{"ratings":' + b'['*60_000): yield 'deep', post('/recommend', body)
    for n in (65_537, 100_000, 1_000_000): yield 'large', post('/recommend', b' '*n)
    for n in (501, 1000, 2000): yield 'too many', post('/recommend', {'ratings':[RATED]*n})
    for content_type in CONTENT_TYPES: yield 'wrong type', post('/recommend', good, Content_Type=content_type)


def malformed(seed=0):
    "Malformed requests with their kind"
    rng = random.Random(seed)
    yield from wrong_fields()
    yield from wrong_bodies(rng)
    for method in METHODS:
        for path in ('/', '/recommend', '/predict', '/health'): yield 'wrong method', http(method, path)
    for path in PATHS: yield 'wrong path', http('GET', path)
    for path in (*QUERIES, '/search?q=' + 'a'*5000): yield 'wrong query', http('GET', path)
    for request in (*NO_HTTP, rng.randbytes(500) + b'\r\n\r\n'): yield 'no HTTP', request


async def send_malformed(port):
    "How each kind of malformed request was answered"
    counts, wrong = {}, []
    for kind,request in malformed():
        client = Client(port)
        try:
            status, body = await asyncio.wait_for(client.send(request), 10)
            if kind != 'no HTTP' and 'error' not in json.loads(body): wrong.append((kind, status, request[:80]))
        except (OSError, asyncio.IncompleteReadError): status = 'closed'
        except (asyncio.TimeoutError, ValueError) as e: status = type(e).__name__
        client.close()
        counts.setdefault(kind, Counter())[str(status)] += 1
        refused = status == 'closed' or (isinstance(status, int) and 400 <= status < 500)
        if not refused: wrong.append((kind, status, request[:200]))
    status, _ = await Client(port).send(http('GET', '/health'))
    statuses = sum(counts.values(), Counter())
    kinds = {kind:dict(count) for kind,count in counts.items()}
    return dict(requests=statuses.total(), statuses=dict(statuses), kinds=kinds, wrong=list(map(repr, wrong)),
        well_afterwards=status == 200)


# The whole

def soak(pid, port, requests, rate, minutes):
    "An offered rate for some minutes, and the memory of the server"
    memory = [memory_mb(pid)]
    def note():
        memory.append(memory_mb(pid))
        print(f'{len(memory) - 1} min: {memory[-1]:.1f} MB', file=sys.stderr, flush=True)
    res = measure(pid, offered, port, requests, rate, minutes*60, each_minute=note)
    end = memory_mb(pid)
    return dict(res, minutes=minutes, mb=round(end, 1), growth_mb=round(end - memory[min(1, len(memory) - 1)], 1))


def run(model, args):
    process, server = start(model, args.dir, args.quick)
    pid, port = process.pid, int(server['address'].rsplit(':', 1)[1].strip('/'))
    try:
        requests = random_requests(port)
        asyncio.run(full_speed(port, requests, args.clients, 1, [])) # to warm up
        res = dict(model=model, data=server['data'], items=server['items'], clients=args.clients, rate=args.rate)
        res['full_speed'] = measure(pid, full_speed, port, requests, args.clients, args.seconds)
        res['alone'] = measure(pid, full_speed, port, requests, 1, args.seconds)
        res['offered'] = measure(pid, offered, port, requests, args.rate, args.seconds)
        if args.crowd: res['crowd'] = measure(pid, crowd, port, requests, 45)
        if args.minutes: res['soak'] = soak(pid, port, requests, args.rate, args.minutes)
        res['malformed'] = asyncio.run(send_malformed(port))
        server_errors = sum(n for status,n in res['malformed']['statuses'].items() if status.startswith('5'))
        res['server_errors'] = server_errors + res['full_speed']['errors'] + res['offered']['errors']
        return res
    finally:
        process.terminate()
        process.wait(10)


def show(res):
    print(f"\n{res['model']} on {res['data']} ratings of ml-1m, {res['items']:,} items; ten ratings a request")
    minutes = res.get('soak', {}).get('minutes')
    names = dict(full_speed=f"full speed, {res['clients']} clients", alone='full speed, one client',
        offered=f"offered {res['rate']:g} a second", crowd='300 honest of 1,500', soak=f'offered for {minutes} minutes')
    for key,name in names.items():
        if key not in res: continue
        row = res[key]
        print(f"  {name:28} {row['per_second']:8.1f} a second   "
            f"p50 {row['p50_ms']:8.2f} ms   p99 {row['p99_ms']:8.2f} ms   "
            f"{row['server_cpu_ms']:6.2f} ms of server CPU each   {row['errors']} errors")
    if minutes: print(f"  memory {res['soak']['mb']} MB, {res['soak']['growth_mb']:+} MB after the first minute")
    bad = res['malformed']
    print(f"  {bad['requests']} malformed requests: {bad['statuses']}; well afterwards: {bad['well_afterwards']}")
    for line in bad['wrong']: print('   ', line)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', nargs='+', default=['mf', 'causal'], help='names of recipes, one server each')
    p.add_argument('--dir', help='a saved recommender to serve in place of training one')
    p.add_argument('--rate', type=float, default=50., help='requests offered a second')
    p.add_argument('--seconds', type=float, default=10., help='of each measurement')
    p.add_argument('--clients', type=int, default=4, help='connections at full speed')
    p.add_argument('--minutes', type=float, default=0, help='of the long run')
    p.add_argument('--crowd', action='store_true', help='300 honest clients among 1,500 connections')
    p.add_argument('--swap', type=float, default=0, help='seconds of new versions and killed processes')
    p.add_argument('--quick', action='store_true', help='a tenth of the users')
    p.add_argument('--json', action='store_true', help='one JSON list and nothing else on stdout')
    p.add_argument('--child', help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child: return serve_forever(args.child, args.dir, args.quick)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),)*2)
    if args.swap:
        res = swap(args)
        print(json.dumps(res))
        sys.exit(bool(res['errors']))
    results = [run(model, args) for model in (['saved'] if args.dir else args.models)]
    for res in results:
        speed, target = res['full_speed'], TARGET.get(res['model'])
        in_time = res['model'] != 'mf' or speed['p99_ms'] <= P99_MS
        if target: res['met'] = bool(speed['per_second'] >= target and in_time)
        if not args.json: show(res)
    if args.json: print(json.dumps(results))
    def failed(res): return res['server_errors'] or res['malformed']['wrong'] or not res['malformed']['well_afterwards']
    sys.exit(any(map(failed, results)))


if __name__ == '__main__': main()
