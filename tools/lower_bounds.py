"""The oldest versions that settings.ini allows, one a line, for `pip-audit -r`.

    python tools/lower_bounds.py > oldest.txt
"""
import configparser, re
from pathlib import Path

EXTRAS = ('requirements', 'large_requirements', 'text_requirements', 'faiss_requirements', 'serve_requirements',
    'workers_requirements', 'hub_requirements', 'onnx_requirements')

def lower_bounds(settings):
    "`name==version` of each requirement with a lower bound, in the order of the file"
    words = ' '.join(settings[key] for key in EXTRAS).split()
    bounds = (re.fullmatch(r'([\w-]+)>=([\d.]+)', word) for word in words)
    return list(dict.fromkeys(f'{bound[1]}=={bound[2]}' for bound in bounds if bound))

if __name__ == '__main__':
    config = configparser.ConfigParser()
    config.read(Path(__file__).resolve().parent.parent/'settings.ini')
    print('\n'.join(lower_bounds(config['DEFAULT'])))
