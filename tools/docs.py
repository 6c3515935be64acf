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
PICTURES = '.png', '.svg', '.jpg', '.jpeg', '.gif', '.webp'
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
    m, syms = import_module(mod), import_module(f'{cfg.lib_name}._modidx').d['syms'].get(mod, {})
    at = {k[len(mod)+1:]: loc for k,(loc,_) in syms.items()}
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

def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text, encoding='utf-8')

def copy_pictures(nbs, to):
    "Pictures that stand beside the notebooks"
    for p in nbs.rglob('*'):
        if p.suffix in PICTURES and not any(o[0] in '_.' for o in p.relative_to(nbs).parts): write(to/p.relative_to(nbs), p.read_bytes())

def templates(cfg, nav):
    env = Environment(loader=FileSystemLoader(THEME), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters['md'] = lambda s: Markup(re.sub('^<p>|</p>$', '', to_html(s).strip()))
    env.globals.update(site=cfg.title, repo=cfg.git_url, version=cfg.version, nav=nav)
    return env

def render(env, template, page, **kwargs):
    "A page's HTML; `to` in a template is the way from this page to another"
    return env.get_template(template).render(page=page, to=lambda o: relpath(o, Path(page['out']).parent), **kwargs)

def write_page(env, page, before, after, to, cfg):
    "A notebook's page and its pictures"
    toc = [o for o in sections(page)[1:] if o[0] in (2, 3)]
    dress(page)
    source = f'{cfg.git_url}/blob/{cfg.branch}/{cfg.nbs_path.name}/{page["nb"]}'
    write(to/page['out'], render(env, 'page.html', page, toc=toc, body=Markup(page['soup']), before=before, after=after, source=source))
    for name,data in page['images'].items(): write(to/name, data)

def read_pages(places, mods, cfg):
    "Every notebook as a page with anchors, and links that lead to them; `places` is where each notebook's page is, `mods` its module"
    cache = proc_nbs(n_workers=0, force=True)
    anchors = [o.partition('#') for ns in import_module(f'{cfg.lib_name}._modidx').d['syms'].values() for o,_ in ns.values()]
    for nb in places:
        page = read_page(cache/nb, cache)
        page['module'] = mods.get(nb)
        set_anchors(page, {a for at,_,a in anchors if at == page['out']})
        mend_links(page, places, f'{cfg.doc_host}{cfg.doc_baseurl}/')
        yield page

def build(cfg, to):
    "The whole site into the folder `to`; how many pages it has"
    api_pages.use()
    shutil.rmtree(to, ignore_errors=True)
    order = sidebar(cfg)
    places = {o: _nbpath2html(Path(o)).as_posix() for _,os in order for o in os}
    mods = {nb: f'{cfg.lib_name}.{mod}' for nb in places if (mod := module_of(cfg.nbs_path/nb))}
    names = {mod: list(module_names(mod, places[nb], cfg)) for nb,mod in mods.items()}
    pages = list(read_pages(places, mods, cfg))
    copy_pictures(cfg.nbs_path, to)
    by_nb = {p['nb']: p for p in pages}
    env = templates(cfg, [(s, [by_nb[o] for o in os]) for s,os in order])
    write(to/INDEX, search_index(pages, names))
    for p,before,after in zip(pages, [None, *pages], [*pages[1:], None]): write_page(env, p, before, after, to, cfg)
    about = dict(out='names.html', title='Names', about='Everything there is to import')
    write(to/about['out'], render(env, 'names.html', about, names=names, homes={mod: places[nb] for nb,mod in mods.items()}))
    for o in ('docs.css', 'docs.js'): write(to/o, (THEME/o).read_bytes())
    write(to/'code.css', code_colours())
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
