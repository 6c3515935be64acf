"""The documentation site in _docs: with Quarto where it is installed, otherwise with nbconvert and the templates in tools/theme.

    python tools/docs.py build           make the site
    python tools/docs.py check           does every link, anchor and picture of the site lead somewhere?
    python tools/docs.py build check     both

No notebook is run: a page shows the outputs that are stored in it, and the names come from the modules.
"""
import inspect, json, re, shutil, sys, time
from functools import reduce
from importlib import import_module
from os.path import relpath
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from nbdev.config import get_config
from nbdev.doclinks import nbglob, _nbpath2html
from nbdev.serve import proc_nbs
from pygments.formatters import HtmlFormatter

import api_pages, links
from nb import ROOT, settle
from page_html import dress, mend_links, read_page, sections, set_anchors, to_html

THEME = Path(__file__).parent/'theme'
HOME, INDEX = 'index.html', 'search-index.js'
CODE = 'tango', 'github-dark' # styles of Pygments, for light and dark

# --- what there is: pages in their order, and names

def sidebar(cfg):
    "The sections of nbs/sidebar.yml: (name, notebooks); a notebook that stands nowhere comes last"
    listed = [(o['section'], o['contents']) for o in yaml.safe_load((cfg.nbs_path/'sidebar.yml').read_text())['website']['sidebar']['contents']]
    there = [p.relative_to(cfg.nbs_path).as_posix() for p in sorted(nbglob(cfg.nbs_path, as_path=True))]
    rest = [o for o in there if o not in {p for _,ps in listed for p in ps}]
    return listed + ([('More', rest)] if rest else [])

def module_of(path):
    "The module that a notebook exports, or None"
    m = re.search(r'"#\|\s*default_exp\s+([\w.]+)', path.read_text(encoding='utf-8'))
    return m and m[1]

def describe(mod, name):
    "(kind, one line about it) of a name"
    o = reduce(lambda o,k: getattr(o, k, None), name.split('.'), mod)
    kind = 'method' if '.' in name else 'class' if inspect.isclass(o) else 'function' if callable(o) else 'value'
    if kind == 'value': return kind, f'`{o!r}`' if isinstance(o, (str, int, float)) else ''
    return kind, (getattr(o, '__doc__', None) or '').strip().partition('\n')[0]

def module_names(mod, page, cfg):
    "What a module exports: dicts of name, link, kind and about; a value such as a column name has no anchor of its own"
    full = f'{cfg.lib_name}.{mod}'
    m, syms = import_module(full), import_module(f'{cfg.lib_name}._modidx').d['syms'].get(full, {})
    at = {k[len(full)+1:]: loc for k,(loc,_) in syms.items()}
    at.update({o: page for o in m.__all__ if o not in at})
    for name,loc in at.items():
        if not any(o.startswith('_') for o in name.split('.')):
            kind, about = describe(m, name)
            yield dict(name=name, link=loc, kind=kind, about=about)

# --- what is written

def code_colours():
    "Pygments' two styles as one sheet, in which each colour has two values"
    light, dark = (HtmlFormatter(style=o).class2style for o in CODE)
    def _colour(styles, k): return (re.findall(r'(?<!-)color: (#\w+)', styles.get(k, ('',))[0]) or ['currentcolor'])[0]
    return '\n'.join(f'.highlight .{k} {{ color: light-dark({_colour(light, k)}, {_colour(dark, k)}) }}' for k in sorted({*light, *dark}) if k not in ('', 'w', 'err'))

def search_index(pages, names):
    "What the search box looks through: [link, heading, page, kind, words], names first"
    found = [[n['link'], n['name'], mod, n['kind'], n['about'].replace('`', '')] for mod,ns in names.items() for n in ns]
    seen = {o[0] for o in found}
    for p in pages:
        for level,anchor,head,_,words in sections(p):
            link = f'{p["out"]}#{anchor}' if anchor else p['out']
            if link not in seen: found.append([link, head, p['title'], 'page' if level == 1 else 'section', words[:2000]])
    return f'window.searchIndex = {json.dumps(found, ensure_ascii=False, separators=(",", ":"))};\n'

def neighbours(pages):
    "Each page with the one before and the one after it"
    return zip(pages, [None, *pages[:-1]], [*pages[1:], None])

