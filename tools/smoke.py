"""Does an installed recnb work for those who only use it: newest fastcore, no nbdev, no source tree?

Run it with `python -I`, from any folder, in an environment where only the wheel is installed.
"""
import importlib, importlib.util, pkgutil, subprocess, sys, tempfile
from importlib.metadata import version
from pathlib import Path

def import_all():
    "Every public module, so that an import that only the dev tools bring is found; one that needs an extra names it"
    import recnb
    assert 'site-packages' in recnb.__file__, f'this is the source tree, not the installed package: {recnb.__file__}'
    names = [m.name for m in pkgutil.walk_packages(recnb.__path__, 'recnb.') if '._' not in m.name]
    for name in names:
        try: importlib.import_module(name)
        except ImportError as e:
            if "pip install 'recnb[" not in str(e): raise
    return names

def demo(folder):
    "The whole way on the toy data: read, split, train, recommend"
    cmd = [Path(sys.executable).with_name('recnb'), 'demo', '--data', 'toy']
    subprocess.run(cmd, cwd=folder, check=True, stdin=subprocess.DEVNULL)

def main():
    assert importlib.util.find_spec('nbdev') is None, 'nbdev is here: this is not what `pip install recnb` brings'
    fastcore = version('fastcore')
    assert int(fastcore.split('.')[0]) >= 2, f'fastcore {fastcore} is older than what `pip install recnb` brings'
    print('imported', *import_all())
    with tempfile.TemporaryDirectory() as d: demo(d)
    print(f'recnb {version("recnb")} works with fastai {version("fastai")} and fastcore {fastcore}')

if __name__ == '__main__': main()
