"""Is the code plain and are the pages readable? Rules that a machine can check, in seconds.

    python tools/lint.py [paths]       each finding: file, cell, line, what is wrong, what to do
    python tools/lint.py --summary     how many findings of each rule, and in which files
    python tools/lint.py --measure     the sizes of functions, lines and cells

Limits, words and exceptions stand in lint_rules.py. Code is read, never run.
"""
import argparse, ast, io, json, re, sys, tokenize
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import lint_rules as rules

ROOT = Path(__file__).resolve().parent.parent

class Finding(NamedTuple):
    path:str
    cell:str  # such as `cell 12 (fb9b6252)`; empty in a module
    line:int
    rule:str
    text:str
    def __str__(self):
        place = ', '.join(filter(None, [self.path, self.cell, f'line {self.line}']))
        return f'{place}: {self.text} [{self.rule}]'

class Piece(NamedTuple):
    "A cell of a notebook, or a whole module"
    path:str
    cell:str
    kind:str  # 'export', 'example', 'prose' or 'module'
    source:str
    outputs:list = ()

# --- reading

def cells(path, root):
    "The cells of a notebook"
    for i,cell in enumerate(json.loads(path.read_text(encoding='utf-8'))['cells']):
        source = ''.join(cell['source'])
        exported = re.search(r'^#\|\s*exports?\b', source, re.M)
        if source.startswith('#| hide'): continue # nbdev's own last cell
        kind = 'prose' if cell['cell_type'] != 'code' else 'export' if exported else 'example'
        yield Piece(str(path.relative_to(root)), f"cell {i} ({cell.get('id')})", kind, source, cell.get('outputs', []))

def pieces(path, root):
    if path.suffix == '.ipynb': return list(cells(path, root))
    return [Piece(str(path.relative_to(root)), '', 'module', path.read_text(encoding='utf-8'))]

def inside(folder): return sorted([*folder.rglob('*.ipynb'), *folder.rglob('*.py')])

def files(paths, root):
    "Notebooks, tools and benchmarks; modules in recnb/ are exported from notebooks"
    if paths:
        return [
            p for path in map(Path, paths) for p in (inside(path.resolve()) if path.is_dir() else [path.resolve()])
        ]
    found = [
        *root.glob('nbs/**/*.ipynb'),
        *root.glob('nbs/**/*.py'),
        *root.glob('tools/*.py'),
        *root.glob('benchmarks/*.py'),
    ]
    return sorted(p for p in found if not any(part[0] in '._' for part in p.relative_to(root).parts))

def parsed(source):
    try: return ast.parse(source)
    except SyntaxError: return None # a shell line or a magic

# --- rules about one piece of code: each yields (line, rule, text)

def too_wide(piece, tree):
    for n,line in enumerate(piece.source.split('\n'), 1):
        if len(line) > rules.WIDTH:
            yield n, 'width', f'{len(line)} columns; break it into lines of at most {rules.WIDTH}'

def joined(piece, tree):
    lines = piece.source.split('\n')
    for token in tokenize.generate_tokens(io.StringIO(piece.source).readline):
        after = lines[token.start[0]-1][token.end[1]:] if token.string == ';' else ''
        if token.type == tokenize.OP and after.strip():
            yield token.start[0], 'joined', 'two statements on a line; give each its own'

DOCMENT = re.compile(r'^ +\*{0,2}\w+(:[^#=]+)?(=[^#]+)?,? *# |^ +\w+:Annotated|^ +help=')

def too_large(piece, tree):
    lines = [
        line for line in piece.source.split('\n') if line.strip() and not DOCMENT.match(line)
    ]  # parameters are documentation
    n, size = len(lines), sum(map(len, lines))
    if piece.kind == 'export' and (size > rules.EXPORT_CHARACTERS or n > rules.EXPORT_LINES):
        yield 1, 'cell size', f'an exported cell of {size:,} characters in {n} lines; split it, a definition a cell'
    if piece.kind == 'example' and n > rules.EXAMPLE_LINES: yield 1, 'cell size', f'an example of {n} lines; split it'

