"""README.md from nbs/index.ipynb, with nbdev's own processors and nbconvert."""
import re, shutil
from importlib.metadata import entry_points
from pathlib import Path

from execnb.nbio import mk_cell, nb2dict
from bs4 import BeautifulSoup
from nbconvert import MarkdownExporter
from nbdev.config import get_config
from nbdev.doclinks import nbglob, _nbpath2html
from nbdev.process import NBProcessor, extract_directives
from nbdev.processors import FilterDefaults, exec_show_docs
import nbformat

IMAGES = 'README_files'

class ReadmeProcs(FilterDefaults):
    "What nbdev does to a page, except running its cells: a README shows no API docs"
    def base_procs(self): return [o for o in super().base_procs() if o is not exec_show_docs]

def title_cell(fm):
    "The first cell, which nbdev has made frontmatter, as a heading and its subtitle again"
    subtitle = f'\n\n> {fm["description"]}' if 'description' in fm else ''
    return mk_cell(f'# {fm["title"]}{subtitle}', 'markdown')

def apply_options(cell):
    "A cell's own options: `include`, `echo` and `output`"
    if cell.cell_type != 'code': return cell
    off = {k.rstrip(':') for k,v in extract_directives(cell).items() if v[:1] == ['false']}
    cell.source = re.sub(r'^#\|.*\n?', '', cell.source, flags=re.M)
    if 'output' in off: cell.outputs = []
    if 'include' in off or ('echo' in off and not cell.outputs): return
    if 'echo' in off: cell.metadata['transient'] = {'remove_source': True}
    return cell

def markdown_table(html):
    "A DataFrame's html table as a markdown one, which every viewer shows"
    rows = [[c.get_text(' ', strip=True) for c in row.find_all(['th', 'td'])] for row in html.find_all('tr')]
    width = max(map(len, rows))
    rows = [[''] * (width - len(row)) + row for row in rows]
    lines = ['| ' + ' | '.join(cell.replace('|', '\\|') for cell in row) + ' |' for row in rows]
    return '\n'.join([lines[0], '|' + '---|' * width, *lines[1:]])

def plain_output(output):
    "A table in markdown, and no style sheets, which GitHub would show as text"
    data = output.get('data', {})
    if 'text/html' not in data: return
    html = BeautifulSoup(''.join(data.pop('text/html')), 'html.parser')
    for style in html.find_all('style'): style.decompose()
    tables = html.find_all('table')
    about = [p.get_text(' ', strip=True) for p in html.find_all('p')]
    parts = [*about, *map(markdown_table, tables)] or [html.get_text(' ', strip=True)]
    data['text/markdown'] = '\n\n'.join(parts)

def page(path):
    "The notebook as a reader should see it, in nbformat's terms"
    p = NBProcessor(path, procs=ReadmeProcs().procs(), process=True)
    nb, fm = p.nb, p.nb.frontmatter_
    cells = [title_cell(fm)] + [apply_options(c) for c in nb.cells if c.cell_type != 'raw']
    nb.cells = [c for c in cells if c]
    for output in (output for c in nb.cells for output in c.get('outputs', [])): plain_output(output)
    nb = nbformat.from_dict(nb2dict(nb))
    nb.metadata = {'language_info': {'name': 'python'}}  # without it the fences lose their language
    return nbformat.reads(nbformat.writes(nb), as_version=4)

def mend_links(md, cfg):
    "Links between pages lead to the notebooks, which GitHub renders: also in a fork, and before a site is up"
    nbs = cfg.nbs_path
    pages = {
        str(_nbpath2html(p.relative_to(nbs)).as_posix()): p.relative_to(nbs.parent).as_posix()
        for p in nbglob(nbs, as_path=True)
    }
    site = re.escape(cfg.doc_host + cfg.doc_baseurl) + r'/([\w/.-]+\.html)(?:#[\w.]*)?'
    md = re.sub(site, lambda m: pages.get(m[1], m[0]), md)
    return re.sub(r'\]\((?!\w+:|/|#|nbs/)([\w./-]+\.(?:ipynb|md)|images/[\w.-]+)', rf']({nbs.name}/\1', md)

def render(path, cfg):
    "The README's text, and its pictures by name"
    exporter = MarkdownExporter(exclude_input_prompt=True, exclude_output_prompt=True)
    md, res = exporter.from_notebook_node(page(path), {'unique_key': 'index', 'output_files_dir': IMAGES})
    md = re.sub(r'[ \t]+$', '', mend_links(md, cfg), flags=re.M)
    return re.sub(r'\n{3,}', '\n\n', md).strip()+'\n', res['outputs']

def write_readme(root):
    "Write README.md beside settings.ini, and its pictures into README_files/"
    if not any(point.name == 'recnb' for point in entry_points(group='nbdev')):
        raise SystemExit(
            'README.md is full of links to names, found through the installed package: pip install -e . first.'
        )
    root, cfg = Path(root), get_config()
    source = cfg.nbs_path/cfg.readme_nb
    if not source.exists(): return
    md, images = render(source, cfg)
    shutil.rmtree(root/IMAGES, ignore_errors=True)
    if images: (root/IMAGES).mkdir()
    for name,data in images.items(): (root/name).write_bytes(data)
    (root/'README.md').write_text(md, encoding='utf-8')
