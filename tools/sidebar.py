"""Every page in its place: in nbs/sidebar.yml once, in the map of the home page, and under a number of its own."""
from collections import Counter
from pathlib import Path

import yaml

PAGES = '.ipynb', '.md'
HOME = 'index.ipynb'

def read_sidebar(nbs):
    "The pages of each section"
    return yaml.safe_load((nbs/'sidebar.yml').read_text(encoding='utf-8'))

def find_pages(nbs):
    "Every page under `nbs`; names with a leading `_` or `.` are drafts and checkpoints"
    paths = [p.relative_to(nbs) for p in nbs.rglob('*') if p.suffix in PAGES]
    return {p.as_posix() for p in paths if not any(part[0] in '_.' for part in p.parts)}

def misplaced(nbs):
    "Sentences about pages that are missing, listed twice, or share a number"
    listed = Counter(page for pages in read_sidebar(nbs).values() for page in pages)
    found = find_pages(nbs)
    home = (nbs/HOME).read_text(encoding='utf-8')
    for page in sorted(found - set(listed)): yield f'nbs/sidebar.yml: {page} is missing.'
    for page in sorted(set(listed) - found): yield f'nbs/sidebar.yml: there is no {page}.'
    for page,times in listed.items():
        if times > 1: yield f'nbs/sidebar.yml: {page} stands there {times} times.'
        if page != HOME and f'({page})' not in home: yield f'nbs/{HOME}: {page} is missing in the map.'
    numbers = Counter(page[:2] for page in found if page[:2].isdigit() and '/' not in page)
    for number,pages in sorted(numbers.items()):
        if pages > 1: yield f'nbs: {pages} pages share the number {number}.'