def templates(cfg, nav):
    env = Environment(loader=FileSystemLoader(THEME), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters['md'] = lambda s: Markup(re.sub('^<p>|</p>$', '', to_html(s).strip()))
    env.globals.update(site=cfg.title, repo=cfg.git_url, version=cfg.version, nav=nav)
    return env

def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text, encoding='utf-8')

def copy_files(cache, to):
    "Pictures and other files that stand beside the notebooks"
    for p in cache.rglob('*'):
        if p.is_file() and p.suffix not in ('.ipynb', '.yml', '.css', '.qmd'): write(to/p.relative_to(cache), p.read_bytes())

def build(cfg, to):
    "The whole site into the folder `to`"
    api_pages.use()
    cache = proc_nbs(n_workers=0, force=True)
    order = sidebar(cfg)
    places = {o: _nbpath2html(Path(o)).as_posix() for _,os in order for o in os}
    mods = {nb: mod for nb in places if (mod := module_of(cfg.nbs_path/nb))}
    names = {f'{cfg.lib_name}.{mod}': list(module_names(mod, places[nb], cfg)) for nb,mod in mods.items()}
    pages = [read_page(cache/o, cache) for o in places]
    anchors = [o.partition('#') for ns in import_module(f'{cfg.lib_name}._modidx').d['syms'].values() for o,_ in ns.values()]
    for p in pages:
        p['module'] = f'{cfg.lib_name}.{mods[p["nb"]]}' if p['nb'] in mods else ''
        set_anchors(p, {a for page,_,a in anchors if page == p['out']})
        mend_links(p, places, f'{cfg.doc_host}{cfg.doc_baseurl}/')
    index, by_nb = search_index(pages, names), {p['nb']: p for p in pages}
    env = templates(cfg, [(s, [by_nb[o] for o in os]) for s,os in order])
    shutil.rmtree(to, ignore_errors=True)
    copy_files(cache, to)
    for p,before,after in neighbours(pages):
        toc = [o for o in sections(p)[1:] if o[0] in (2, 3)]
        dress(p)
        source = f'{cfg.git_url}/blob/{cfg.branch}/{cfg.nbs_path.name}/{p["nb"]}'
        html = env.get_template('page.html').render(page=p, toc=toc, body=Markup(p['soup']), before=before, after=after, source=source,
                                                    to=lambda o, here=p['out']: relpath(o, Path(here).parent))
        write(to/p['out'], html)
        for name,data in p['images'].items(): write(to/name, data)
    write(to/'names.html', env.get_template('names.html').render(page=dict(out='names.html', title='Names', about='Everything there is to import'),
                                                                 names=names, homes={f'{cfg.lib_name}.{m}': places[nb] for nb,m in mods.items()}, to=lambda o: o))
    for o in ('docs.css', 'docs.js'): write(to/o, (THEME/o).read_bytes())
    write(to/'code.css', code_colours())
    write(to/INDEX, index)
    return len(pages)+1

# --- the commands

def with_quarto(cfg):
    "As nbdev does it; pages are processed as for our own site"
    from nbdev.quarto import nbdev_docs
    api_pages.use()
    nbdev_docs.__wrapped__(n_workers=0)

def say_build(cfg):
    start = time.time()
    if shutil.which('quarto'): return with_quarto(cfg)
    n = build(cfg, cfg.doc_path)
    print(f'{n} pages in {time.time()-start:.0f} s: open {cfg.doc_path.relative_to(ROOT)}/{HOME}', flush=True)

def say_check(cfg):
    "Print what is broken; is everything well?"
    if not (cfg.doc_path/HOME).exists(): sys.exit(f'There is no site in {cfg.doc_path.name} yet: `python tools/docs.py build` makes it.')
    if not (cfg.doc_path/INDEX).exists(): return print(f'The site in {cfg.doc_path.name} is Quarto\'s, which does its own checks.') is None
    lost = [o for s,os in sidebar(cfg) if s == 'More' for o in os]
    bad, (pages, found) = links.check(cfg.doc_path)
    bad += [f'nbs/sidebar.yml: {o} stands in no section.' for o in lost]
    for o in bad: print(f'FAILED  {o}')
    print(f'{pages} pages with {found} links, {len(bad)} broken')
    return not bad

def main():
    cmds = sys.argv[1:]
    if not cmds or set(cmds) - {'build', 'check'}: sys.exit(__doc__)
    settle()
    cfg = get_config()
    if 'build' in cmds: say_build(cfg)
    if 'check' in cmds: sys.exit(not say_check(cfg))

if __name__ == '__main__': main()
