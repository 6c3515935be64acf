"""Does an installed recnb work for somebody who only uses it: newest fastcore, no nbdev, no source tree?

Run it with `python -I`, from any folder, in an environment where only the wheel is installed.
"""
import importlib, importlib.util, pkgutil, subprocess, sys, tempfile
from importlib.metadata import version
from pathlib import Path

def import_all():
    "Every public module, which also finds an import that only the dev tools bring; one that needs an extra has to say which"
    import recnb
    assert 'site-packages' in recnb.__file__, f'this is the source tree, not the installed package: {recnb.__file__}'
    names = [m.name for m in pkgutil.walk_packages(recnb.__path__, 'recnb.') if '._' not in m.name]
    for o in names:
        try: importlib.import_module(o)
        except ImportError as e:
            if "pip install 'recnb[" not in str(e): raise
    return names

def demo(folder):
    "The whole way on the toy data: read, split, train, recommend"
    cmd = [Path(sys.executable).with_name('recnb'), 'demo', '--data', 'toy']
    subprocess.run(cmd, cwd=folder, check=True, stdin=subprocess.DEVNULL)

def main():
    assert importlib.util.find_spec('nbdev') is None, 'nbdev is here: this is not what `pip install recnb` brings'
    assert (
        int(version('fastcore').split('.')[0]) >= 2
    ), f'fastcore {version("fastcore")} is older than what `pip install recnb` brings'
    print('imported', *import_all())
    with tempfile.TemporaryDirectory() as d: demo(d)
    print(f'recnb {version("recnb")} works with fastai {version("fastai")} and fastcore {version("fastcore")}')

if __name__ == '__main__': main()
