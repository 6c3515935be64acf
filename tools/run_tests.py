"""Run notebooks as tests: each in its own process, a line as each one ends, its output only where it fails."""
import os, re, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

LIMIT = 30*60  # seconds a notebook may take without its slow cells

def environment(threads):
    "Two torch processes with two threads each fight over two cores, so each gets its share"
    limits = dict.fromkeys(['OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'], str(threads))
    return {**os.environ, **limits, 'MPLBACKEND': 'Agg', 'TQDM_DISABLE': '1', 'NO_COLOR': '1'}

def run_one(nb, flags, threads):
    "(passed, seconds, output) of one notebook"
    # by its name: called any other way it forgets its arguments
    nbdev_test = Path(sys.executable).with_name('nbdev_test')
    pipes = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    start = time.time()
    try:
        done = subprocess.run([nbdev_test, '--path', nb, '--flags', ' '.join(flags)], env=environment(threads),
            timeout=None if flags else LIMIT, text=True, errors='replace', **pipes)
    except subprocess.TimeoutExpired: return False, LIMIT, f'stopped after {LIMIT//60} minutes'
    return done.returncode == 0, time.time() - start, re.sub(r'\x1b\[[\d;]*m', '', done.stdout)

def report(name, passed, secs, out):
    print(f'{"ok    " if passed else "FAILED"}  {name}  {secs:.1f} s', flush=True)
    if not passed: print('\n'.join('    '+l for l in out.strip().splitlines()), flush=True)

def test(nbs, root, flags=()):
    "Whether each notebook passed"
    cores = os.cpu_count() or 1
    workers = 1 if flags else 2  # a slow cell trains for minutes: it gets the machine to itself
    passed = []
    with ThreadPoolExecutor(workers) as pool:
        jobs = {pool.submit(run_one, nb, flags, cores if flags else 1): nb.relative_to(root/'nbs') for nb in nbs}
        for job in as_completed(jobs):
            report(jobs[job], *job.result())
            passed.append(job.result()[0])
    return passed
