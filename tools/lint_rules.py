"""What `tools/lint.py` looks for: limits, words, and the exceptions with their reasons."""

WIDTH = 120  # columns of code
EXPORT_CHARACTERS, EXPORT_LINES = 1_550, 50  # of an exported cell without its documented parameters; aim at 1,000
EXAMPLE_LINES = 25  # of any other code cell; aim at what fits one glance
PAGE_CELLS = 65  # a longer page is two pages
CELLS_WITHOUT_PROSE = 4  # exported cells with public definitions in a row
CONDITIONS = 5  # joined by `and` or `or` in one expression

# Identifiers that riddle: name -> what to write instead.
NAMES = {
    'said': 'what it holds: message, text, settings, config, predicted ...',
    'asked': 'queries or targets',
    'asks': 'query',
    'gone': 'missing, skipped or seen',
    'told': 'settings',
    'again': 'reloaded or repeat',
    'elsewhere': 'what it does',
    'settled': 'resolve_folder',
    'strangers': 'new_users (cold start)',
    'stranger': 'new_user (cold start)',
    'somebody': 'user',
    'nobody': 'unused_id or unknown',
    'described': 'config',
    'know_content': 'add_content',
    'only_tables': 'freeze_content',
    'Desk': 'ServedModel',
    'Refusal': 'RequestError',
    'Worked': 'FrozenContentEmbedding',
}

# Phrases in prose, docstrings and comments: a regular expression -> what to write instead.
PHRASES = {
    r'\bstrangers?\b': 'new user, cold-start user',
    r'\bsomebody\b': 'a user, or who acts',
    r'\btaken in\b': 'added, folded in',
    r'\bmade again\b': 'rebuilt',
    r'\bwritten down\b': 'saved, as a config',
    r'\bgoes? on with\b': 'resumes',
    r'\bgo(es)? on where\b': 'resumes',
    r'\bcan not\b': 'cannot',
}

# Pages that may be longer, and why.
LONG_PAGES = {}  # by path: more cells than PAGE_CELLS, each with the reason why the page is not two

# Parameters that need no comment of their own, as the base class or fastai documents them.
KNOWN_PARAMS = {'self', 'cls', 'args', 'kwargs', 'learn', 'device', 'x'}

# Functions that return nothing to see: a cell that ends in another call, or in a value, has a stored output
WITHOUT_VALUE = (
    r'(test|check|assert|set)_\w*|cleanup|filterwarnings|join|rc|rmtree|same_table|simplefilter|to_parquet|touch'
    '|unfreeze|unlink|visit|write'
)
