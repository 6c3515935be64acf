"""The documentation site in _docs: nbdev prepares the pages, Sphinx makes the site.

    python tools/docs.py

No notebook is run: a page shows the outputs that are stored in it, and the names come from the modules.
A broken link, anchor or picture is an error, and so is a page that is missing in nbs/sidebar.yml.
"""
import re
import shutil
import sys
import time
from importlib import import_module
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

import nbformat
import yaml
from nbdev.config import get_config
from nbdev.doclinks import NbdevLookup, _nbpath2html
from nbdev.serve import proc_nbs
from playwright.sync_api import sync_playwright
from sphinx.cmd.build import main as sphinx_build

import api_pages
from nb import ROOT, settle
from readme import apply_options, title_cell
from sidebar import misplaced, read_sidebar

HOME = 'index'
LEAVE = '*.ipynb', '*.md', '[._]*', 'models', 'runs', 'logs'  # What is a page, and what running notebooks leaves behind
FINDS = {  # What people type, and the page that has to come first
    'cold start': 'fold_in', 'new user': 'fold_in', 'fold-in': 'fold_in', 'gpu': 'install', 'install': 'install',
    'implicit': 'tower', 'negatives': 'tower', 'two-tower': 'tower', 'ndcg': 'metrics', 'early stopping': 'training',
    'checkpoint': 'training', 'popularity baseline': 'baseline', 'hyperparameter': 'mf', 'explain': 'recommender',
    'mf_learner': 'mf'}

def page_name(path):
    "A page's address without its ending: '07_split.ipynb' is 'split'; only the home page is called 'index'"
    name = _nbpath2html(Path(path)).with_suffix('').as_posix()
    return Path(path).stem if name == HOME else name

def link_targets(cfg, modules):
    "What nbdev's links to names become: the name, or its class, where a page documents it, and else the page"
    found = {}
    for module, names in import_module(f'{cfg.lib_name}._modidx').d['syms'].items():
        for owner, (url, _) in names.items():
            while owner and owner not in api_pages.documented:
                owner = owner.rpartition('.')[0]
            found[url] = f'#{owner}' if owner else f'{page_name(modules[module])}.ipynb'
    return found

def mend_links(text, page, cfg, targets):
    "Links to notebooks and to the published site as links between the pages that Sphinx reads"
    def to_name(match):
        url = match[1].removeprefix(f'{cfg.doc_host}{cfg.doc_baseurl}/')
        at = targets.get(url) or url.replace('.html', '.ipynb')
        return f']({at if at[0] == "#" else relpath(at, dirname(page) or ".")})'

    def to_page(match):
        path = normpath(join(dirname(page), match[1]))
        if not (cfg.nbs_path/path).exists():
            return match[0]
        path = page_name(path)+Path(path).suffix
        return f']({relpath(path, dirname(page) or ".")}{(match[2] or "").lower()})'

    text = re.sub(r'\]\(#[\w-]+\)', lambda match: match[0].lower(), text)  # Jupyter keeps the capitals of a heading
    text = re.sub(rf'\]\(({re.escape(cfg.doc_host+cfg.doc_baseurl)}/[^)\s]*)\)', to_name, text)
    return re.sub(r'\]\(([\w./-]+\.(?:ipynb|md))(#[^)\s]*)?\)', to_page, text)

def toctrees(sections):
    "The sidebar, as the directives that Sphinx makes it from"
    parts = []
    for name, pages in sections.items():
        lines = ['Overview <self>' if page_name(p) == HOME else page_name(p) for p in pages]
        parts.append('\n'.join([f':::{{toctree}}\n:hidden:\n:caption: {name}\n', *lines, ':::']))
    parts.append(':::{toctree}\n:hidden:\n:caption: Reference\n\nAll names <genindex>\nAll modules <modindex>\n:::')
    return '\n\n'.join(parts)

