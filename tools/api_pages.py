"""nbdev's page processing for Sphinx: no cell is run, and `show_doc` becomes a directive with a table of parameters."""
import ast
import inspect
import re
from functools import reduce
from importlib import import_module
from itertools import groupby
from pathlib import Path

import nbdev.serve
from fastcore.basics import AttrDict
from fastcore.docments import docments
from nbdev.config import get_config
from nbdev.doclinks import NbdevLookup
from nbdev.process import Processor
from nbdev.processors import FilterDefaults, _is_showdoc, add_show_docs, exec_show_docs

EMPTY = inspect.Parameter.empty
documented = set()  # Full names that a page shows, such as 'recnb.bundle.Recommender.save'
modules = {}  # The module that a notebook exports, by its path

def find(module, name):
    "The object that a dotted name stands for in a module"
    return reduce(getattr, name.split('.'), import_module(module))

def source_link(module, name):
    "Where a name is defined in the repository, or None"
    url = NbdevLookup().code(f'{module}.{name}')
    try:
        line = inspect.getsourcelines(inspect.unwrap(find(module, name)))[1]
    except (AttributeError, OSError, TypeError):
        return url
    return url and f'{url.split("#")[0]}#L{line}'

def tuple_fields(cls):
    "A named tuple's fields with their comments, in the form that `docments` has for parameters"
    notes = dict(re.findall(r'^\s+(\w+):.*?#\s*(.*)', inspect.getsource(cls), re.M))
    defaults = cls._field_defaults
    types = cls.__annotations__
    return {n: AttrDict(anno=types[n], default=defaults.get(n, EMPTY), docment=notes.get(n)) for n in types}

def parameters(obj):
    "Each parameter's type, default and comment"
    if inspect.isclass(obj) and issubclass(obj, tuple) and '_fields' in vars(obj):
        return tuple_fields(obj)
    found = docments(obj, full=True, args_kwargs=True)
    return {n: p for n, p in found.items() if n not in ('self', 'cls')}

def plain(value):
    "A type or a default as text without addresses"
    text = getattr(value, '__name__', None) or repr(value)
    return re.sub(r'<function (\S+) at 0x\w+>', r'\1', text)

def signature(obj):
    "The parameters with their defaults, in brackets; types and comments stand in the table"
    if isinstance(obj, property):
        return ''
    try:
        params = inspect.signature(obj).parameters.values()
    except (TypeError, ValueError):
        return '()'
    kept = [p.replace(annotation=EMPTY) for p in params if p.name not in ('self', 'cls')]
    text = str(inspect.Signature(kept))
    return re.sub(r"<function (\S+) at 0x\w+>|<class '(?:[\w.]+\.)?(\w+)'>", r'\1\2', text).replace('\n', ' ')

def code(value, width=40):
    "A type or a default in backticks, cut where it is long: the source has all of it"
    text = '' if value is EMPTY or value is type(None) else plain(value).replace('|', r'\|')
    return f'`{text if len(text) <= width else text[:width-1]+"…"}`' if text else ''

def prose(text):
    "A comment as the content of a table's cell"
    return '' if text in (None, EMPTY) else re.sub(r'(?<!\\)\|', r'\|', text).replace('\n', ' ')

def table(obj):
    "A Markdown table of an object's parameters and what it returns; columns that are empty are left out"
    rows = {n: (code(p.anno), code(p.get('default', EMPTY)), prose(p.docment)) for n, p in parameters(obj).items()}
    returns = rows.pop('return', ('', '', ''))
    lines = [(f'`{n}`', *row) for n, row in rows.items()]
    if any(returns) and not inspect.isclass(obj):
        lines.append(('*returns*', *returns))
    if not lines:
        return ''
    columns = zip(('', 'Type', 'Default', 'Details'), *lines)
    shown = [c for i, c in enumerate(columns) if i == 0 or any(c[1:])]
    head, *body = zip(*shown)
    return '\n'.join(f'| {" | ".join(o)} |' for o in (head, ['---']*len(head), *body))

def entry(module, name):
    "The Markdown that documents a name"
    obj = find(module, name)
    kind = 'class' if inspect.isclass(obj) else 'method' if '.' in name else 'function'
    kind = 'property' if isinstance(obj, property) else kind
    documented.add(f'{module}.{name}')
    head = f':::{{py:{kind}}} {name}{signature(obj)}\n:module: {module}'
    if inspect.ismethod(obj):
        head += '\n:classmethod:'
    doc = inspect.cleandoc(obj.__doc__ or '')
    args = '' if isinstance(obj, property) else table(obj)
    return '\n\n'.join(o for o in (head, doc, args) if o)+'\n:::'

class add_docs_in_order(add_show_docs):
    "nbdev shows the names of one cell from the last to the first; here from the first to the last"
    def begin(self):
        super().begin()
        runs = groupby(self.nb.cells, key=lambda c: bool(getattr(c, 'has_sd', 0)))
        self.nb.cells[:] = [c for shown, run in runs for c in (reversed(list(run)) if shown else run)]

class import_show_docs(Processor):
    "In place of nbdev's `exec_show_docs`, which runs every cell with an import: here the names come from the module"
    def begin(self):
        mods = [d['default_exp'][0] for c in self.nb.cells if 'default_exp' in (d := getattr(c, 'directives_', {}))]
        self.module = f'{get_config().lib_name}.{mods[0]}' if mods else None
        modules[Path(self.nb.path_).resolve()] = self.module

    def cell(self, cell):
        if not _is_showdoc(cell):
            return
        name = ast.unparse(ast.parse(cell.source).body[0].value.args[0])
        try:
            cell.source = entry(self.module, name)
        except (AttributeError, ModuleNotFoundError) as e:
            raise SystemExit(f'{self.nb.path_}: {e}, which the page wants to show. Is `make prepare` due?') from e
        cell.cell_type = 'markdown'

class PageProcs(FilterDefaults):
    "What nbdev does to a page, in its order"
    def base_procs(self):
        ours = {add_show_docs: add_docs_in_order, exec_show_docs: import_show_docs}
        return [ours.get(o, o) for o in super().base_procs()]

def use():
    "Have nbdev process every page this way"
    nbdev.serve.FilterDefaults = PageProcs
