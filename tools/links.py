"""Does every link, anchor and picture of a site lead somewhere?"""
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

USES = dict(a='href', link='href', img='src', script='src', iframe='src', source='src')

def read_links(path):
    "(anchors, [(tag, link)]) of one page"
    soup = BeautifulSoup(path.read_text(encoding='utf-8'), 'html.parser')
    return {o['id'] for o in soup.find_all(id=True)}, [(o.name, o[USES[o.name]]) for o in soup.find_all(list(USES)) if o.get(USES[o.name]) is not None]

def problem(tag, link, page, site, anchors):
    "What is wrong with a link, or None; an address outside the site is taken at its word, but nothing may be loaded from there"
    url = urlsplit(link)
    if url.scheme == 'data': return
    if url.scheme or url.netloc: return None if tag == 'a' else 'is loaded from outside'
    to = normpath(join(dirname(page), unquote(url.path))) if url.path else page
    if not (site/to).is_file(): return 'leads to nothing'
    if url.fragment and to in anchors and unquote(url.fragment) not in anchors[to]: return 'leads to a page without that anchor'

def check(site):
    "Sentences about what is broken, and how many (pages, links) were looked at"
    site = Path(site)
    pages = {p.relative_to(site).as_posix(): read_links(p) for p in sorted(site.rglob('*.html'))}
    anchors = {k: ids for k,(ids,_) in pages.items()}
    found = [(page, tag, link) for page,(_,ls) in pages.items() for tag,link in ls]
    bad = [f'{page}: {link} {why}.' for page,tag,link in found if (why := problem(tag, link, page, site, anchors))]
    return list(dict.fromkeys(bad)), (len(pages), len(found))