def odd_statements(piece, tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.IfExp):
            if node is not tree.body[-1]:
                yield node.lineno, 'statement', 'a conditional expression as a statement; write an if'
        if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
            if any(isinstance(n, ast.NamedExpr) for n in ast.walk(node.test)):
                yield node.lineno, 'statement', 'a walrus that ends in a raise; assign first, on a line of its own'
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            if isinstance(node.targets[0], ast.Name):
                yield node.lineno, 'statement', f'a lambda called {node.targets[0].id}; write a def'
        if isinstance(node, ast.BoolOp) and len(node.values) >= rules.CONDITIONS:
            yield node.lineno, 'statement', f'{len(node.values)} conditions in one expression; name the parts'

def bound_names(tree):
    "Names that code gives to something: (line, name); those of comprehensions left out"
    inner = {id(n) for c in ast.walk(tree) if isinstance(c, ast.comprehension) for n in ast.walk(c.target)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in inner:
            yield node.lineno, node.id
        if isinstance(node, ast.arg): yield node.lineno, node.arg
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)): yield node.lineno, node.name

def names(piece, tree):
    for line,name in bound_names(tree):
        if name == 'o': yield line, 'name', '`o` outside a one-line comprehension; name what it is'
        bare = name.strip('_')
        if bare in rules.NAMES: yield line, 'name', f'`{name}` riddles; write {rules.NAMES[bare]}'

def public_functions(tree):
    "Functions, and `__init__` and methods of classes, that users call"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith('_') and not is_command(node): yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
            yield from (f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == '__init__')

def is_command(function):
    "Commands are documented by the help of their options"
    return any('command' in ast.unparse(d) or 'callback' in ast.unparse(d) for d in function.decorator_list)

def parameters(function):
    a = function.args
    return [p for p in [*a.posonlyargs, *a.args, *a.kwonlyargs] if p.arg not in rules.KNOWN_PARAMS]

def documented(piece, function):
    "(parameter, has it a comment?) of a function"
    lines = piece.source.split('\n')
    params = parameters(function)[1:] if is_patch(function) else parameters(function)
    for p in params: yield p, '#' in lines[p.end_lineno-1][p.end_col_offset:]

def is_patch(function): return any('patch' in ast.unparse(d) for d in function.decorator_list)

def undocumented(piece, tree):
    if piece.kind != 'export': return
    for function in public_functions(tree):
        missing = [p.arg for p,ok in documented(piece, function) if not ok]
        short = is_patch(function) and function.end_lineno - function.lineno < 3 # an override in a line or two
        if missing and not short:
            names = ', '.join(missing)
            yield function.lineno, 'docments', f'{function.name}: {names} without a comment that gives shape or unit'

def unshown(piece, tree):
    if piece.kind != 'example' or piece.outputs or not tree.body: return
    last, text = tree.body[-1], piece.source.rstrip()
    if not isinstance(last, ast.Expr) or text.endswith(';') or 'eval: false' in text: return
    called = ast.unparse(last.value.func).split('.')[-1] if isinstance(last.value, ast.Call) else ''
    if not re.fullmatch(rules.WITHOUT_VALUE, called):
        yield last.lineno, 'output', 'a value that no reader sees; store it with `python tools/nb.py run`'

# --- rules about prose and outputs

def prose(piece):
    "Text that people read: markdown, and docstrings and comments of code"
    if piece.kind == 'prose':
        return enumerate(re.sub(r'`[^`]*`|\]\([^)]*\)|\$[^$]*\$', '', piece.source).split('\n'), 1)
    if piece.kind == 'module': return ()
    tokens = tokenize.generate_tokens(io.StringIO(piece.source).readline)
    return [
        (t.start[0], t.string)
        for t in tokens
        if t.type == tokenize.COMMENT or (t.type == tokenize.STRING and t.string.startswith('"'))
    ]

def phrases(piece, tree):
    for line,text in prose(piece):
        for pattern,instead in rules.PHRASES.items():
            found = re.search(pattern, text, re.I)
            if found: yield line, 'words', f'“{found[0]}”; write {instead}'

def outputs(piece, tree):
    text = json.dumps(piece.outputs)
    path = re.search(r'/(work|tmp|root|home)/', text)
    if path: yield 1, 'output', f'a path of a machine ({path[0]}) in a stored output; run the cell again without it'
    if 'Warning:' in text: yield 1, 'output', 'a warning in a stored output; mend its cause and run the cell again'

CODE_RULES = too_wide, joined, too_large, odd_statements, names, undocumented, unshown
TEXT_RULES = phrases, outputs

