"""The notebooks' workshop.

    python tools/nb.py lint              is the code plain, are the pages readable? (tools/lint.py)
    python tools/nb.py check             are notebooks, modules and README in step?
    python tools/nb.py test [paths]      run the notebooks as tests
    python tools/nb.py check test        both, with one closing count
    python tools/nb.py readme            README.md from nbs/index.ipynb
    python tools/nb.py run paths         execute with a real kernel and store the outputs

`--slow` adds the cells marked `#| slow`. `run --only ID` adds the one marked cell of this id, and other marked cells
keep their outputs: for a new cell on a page whose others take an hour, and which does without their names.
Paths are notebooks or folders; none means all of nbs/.
"""
import argparse, os, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = 'lint check test readme run'.split()

def parse():
    "The commands asked for, the notebooks they are about, and the options"
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('words', nargs='*', metavar='command or path')
    p.add_argument('--slow', action='store_true', help='also the cells marked `#| slow`')
    p.add_argument(
        '--only', action='append', default=[], metavar='ID', help='also this one marked cell; may be repeated'
    )
    p.add_argument(
        '--flags', default='', help='other marks (tst_flags in settings.ini) whose cells are wanted, e.g. cuda'
    )
    args = p.parse_intermixed_args()
    cmds = [w for w in args.words if w in COMMANDS]
    if not cmds: p.error(f'say what to do: {", ".join(COMMANDS)}')
    flags = args.flags.split() + ['slow']*args.slow
    return cmds, notebooks([w for w in args.words if w not in COMMANDS]), flags, args.only

def notebooks(paths):
    "Every notebook in `paths`; names with a leading `_` or `.` are drafts and checkpoints"
    def _shown(p): return not any(o[0] in '_.' for o in p.relative_to(ROOT).parts)
    found = []
    for p in [Path(o).resolve() for o in paths] or [ROOT/'nbs']:
        if not p.exists(): sys.exit(f'There is no {p}.')
        if not p.is_relative_to(ROOT): sys.exit(f'{p} is not in this project.')
        found += [p] if p.is_file() else filter(_shown, sorted(p.rglob('*.ipynb')))
    return list(dict.fromkeys(found))

def settle():
    "Work from the project's folder, with its own modules first on the path"
    if d := os.environ.get('RECNB_DATA'):
        os.environ['RECNB_DATA'] = str(Path(d).resolve())  # notebooks run in their own folder
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    os.environ.setdefault('GOMP_SPINCOUNT', '10000')  # threads that wait soon leave their core to others
    os.environ.pop('IN_TEST', None)  # nbdev exports nothing where it is set
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))

def main():
    cmds, nbs, flags, only = parse()
    settle()
    if 'run' in cmds:
        from outputs import store
        for nb in nbs: store(nb, ROOT, flags, only)
    if 'readme' in cmds:
        from readme import write_readme
        write_readme(ROOT)
    counted = []
    if 'lint' in cmds:
        from lint import count
        counted += count()
    if 'check' in cmds:
        from in_step import check
        counted += check(ROOT)
    if 'test' in cmds:
        from run_tests import test
        counted += test(nbs, ROOT, flags)
    if counted:
        print(f'{sum(counted)} passed, {len(counted)-sum(counted)} failed')
    sys.exit(not all(counted))

if __name__ == '__main__': main()
