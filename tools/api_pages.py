"""nbdev's page processing, with three differences: no cell is run, names come in the order of their cell, and parameters stand in a table."""
import ast, inspect, re
from importlib import import_module
from itertools import groupby

import nbdev.serve
from fastcore.basics import AttrDict
from fastcore.docments import DocmentTbl, DocmentText, docments
from fastcore.xtras import dict2obj
from nbdev.config import get_config
from nbdev.doclinks import NbdevLookup
from nbdev.process import Processor
from nbdev.processors import FilterDefaults, _is_showdoc, add_show_docs, exec_show_docs
from nbdev.showdoc import BasicMarkdownRenderer

empty = inspect.Parameter.empty

def fields(cls):
    "A named tuple's fields with their comments, in the form that `docments` has for parameters"
    notes = dict(re.findall(r'^\s+(\w+):.*?#\s*(.*)', inspect.getsource(cls), re.M))
    return {n: AttrDict(anno=a, default=cls._field_defaults.get(n, empty), docment=notes.get(n)) for n,a in cls.__annotations__.items()}

def parameters(o):
    "Each parameter's type, default and comment; also for named tuples, and for `**kwargs`"
    if inspect.isclass(o) and issubclass(o, tuple) and '_fields' in vars(o): return fields(o)
    return {n: p for n,p in docments(o, full=True, args_kwargs=True).items() if n != 'self'}

def no_address(s): return re.sub(r'<function (\S+) at 0x\w+>', r'\1', s)

class Signature(DocmentText):
    "A signature without its comments, since the table has them"
    def __init__(self, obj):
        super().__init__(obj, docstring=False)
        self.dm = parameters(obj)
    @property
    def params(self): return [(no_address(o).replace(':NoneType=', '='), '') for o,_ in super().params]
    @property
    def _ret_str(self): return super()._ret_str.split(': #')[0].rstrip(':') if not inspect.isclass(self.obj) else ')'
    def __str__(self): return re.sub(r'^(async )?def |(?<=\()\n\s*|\n(?=\))', '', super().__str__()).replace(',\n   ', ',') # in one line, which the page breaks

def as_code(o, width=40):
    "A type or a default in backticks, cut where it is long: the signature has all of it"
    s = '' if o is empty or o is type(None) else no_address(getattr(o, '__name__', None) or repr(o)).replace('|', r'\|')
    return f'`{s if len(s) <= width else s[:width-1]+"…"}`' if s else ''

def in_cell(s): return '' if s is None or s is empty else re.sub(r'(?<!\\)\|', r'\|', s).replace('\n', '<br>')

class Table(DocmentTbl):
    "A name's parameters: type, default and comment"
    def __init__(self, obj):
        super().__init__(obj)
        self.dm = {n: dict(anno=as_code(o.anno), default=as_code(o.get('default', empty)), docment=in_cell(o.docment)) for n,o in parameters(obj).items()}
        self.params = [o for o in self.dm if o != 'return']
        if inspect.isclass(obj): self.returns = False
    @property
    def _columns(self): return {k:v for k,v in self._map.items() if any(o[k] for o in self.dm.values())}
    @property
    def has_return(self): return self.returns and any(self.dm.get('return', {}).values())
    def _row(self, nm, props): return [f'<code>{nm}</code>'] + [props[k] for k in self._columns]
    @property
    def return_str(self): return '| '+' | '.join(self._row('', self.dm['return'])).replace('<code></code>', '*returns*')+' |'

class Entry(BasicMarkdownRenderer):
    "A name's heading, source link, signature, docstring and parameters"
    def source(self):
        "Where the definition stands in the repository, or an empty string"
        if not (url := NbdevLookup().code(self.fn)): return ''
        return f'{url.split("#")[0]}#L{inspect.getsourcelines(inspect.unwrap(self.sym))[1]}'

    def _repr_markdown_(self):
        url, docs = self.source(), self.docs if self.sym.__doc__ else '' # one that is inherited says nothing about this name
        parts = ['#'*self.title_level+f' {self.nm}', url and f'<a class="source-link" href="{url}">source</a>',
                 f'```python\n{Signature(self.sym)}\n```', docs, str(Table(self.sym)) if self.sig else '']
        return '\n\n'.join(filter(None, parts))

class add_docs_in_order(add_show_docs):
    "nbdev shows the names of one cell from the last to the first; here from the first to the last"
    def begin(self):
        super().begin()
        runs = [list(g) for _,g in groupby(self.nb.cells, key=lambda c: bool(getattr(c, 'has_sd', 0)))]
        self.nb.cells[:] = [c for g in runs for c in (reversed(g) if getattr(g[0], 'has_sd', 0) else g)]

class import_show_docs(Processor):
    "In place of nbdev's `exec_show_docs`, which runs every cell with an import, slow ones too: here the names come from the module"
    def begin(self):
        mods = [d['default_exp'][0] for c in self.nb.cells if 'default_exp' in (d := getattr(c, 'directives_', {}))]
        self.names = vars(import_module(f'{get_config().lib_name}.{mods[0]}')) if mods else {}

    def cell(self, cell):
        if not _is_showdoc(cell): return
        call = ast.parse(cell.source).body[0].value
        try: sym = eval(ast.unparse(call.args[0]), dict(self.names))
        except (NameError, AttributeError) as e: raise SystemExit(f'{self.nb.path_}: {e}, which the page wants to show. Is `make prepare` due?') from e
        text = Entry(sym, **{k.arg: ast.literal_eval(k.value) for k in call.keywords})._repr_markdown_()
        cell.outputs = [dict2obj(dict(output_type='display_data', metadata={}, data={'text/markdown': text.splitlines(True)}))]
        cell.metadata['tags'] = ['api']

class PageProcs(FilterDefaults):
    "What nbdev does to a page, in its order"
    def base_procs(self):
        ours = {add_show_docs: add_docs_in_order, exec_show_docs: import_show_docs}
        return [ours.get(o, o) for o in super().base_procs()]

def use():
    "Have every page processed this way, also those that are made for Quarto"
    nbdev.serve.FilterDefaults = PageProcs