def check_piece(piece):
    tree = parsed(piece.source) if piece.kind != 'prose' else None
    chosen = [*(CODE_RULES if tree else ()), *(TEXT_RULES if tree or piece.kind == 'prose' else ())]
    for rule in chosen:
        for line,name,text in rule(piece, tree): yield Finding(piece.path, piece.cell, line, name, text)

def check_page(page):
    "Rules about a whole page"
    path, limit = page[0].path, rules.LONG_PAGES.get(page[0].path, rules.PAGE_CELLS)
    if len(page) > limit:
        yield Finding(path, '', 1, 'page', f'{len(page)} cells; a page of more than {limit} is two pages')
    run = 0
    for piece in page:
        if piece.kind == 'prose': run = 0
        tree = parsed(piece.source) if piece.kind == 'export' else None
        run += bool(tree and any(True for _ in public_functions(tree)))
        if run == rules.CELLS_WITHOUT_PROSE + 1:
            yield Finding(
                path, piece.cell, 1, 'prose', f'{run} exported cells in a row without a word between them; say why'
            )

def check(paths=(), root=ROOT):
    "Every finding"
    found = []
    for path in files(paths, root):
        page = pieces(path, root)
        for piece in page: found += check_piece(piece)
        if path.suffix == '.ipynb': found += check_page(page)
    return found

# --- measuring

def functions(trees):
    kinds = ast.FunctionDef, ast.AsyncFunctionDef
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)]

def share(some, all): return f'{100*len(some)/max(len(all), 1):.1f} %'

def measure(root=ROOT):
    "Sizes of functions, lines and cells: (what, figure)"
    modules = [p.read_text(encoding='utf-8') for p in sorted(root.glob('recnb/*.py')) if p.name != '_modidx.py']
    lines = [line for text in modules for line in text.split('\n') if line.strip()]
    code = [
        p
        for path in sorted(root.glob('nbs/**/*.ipynb'))
        for p in cells(path, root)
        if p.kind != 'prose' and p.source.strip()
    ]
    exports, examples = ([p for p in code if p.kind == kind] for kind in ('export', 'example'))
    shown = [line for p in examples for line in p.source.split('\n') if line.strip()]
    semicolons = [1 for p in examples if (tree := parsed(p.source)) for _ in joined(p, tree)]
    params = [
        ok
        for p in exports
        if (tree := parsed(p.source))
        for f in public_functions(tree)
        for _, ok in documented(p, f)
    ]
    sizes = [f.end_lineno - f.lineno + 1 for f in functions(map(ast.parse, modules))]
    wide, wide_shown = ([len(line) for line in some if len(line) > rules.WIDTH] for some in (lines, shown))
    yield 'lines a function: median, p90', f'{median(sizes):g}, {quantiles(sizes, n=10)[-1]:g}'
    yield f'module lines over {rules.WIDTH} characters', f'{share(wide, lines)} (longest {max(map(len, lines))})'
    yield f'example lines over {rules.WIDTH}', f'{share(wide_shown, shown)} (longest {max(map(len, shown))})'
    yield 'example lines joined by ;', share(semicolons, shown)
    yield 'characters an exported cell: median', f'{median(len(p.source) for p in exports):g}'
    yield 'characters an example cell: median', f'{median(len(p.source) for p in examples):g}'
    yield 'public parameters documented', share([1 for ok in params if ok], params)

# --- the command

def summary(found):
    for rule,n in Counter(f.rule for f in found).most_common(): print(f'{n:6,}  {rule}')
    for path,n in Counter(f.path for f in found).most_common(60): print(f'{n:6,}  {path}')

def count():
    "Whether the rules are kept; each finding is printed on a line"
    found = check()
    for finding in found: print(f'FAILED  {finding}')
    if not found: print('ok      code and pages are plain')
    return [not found]

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('paths', nargs='*')
    p.add_argument('--root', type=Path, default=ROOT, help='another checkout')
    p.add_argument('--summary', action='store_true')
    p.add_argument('--measure', action='store_true')
    args = p.parse_args()
    root = args.root.resolve()
    if args.measure: return print('\n'.join(f'{what:45} {figure}' for what,figure in measure(root)))
    found = check([root/path if not Path(path).exists() else path for path in args.paths], root)
    if args.summary: summary(found)
    else: print('\n'.join(map(str, found)))
    print(f'{len(found):,} findings' if found else 'nothing to find fault with')
    sys.exit(bool(found))

if __name__ == '__main__': main()
