"""From a processed notebook to the HTML of a page: formulas, anchors, links, tables, pictures."""
import re
from functools import cache
from os.path import normpath, relpath
from pathlib import Path

import nbformat, yaml
from bs4 import BeautifulSoup
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from readme import apply_quarto

HEADING = re.compile('^h[1-6]$')
NUMBER = re.compile(r'[-+−]?[\d,.\s]*\d%?(e[-+]\d+)?|nan|NaN|None|-|–|', re.I)

class Renderer(IPythonRenderer):
    "Formulas become MathML, which browsers show with nothing to load"
    def inline_math(self, body): return convert(body)
    def block_math(self, body): return convert(body, display='block')

def to_html(md): return MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(md)

class Exporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context, source): return to_html(source)

@cache
def exporter():
    "One for all pages, since its templates take a while to compile"
    return Exporter(template_name='basic', exclude_input_prompt=True, exclude_output_prompt=True,
                    preprocessors=['nbconvert.preprocessors.ExtractOutputPreprocessor'])

def read_page(path, folder):
    "The notebook at `path`, processed by nbdev, as a page: its place, title and body, and its pictures by name"
    nb, rel = nbformat.read(path, as_version=4), path.relative_to(folder)
    fm = yaml.safe_load(nb.cells[0].source.strip().strip('-'))
    nb.cells = [c for c in map(apply_quarto, nb.cells[1:]) if c and not c.source.startswith('<!-- WARNING')]
    nb.metadata = nbformat.from_dict({'language_info': {'name': 'python'}})
    out = rel.with_name(fm['output-file'])
    body, res = exporter().from_notebook_node(nb, {'unique_key': out.stem, 'output_files_dir': f'{out.stem}_files'})
    return dict(nb=rel.as_posix(), out=out.as_posix(), title=fm['title'], about=fm.get('description', ''), soup=BeautifulSoup(body, 'html.parser'),
                images={(out.parent/k).as_posix(): v for k,v in res['outputs'].items()})

def headings(soup): return soup.find_all(HEADING)

def is_api(h): return h.find_parent(class_='celltag_api') is not None

def slug(text):
    "A heading's anchor, by the rule of Pandoc and so of Quarto"
    return re.sub(r'\s+', '-', re.sub(r'[^\w\s.-]', '', re.sub(r'^[\W\d_]+', '', text.strip().lower()))) or 'section'

def set_anchors(page, wanted):
    "An anchor for each heading, names first; methods that come with their class, without a heading, lead to the class"
    taken, soup = set(), page['soup']
    for h in sorted(headings(soup), key=lambda o: not is_api(o)):
        base = slug(h.get_text())
        h['id'] = next(o for o in (base, *(f'{base}-{i}' for i in range(1, 99))) if o not in taken)
        taken.add(h['id'])
    for i in sorted(wanted - taken):
        if h := soup.find(HEADING, id=i.rpartition('.')[0]): h.insert_before(soup.new_tag('span', id=i))

def local_link(href, page, places, site):
    "A link to a notebook, or to the published site, as a link within this one"
    at, _, frag = href.partition('#')
    if at.startswith(site): at = at[len(site):]
    elif at.endswith('.ipynb') and '://' not in at: at = places.get(normpath(Path(page['nb']).parent/at), at)
    else: return href
    return ('' if at == page['out'] else relpath(at, Path(page['out']).parent)) + (f'#{frag}' if frag else '')

def mend_links(page, places, site):
    for a in page['soup'].find_all('a', href=True): a['href'] = local_link(a['href'], page, places, site) or '#'

def align_numbers(table):
    "Columns of numbers to the right, names and text to the left"
    rows = [[c for c in r.find_all(['td', 'th'])] for r in table.find_all('tr')]
    head, body = [r for r in rows if r[0].find_parent('thead')], [r for r in rows if not r[0].find_parent('thead')]
    for i,cells in enumerate(zip(*body)):
        if not all(NUMBER.fullmatch(c.get_text().strip()) for c in cells): continue
        for c in (*cells, *(r[i] for r in head if len(r) == len(cells[0].parent.find_all(['td', 'th'])))): c['class'] = 'number'

def dress(page):
    "Tables that scroll instead of styles of their own, pictures with a description, headings with a link to themselves"
    soup = page['soup']
    for o in soup.find_all('style', scoped=True): o.decompose()
    for o in soup.select('[id^="cell-id="]'): del o['id'] # made up anew with each build
    for o in soup.select('.output_html table'): align_numbers(o)
    for o in soup.find_all('table'):
        for k in ('border', 'class', 'style'): o.attrs.pop(k, None)
        o.wrap(soup.new_tag('div', attrs={'class': 'table'}))
    for o in soup.find_all('img'):
        h = o.find_previous(HEADING)
        if o.get('alt', '').startswith('No description'): o['alt'] = f'Figure: {h.get_text() if h else page["title"]}'
        o['loading'] = 'lazy'
    for h in headings(soup):
        h.append(a := soup.new_tag('a', href=f'#{h["id"]}', attrs={'class': 'anchor', 'aria-label': 'Link to this section'}))
        a.string = '#'

def sections(page):
    "(level, anchor, heading, is it a name?, words) of each part of a page, the part before the first heading included"
    found = [[1, '', page['title'], False, [page['about']]]]
    for o in page['soup'].find_all([HEADING, 'p', 'li', 'td', 'pre']):
        if HEADING.match(o.name): found.append([int(o.name[1]), o['id'], o.get_text().strip(), is_api(o), []])
        elif not o.find_parent(['p', 'li', 'td', 'pre']): found[-1][-1].append(o.get_text())
    return [(*o, ' '.join(' '.join(words).split())) for *o,words in found]