def read_notebook(path, module, url):
    "A notebook that nbdev has processed, its title back in place, and a line that says which module it is"
    nb = nbformat.read(path, as_version=4)
    front = yaml.safe_load(nb.cells[0].source.strip().strip('-'))
    cells = [apply_options(c) for c in nb.cells[1:] if not c.source.startswith('<!-- WARNING')]
    head = title_cell(front)['source']
    if module:
        head += f'\n\n:::{{py:module}} {module}\n:synopsis: {front.get("description", "")}\n:::'
        head += f'\n\nModule `{module}` · [notebook]({url})'
    nb.cells = [nbformat.v4.new_markdown_cell(head), *(c for c in cells if c)]
    nb.metadata = nbformat.from_dict({'language_info': {'name': 'python', 'pygments_lexer': 'python'}})
    return nb

def prepare(cfg, to):
    "Write every page, and the pictures and files beside them, into the folder that Sphinx reads"
    if wrong := list(misplaced(cfg.nbs_path)): sys.exit('\n'.join(wrong))
    sections = read_sidebar(cfg.nbs_path)
    api_pages.use()
    cache = proc_nbs(n_workers=0, force=True)
    modules = {p.relative_to(cfg.nbs_path.resolve()).as_posix(): m for p, m in api_pages.modules.items()}
    targets = link_targets(cfg, {m: page for page, m in modules.items()})
    source = f'{cfg.git_url}/blob/{cfg.branch}/{cfg.nbs_path.name}'
    for page in (p for pages in sections.values() for p in pages):
        path = to/f'{page_name(page)}{Path(page).suffix}'
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == '.md':
            text = NbdevLookup().linkify((cfg.nbs_path/page).read_text(encoding='utf-8'))
            path.write_text(mend_links(text, page, cfg, targets), encoding='utf-8')
            continue
        nb = read_notebook(cache/page, modules.get(page), f'{source}/{page}')
        for cell in nb.cells:
            if cell.cell_type == 'markdown':
                cell.source = mend_links(cell.source, page, cfg, targets)
        if page_name(page) == HOME:
            nb.cells[0].source += '\n\n'+toctrees(sections)
        nbformat.write(nb, path)
    shutil.copytree(cfg.nbs_path, to, ignore=shutil.ignore_patterns(*LEAVE), dirs_exist_ok=True)
    return sum(map(len, sections.values()))

def find_browser():
    "The path of a Chromium, or None"
    return next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)

def check_search(site, browser):
    "Sentences about what the finished site does not find first, and about what it loads from elsewhere"
    wrong, loaded = [], []
    with sync_playwright() as p:
        page = p.chromium.launch(executable_path=browser, args=['--no-sandbox']).new_page()
        page.on('request', lambda request: loaded.append(request.url))
        for query, wanted in FINDS.items():
            page.goto(f'{(site/"search.html").as_uri()}?q={query}')
            page.wait_for_selector('.search-summary:not(:empty)')
            found = page.eval_on_selector_all('ul.search li a', 'links => links.map(a => a.getAttribute("href"))')
            first = found[0].partition('.html')[0] if found else 'nothing'
            if first != wanted:
                wrong.append(f'A search for {query!r} finds {first} first, not {wanted}.')
    outside = [url for url in loaded if not url.startswith(('file:', 'data:'))]
    return wrong+[f'{url} is loaded from elsewhere.' for url in outside]

def main():
    settle()
    cfg = get_config()
    start = time.time()
    work = ROOT/'_proc'
    pages = prepare(cfg, work/'pages')
    args = ['-W', '--keep-going', '-q', '-c', str(ROOT/'docs'), '-d', str(work/'doctrees')]
    failed = sphinx_build([*args, str(work/'pages'), str(work/'html')])
    if failed:
        sys.exit(failed)
    shutil.rmtree(cfg.doc_path, ignore_errors=True)
    shutil.move(work/'html', cfg.doc_path)
    browser = find_browser()
    wrong = check_search(cfg.doc_path, browser) if browser else []
    if wrong:
        sys.exit('\n'.join(wrong))
    print(f'{len(FINDS)} searches find what they should.' if browser else 'No Chromium here: the search was not tried.')
    print(f'{pages} pages in {time.time()-start:.0f} s: open {cfg.doc_path.relative_to(ROOT)}/index.html')

if __name__ == '__main__':
    main()
