"""Builds the package from settings.ini: edit the settings there, not here."""
import shlex
from configparser import ConfigParser
from pathlib import Path

import setuptools

config = ConfigParser(delimiters=['='])
config.read('settings.ini', encoding='utf-8')
cfg = config['DEFAULT']

cfg_keys = 'version description keywords author author_email'.split()
expected = cfg_keys + 'lib_name user branch license status min_python audience language'.split()
for o in expected: assert o in cfg, f'missing expected setting: {o}'

licenses = {'apache2': 'Apache-2.0'}
statuses = ['0 - Pre-Planning', '1 - Planning', '2 - Pre-Alpha', '3 - Alpha',
            '4 - Beta', '5 - Production/Stable', '6 - Mature', '7 - Inactive']
py_versions = '3.10 3.11 3.12 3.13'.split()
lib_path, min_python = cfg['lib_path'], cfg['min_python']
readme = Path('README.md')  # exported like the package itself, so the very first install comes before both

setuptools.setup(
    name=cfg['lib_name'],
    license=licenses[cfg['license'].lower()],
    classifiers=[
        'Development Status :: ' + statuses[int(cfg['status'])],
        'Intended Audience :: ' + cfg['audience'].title(),
        'Natural Language :: ' + cfg['language'].title(),
    ] + ['Programming Language :: Python :: ' + o for o in py_versions[py_versions.index(min_python):]],
    url=cfg['git_url'],
    project_urls={'Documentation': cfg['doc_host'] + cfg.get('doc_baseurl', '')},
    # `static` holds the page's html, css and js and no module, so it is a namespace package to setuptools
    packages=setuptools.find_namespace_packages(include=[lib_path, f'{lib_path}.*'], exclude=['*.__pycache__']) or [lib_path],
    include_package_data=True,
    install_requires=shlex.split(cfg.get('requirements', '')),
    extras_require={o.removesuffix('_requirements'): shlex.split(cfg[o]) for o in cfg if o.endswith('_requirements')},
    python_requires='>=' + min_python,
    long_description=readme.read_text(encoding='utf-8') if readme.exists() else cfg['description'],
    long_description_content_type='text/markdown',
    zip_safe=False,
    entry_points={
        'console_scripts': cfg.get('console_scripts', '').split(),
        # how nbdev finds the index that turns `names in backticks` into links
        'nbdev': [f'{lib_path}={lib_path}._modidx:d'],
    },
    **{o: cfg[o] for o in cfg_keys})
