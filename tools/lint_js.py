"""Check the page's html, css and js (recnb/static) with Biome, where Node is there.

    python tools/lint_js.py [--write]

`--write` mends what can be mended. Biome's version and rules stand in biome.json. It comes from npm the first time;
where it cannot be had, a line says that the check was left out, and nothing fails.
"""
import os, re, shutil, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUIET = {'npm_config_fetch_retries': '0', 'npm_config_fetch_timeout': '20000', 'npm_config_update_notifier': 'false'}

def biome():
    "The command that runs Biome, or None and why there is none"
    npx = shutil.which('npx')
    if npx is None: return None, 'there is no npx here'
    version = re.search(r'/schemas/([\d.]+)/', (ROOT/'biome.json').read_text(encoding='utf-8'))[1]
    cmd = [npx, '--yes', '--prefer-offline', f'@biomejs/biome@{version}']
    env = {**os.environ, **QUIET}
    quiet = dict(capture_output=True, stdin=subprocess.DEVNULL)
    try: tried = subprocess.run([*cmd, '--version'], env=env, timeout=120, **quiet)
    except subprocess.TimeoutExpired: return None, f'npm did not bring Biome {version} within two minutes'
    return (cmd, '') if tried.returncode == 0 else (None, f'npm cannot bring Biome {version}')

def lint(args=()):
    "Whether the files are in order, or could not be checked"
    cmd, why = biome()
    if cmd is None:
        print(f'note: the page\'s html, css and js are not checked, as {why}')
        return True
    done = subprocess.run([*cmd, 'check', *args], cwd=ROOT, env={**os.environ, **QUIET}, stdin=subprocess.DEVNULL)
    return done.returncode == 0

if __name__ == '__main__': sys.exit(not lint(sys.argv[1:]))
