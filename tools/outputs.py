"""Execute a notebook from top to bottom with a real kernel, and store outputs fit to be read.

nbdev's own runner keeps the raw text of progress bars and runs cells marked `eval: false`; a kernel shows what a
reader's Jupyter shows, and what is left to do is to leave some cells alone and to sweep up.
"""
import json, os, re, sys, tempfile, time
from copy import deepcopy
from pathlib import Path

import nbformat
from execnb.nbio import nb2str
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbdev.clean import _nbdev_clean
from nbdev.config import get_config
from nbformat.v4.rwbase import split_lines

QUIET = dict(NO_COLOR='1', TERM='dumb', COLUMNS='100', TQDM_DISABLE='1', PYTHONHASHSEED='0')
UNWANTED = 'FORCE_COLOR CLICOLOR_FORCE PYTHONSTARTUP PYTHONWARNINGS MPLBACKEND'.split()

def no_colour(s): return re.sub(r'\x1b\[[\d;]*m', '', s)

def joined(s): return s if isinstance(s, str) else ''.join(s)

def is_left_alone(cell, skip_flags):
    "Whether a code cell keeps the outputs it has: it can never run, or is marked with a flag nobody asked for"
    head = re.match(r'(?:\s*#\|.*\n?)*', joined(cell['source']))[0]
    marks = [o.split() for o in re.findall(r'#\|(.*)', head)]
    never = re.search(r'#\|\s*eval:\s*false', head, re.I)
    return bool(never) or any(o and o[0].rstrip(':') in skip_flags for o in marks)

def execute(nb, folder, skip_flags, only=()):
    "A copy of `nb` with the outputs of this run; cells with an id in `only` are run whatever their marks"
    live = nbformat.reads(json.dumps(nb), as_version=4)
    for c in live.cells:
        if c.cell_type == 'code' and c.id not in only and is_left_alone(c, skip_flags):
            c.metadata['tags'] = ['skip-execution']
    client = NotebookClient(live, timeout=None, kernel_name='python3', record_timing=False, coalesce_streams=True,
        resources={'metadata': {'path': str(folder)}}, extra_arguments=['--IPKernelApp.log_level=40'])
    client.execute(env={**{k:v for k,v in os.environ.items() if k not in UNWANTED}, **QUIET})
    return split_lines(live)

# fastprogress shows a style sheet, then a bar that in the end is empty, full, or the table of epochs
_bar   = re.compile(r'<div>\s*<progress.*?</div>', re.S)
_empty = re.compile(r'(?:\s|</?div>|<p>\s*</p>)*')

def as_text(table):
    "An HTML table as aligned text, for readers without HTML"
    rows = [re.findall(r'<t[hd]>(.*?)</t[hd]>', o) for o in re.findall(r'<tr>(.*?)</tr>', table, re.S)]
    wide = [max(map(len, col)) for col in zip(*rows)]
    return '\n'.join('  '.join(o.rjust(w) for o,w in zip(row, wide)) for row in rows)

def sweep(output):
    "`output` without the debris of progress bars and the colours of terminals, or None where nothing else is left"
    if output['output_type'] == 'stream':
        return (
            {**output, 'text': no_colour(joined(output['text'])).splitlines(True)}
            if joined(output['text']).strip()
            else None
        )
    data = output.get('data', {})
    if 'text/html' not in data: return output
    html = joined(data['text/html'])
    if '<progress' not in html and 'progress-bar' not in html and 'class="fastprogress"' not in html:
        return None if _empty.fullmatch(html) else output
    html = _bar.sub('', re.sub(r'<style>.*?</style>', '', html, flags=re.S))
    if _empty.fullmatch(html): return None
    output['data'] = {'text/html': html.splitlines(True), 'text/plain': as_text(html).splitlines(True)}
    return output

def output_text(output):
    data = {k:v for k,v in output.get('data', {}).items() if k.startswith('text')}
    return '\n'.join(map(joined, [output.get('text', ''), *data.values()]))

def complaints(cell, n, root):
    "What must not stand in a stored output: the machine's own paths, and warnings"
    paths = {
        str(root): 'this machine\'s paths',
        str(Path.home()) + '/': 'this machine\'s paths',
        tempfile.gettempdir() + '/': 'a temporary path',
    }
    for text in map(output_text, cell.get('outputs', [])):
        found = [what for p,what in paths.items() if len(p) > 2 and p in text]
        if m := re.search(r'^.*\w*Warning: .*$', text, re.M): found.append(f'a warning ({m[0].strip()})')
        for what in dict.fromkeys(found):
            yield f'cell {n} ({cell.get("id", "no id")}) stores {what}. It begins: {joined(cell["source"])[:60]!r}'

def write_atomic(path, text):
    "All of `text` or nothing: a run that is interrupted leaves the notebook as it was"
    tmp = path.with_name(f'.{path.name}.tmp')
    tmp.write_text(text, encoding='utf-8')
    os.replace(tmp, path)

def store(path, root, flags=(), only=()):
    "Execute the notebook at `path` and store its outputs; leave the file alone where anything is wrong"
    start, name = time.time(), path.relative_to(root)
    nb = json.loads(path.read_text(encoding='utf-8'))
    if missing := set(only) - {c.get('id') for c in nb['cells']}: sys.exit(f'{name} has no cell {min(missing)}.')
    skip = set(get_config().tst_flags.split()) - set(flags)
    try: ran = execute(deepcopy(nb), path.parent, skip, only)
    except CellExecutionError as e: sys.exit(f'FAILED  {name}: nothing was stored.\n{no_colour(str(e))}')
    for old,new in zip(nb['cells'], ran.cells):  # only the outputs come back: the cells' metadata stays as it was
        if old['cell_type'] == 'code': old['outputs'] = [o for o in map(sweep, new.outputs) if o]
    bad = [o for i,c in enumerate(nb['cells']) for o in complaints(c, i, root)]
    if bad: sys.exit(f'FAILED  {name}: nothing was stored.\n' + '\n'.join(bad))
    _nbdev_clean(nb)
    write_atomic(path, nb2str(nb))
    print(f'stored  {name}  {time.time()-start:.1f} s', flush=True)
