"""How Sphinx makes the site from the pages that tools/docs.py prepares."""
import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from nbdev.config import get_config
from sphinx import addnodes

sys.path.insert(0, str(Path(__file__).parent.parent/'tools'))
from api_pages import source_link

cfg = get_config()
project, author, copyright, release = cfg.title, cfg.author, cfg.copyright, cfg.version
extensions = ['myst_nb', 'sphinx.ext.linkcode']
nitpicky = True

# notebooks: stored outputs are shown, nothing is executed
nb_execution_mode = 'off'
nb_merge_streams = True
myst_enable_extensions = ['colon_fence', 'dollarmath', 'html_image']
myst_heading_anchors = 4

# looks; nothing is loaded from another host
html_theme = 'furo'
html_title = f'{cfg.title} {cfg.version}'
html_static_path = ['static']
html_css_files = ['site.css']
html_math_renderer = 'mathml'
html_copy_source = False
html_baseurl = f'{cfg.doc_host}{cfg.doc_baseurl}/'
html_theme_options = dict(
    light_css_variables={'font-stack--monospace': 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace'},
    footer_icons=[dict(name='GitHub', url=cfg.git_url, html='GitHub', **{'class': ''})],
)
pygments_style, pygments_dark_style = 'tango', 'github-dark'
html_search_scorer = str(Path(__file__).parent/'scorer.js')
toc_object_entries_show_parents = 'hide'
add_module_names = False

def linkcode_resolve(domain, info):
    "Where a documented name is defined in the repository"
    return source_link(info['module'], info['fullname'])

def show_math(self, node):
    "A formula as MathML, which browsers show with nothing to load"
    display = 'block' if isinstance(node, nodes.math_block) else 'inline'
    self.body.append(convert(node.astext(), display=display))
    raise nodes.SkipNode

def search_prose(app, doctree):
    "Code and outputs are left out of the search index; names stay in it as names"
    for node in doctree.findall(nodes.literal_block):
        node['classes'].append('no-search')
    for node in doctree.findall(nodes.container):
        if 'cell_output' in node['classes']:
            node['classes'].append('no-search')

def glossary_terms(text):
    "The terms of the glossary, by the page that their entry links to first"
    terms = {}
    block = re.search(r'^:::\{glossary\}\n(.*?)^:::', text, re.M | re.S)[1]
    for names, entry in re.findall(r'((?:^\S.*\n)+)((?:^ +.*\n)+)', block, re.M):
        page = re.search(r'\]\(([\w/]+)\.', entry)[1]
        terms.setdefault(page, []).extend(names.splitlines())
    return terms

def index_terms(app, doctree):
    "A page is found under the glossary's terms that lead to it"
    terms = glossary_terms((Path(app.srcdir)/'glossary.md').read_text(encoding='utf-8'))
    entries = [('single', term, '', 'main', None) for term in terms.get(app.env.docname, ())]
    doctree.append(addnodes.index(entries=entries))

def setup(app):
    app.add_html_math_renderer('mathml', (show_math, None), (show_math, None))
    app.connect('doctree-read', search_prose)
    app.connect('doctree-read', index_terms)
