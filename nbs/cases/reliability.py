"""The mistakes of the page on reliability: what is wrong, how it is made, and the words that its answer must hold.

One function a table. Each returns rows `(what is wrong, what makes it ..., words)`.
"""
import gzip, hashlib, io, json, os, pickle, resource, shutil, signal, socket, stat, struct, sys, time, zipfile
from itertools import count
from pathlib import Path

import numpy as np, pandas as pd, torch
import pyarrow as pa, pyarrow.parquet as pq
from safetensors.torch import load_file, save_file
from recnb.testing import temp_folder

HEAD, ROW = 'user_id,item_id,rating,timestamp\n', '1,2,3,4'
here, numbers = temp_folder(), count()

# --- files

def file(name, content):
    "A file with text, bytes, a table, or (for a zip) a dict of files"
    path = here/str(next(numbers))/name
    path.parent.mkdir()
    if isinstance(content, pd.DataFrame): content.to_parquet(path)
    elif isinstance(content, dict):
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
            for k,v in content.items(): z.writestr(k, v)
    else: path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path

def folder(name, files):
    "A folder with files; those that are None are left out"
    path = here/str(next(numbers))/name
    path.mkdir(parents=True)
    for k,v in files.items():
        if v is not None: (path/k).write_text(v)
    return path

def csv(*lines, head=HEAD): return file('my.csv', head + '\n'.join(lines))

def text_files():
    "Text: line 1 is the header and line 2 is right, so the mistake is in line 3"
    return [
        ('nothing in it', csv(head=''), {}, 'the file is empty'),
        ('blank lines', csv(head='\n\n\n'), {}, 'the file is empty'),
        ('a header, and no rows', csv(), {}, 'no rating in it'),
        ('a row cut short', csv(ROW, '1,2'), {}, 'line 3: found 2 fields where 4'),
        ('a field too many', csv(ROW, ROW + ',5'), {}, 'line 3: found 5 fields'),
        ('an open quotation', csv(ROW, '1,"2,3,4', ROW), {}, 'line 3'),
        ('a column is missing', csv('1,2', head='user_id,rating\n'), {}, "no column 'item_id'"),
        ('other names', csv('1,2,3', head='who,what,stars\n'), {}, "there are 'who', 'what', 'stars'"),
        ('a name twice', csv(ROW, head='user_id,item_id,rating,rating\n'), {}, "two columns are called 'rating'"),
        ('the wrong separator', csv('1;2;3', head='user_id;item_id;rating\n'), dict(sep=','), "say sep=';'"),
        ('two separators in one file', csv(ROW, '1;2;3;4'), {}, "the separator looks like ';'"),
        ('no separator at all', csv(ROW), dict(sep='ab'), 'use one character'),
        ('no user', csv(ROW, ',2,3,4'), {}, "line 3, column 'user_id': '' is empty"),
        ('NaN for a user', csv(ROW, 'NaN,2,3,4'), {}, "line 3, column 'user_id': 'NaN'"),
        ('half a user', csv(ROW, '1.5,2,3,4'), {}, '1.5 is not a whole number'),
        ('a negative user', csv(ROW, '-1,2,3,4'), {}, '-1 is negative'),
        ('endless users', csv(ROW, 'inf,2,3,4'), {}, "line 3, column 'user_id': 'inf'"),
        ('a rating in words', csv(ROW, '1,2,good,4'), {}, "line 3, column 'rating': 'good'"),
        ('no rating', csv(ROW, '1,2,,4'), {}, 'every row needs a rating'),
        ('NaN for a rating', csv(ROW, '1,2,nan,4'), {}, "line 3, column 'rating'"),
        ('an infinite rating', csv(ROW, '1,2,inf,4'), {}, 'not a finite number'),
        ('a rating too large for a float', csv(ROW, '1,2,1e39,4'), {}, 'not a finite number'),
        ('off the scale', csv(ROW, '1,2,9,4'), dict(scale=(1, 5)), '9.0 lies outside the scale 1 to 5'),
        ('a time in words', csv(ROW, '1,2,3,soon'), {}, "line 3, column 'timestamp': 'soon'"),
        ('the 45th of the 13th', csv('1,2,3,2005-01-01', '1,2,3,2005-13-45'), {}, "line 3, column 'timestamp'"),
        ('milliseconds', csv(ROW, '1,2,3,1126000000000'), {}, 'divide them by 1000'),
        ('the end of time', csv(ROW, '1,2,3,9223372036854775807'), {}, 'is not a time in seconds'),
        ('the same again', csv(ROW, ROW), dict(duplicates='error'), 'was rated before by user 1'),
        ('a policy nobody knows', csv(ROW), dict(duplicates='newest'), 'is not one of keep'),
        ('a column to keep that is not there', csv(ROW), dict(keep=['fold']), "no column 'fold'"),
        ('a scale upside down', csv(ROW), dict(scale=(5, 1)), 'such as (1, 5)'),
        ('a scale of one number', csv(ROW), dict(scale=5), 'such as (1, 5)'),
        (
            'Latin letters',
            file('my.csv', HEAD.encode() + b'1,caf\xe9,3,4\n'),
            {},
            "line 2: the byte b'\\xe9' is not utf-8; try encoding='latin-1'",
        ),
        ('NUL bytes', csv(ROW, '1,\0\0,3,4'), {}, "line 3, column 'item_id'"),
        ('no text at all', file('my.csv', bytes(range(256)) * 10), {}, 'NUL bytes'),
        ('an encoding nobody knows', csv(ROW), dict(encoding='utf-9'), "no encoding 'utf-9'"),
        ('a line without end', file('my.csv', '1' * (10**7 + 1)), {}, 'line 1: it is longer than'),
    ]

def packed_files():
    "What is packed, in parquet, or no file"
    t = pd.DataFrame({'user_id': [1, 2], 'item_id': [3, 4], 'rating': [5.0, 3.0]})
    good, packed = file('t.parquet', t).read_bytes(), file('my.zip', {'my.csv': HEAD + ROW}).read_bytes()
    gz = gzip.compress((HEAD + f'{ROW}\n' * 100).encode())
    pipe, loop, closed = here / 'pipe.csv', here / 'loop.csv', csv(ROW)
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    closed.chmod(0)  # nothing is closed to root, so this case is left out there
    return [
        ('a zip cut short', file('my.zip', packed[:-30]), {}, 'damaged or cut short'),
        ('two files in a zip', file('two.zip', {'a.csv': HEAD, 'b.csv': HEAD}), {}, 'holds 2 files'),
        ('nothing in a zip', file('none.zip', {}), {}, 'holds 0 files'),
        ('a zip that swells', file('big.zip', {'a.csv': b'1' * 2**25}), {}, 'announces 34 MB in 0.0 MB'),
        ('a name that leads out', file('out.zip', {'../../out.csv': 'x\n1\n'}), {}, "no column 'user_id'"),
        ('a gz cut short', file('my.csv.gz', gz[:-20]), {}, 'damaged or cut short'),
        ('no parquet', file('my.parquet', HEAD + ROW), {}, 'not a parquet or feather file'),
        ('an empty parquet', file('my.parquet', b''), {}, 'not a parquet or feather file'),
        ('parquet without its end', file('my.parquet', good[:-8]), {}, 'not a parquet or feather file'),
        ('parquet with other bytes in it', file('my.parquet', good[:4] + b'\xff' * 40 + good[44:]), {}, 'damaged'),
        ('lists for items', file('my.parquet', t.assign(item_id=[[1], [2]])), {}, "column 'item_id' holds list"),
        (
            'bytes for items',
            file('my.parquet', t.assign(item_id=[b'a', b'\xff'])),
            {},
            "column 'item_id' holds binary",
        ),
        (
            'dates for ratings',
            file('my.parquet', t.assign(rating=pd.to_datetime(['2020-01-01'] * 2))),
            {},
            "column 'rating'",
        ),
        ('no items', file('my.parquet', t.assign(item_id=[None, None])), {}, "column 'item_id': '' is empty"),
        ('no rows', file('my.parquet', t[:0]), {}, 'no rating in it'),
        (
            'a table with a name twice',
            t.set_axis(['user_id', 'rating', 'rating'], axis=1),
            dict(item='user_id'),
            "two columns are called 'rating'",
        ),
        ('a folder called csv', folder('my.csv', {}), {}, 'is a folder'),
        ('no such file', here / 'none.csv', {}, 'there is no such file'),
        ('a name without end', here / ('x' * 5000 + '.csv'), {}, 'cannot be read'),
        ('a pipe', pipe, {}, 'is a pipe or a device'),
        ('a link to itself', loop, {}, 'loop.csv'),
        ('a table of a spreadsheet', file('my.xlsx', b'PK\3\4\0\0'), {}, 'my.xlsx'),
        ('a name nearly right', 'ml-1mm', {}, "did you mean 'ml-1m'"),
        *([('closed to us', closed, {}, 'cannot be read')] if os.geteuid() else []),
    ]

ML_100K = {
    'u.data': '1\t1\t3\t5\n2\t2\t4\t6\n',
    'u.item': '1|A (1990)|01-Jan-1990||x|0|1\n2|B (1991)|01-Jan-1991||x|1|0\n',
    'u.user': '1|24|M|student|1\n2|30|F|other|2\n',
    'u.genre': 'unknown|0\nAction|1\n',
}
ML_1M = {
    'ratings.dat': '1::1::3::5\n2::2::4::6\n',
    'movies.dat': '1::A (1990)::Drama\n2::B (1991)::Comedy\n',
    'users.dat': '1::F::1::10::4\n2::M::25::3::4\n',
}
ML_LATEST = {
    'ratings.csv': 'userId,movieId,rating,timestamp\n1,1,3.5,6\n',
    'movies.csv': 'movieId,title,genres\n1,A (1990),Drama\n',
}

def movielens(name, base, **files):
    return folder(name, base | {k.replace('_', '.'): v for k,v in files.items()})

def ml100k(**files): return movielens('ml-100k', ML_100K, **files)
def ml1m(**files): return movielens('ml-1m', ML_1M, **files)
def latest(**files): return movielens('ml-latest', ML_LATEST, **files)

def published_sets():
    "Folders of several files that have to fit together"
    return [
        ('a file is missing', ml100k(u_genre=None), {}, 'it has no u.genre'),
        ('something else', folder('shop', {'till.txt': ''}), {}, 'found till.txt'),
        ('a line cut short', ml100k(u_data='1\t1\t3\t5\n2\t2\n'), {}, 'u.data, line 2: found 2 fields where 4'),
        (
            'letters for a user',
            ml100k(u_data='1\t1\t3\t5\nb\t2\t4\t5\n'),
            {},
            "u.data, line 2, column 'user_id': 'b'",
        ),
        ('six stars of five', ml100k(u_data='1\t1\t6\t5\n'), {}, 'outside the scale 1 to 5'),
        ('no ratings', ml100k(u_data=''), {}, 'u.data: the file is empty'),
        ('a new profession', ml100k(u_user='1|24|M|pirate|1\n'), {}, "'pirate' is none of"),
        ('an age in words', ml100k(u_user='1|old|M|student|1\n'), {}, "u.user, line 1, column 'age': 'old'"),
        ('a film cut short', ml100k(u_item='1|A|\n'), {}, 'u.item, line 1: found 3 fields'),
        ('one colon', ml1m(ratings_dat='1:1:3:5\n'), {}, 'ratings.dat, line 1'),
        (
            'an age that is no code',
            ml1m(users_dat='1::F::2::10::4\n'),
            {},
            "users.dat, line 1, column 'age_group': '2'",
        ),
        ('three fields of four', latest(ratings_csv=ML_LATEST['ratings.csv'] + '1,2,3\n'), {}, 'ratings.csv, line 3'),
        (
            'an open quotation in a title',
            latest(movies_csv='movieId,title,genres\n1,"A,Drama\n'),
            {},
            'movies.csv, line 2',
        ),
        ('a link cut short', latest(links_csv='movieId,imdbId,tmdbId\n1\n'), {}, 'links.csv, line 2'),
    ]

# --- requests

JSON_ITEM = {'item_id': 8, 'rating': 5}
def rating(**fields): return 'POST', '/recommend', {'ratings': [{**JSON_ITEM, **fields}]}, {}
def length(k): return 'POST', '/recommend', {'ratings': [], 'k': k}, {}
def body(content, path='/recommend', **headers):
    return 'POST', path, content, {k.replace('_', '-'): v for k,v in headers.items()}
def get(path, method='GET', **headers): return method, path, None, headers
def prediction(**fields): return 'POST', '/predict', {'items': [1], **fields}, {}

def request_bodies():
    "Wrong bodies of requests"
    return [
        ('k of -1', *length(-1), 'from 1 to 100'),
        ('an enormous k', *length(10**30), 'from 1 to 100'),
        ('k is true', *length(True), 'from 1 to 100'),
        ('k is null', *length(None), 'from 1 to 100'),
        ('k is 1.0', *length(1.0), 'from 1 to 100'),
        ('ratings are null', 'POST', '/recommend', {'ratings': None}, {}, 'ratings should be a list'),
        ('ratings are text', 'POST', '/recommend', {'ratings': 'x'}, {}, 'ratings should be a list'),
        ('a list in the list', 'POST', '/recommend', {'ratings': [[JSON_ITEM]]}, {}, 'Rating 1: ratings should be'),
        ('501 ratings', 'POST', '/recommend', {'ratings': [JSON_ITEM] * 501}, {}, 'at most 500'),
        ('a rating in words', *rating(rating='five'), 'should be a finite number'),
        ('a rating of true', *rating(rating=True), 'should be a finite number'),
        ('no rating', *rating(rating=None), 'should be a finite number'),
        ('a rating off the scale', *rating(rating=9), 'not on the scale'),
        ('half an item', *rating(item_id=8.5), 'item_id should be a whole number'),
        ('a field too many', *rating(stars=3), "no field 'stars'"),
        ('NaN', *body(b'{"ratings":[{"item_id":8,"rating":NaN}]}'), 'NaN is not JSON'),
        ('minus infinity', *body(b'{"ratings":[{"item_id":8,"rating":-Infinity}]}'), '-Infinity is not JSON'),
        ('1e999', *body(b'{"ratings":[{"item_id":8,"rating":1e999}]}'), 'should be a finite number'),
        (
            '4,000 digits',
            *body(b'{"ratings":[{"item_id":8,"rating":' + b'9' * 4000 + b'}]}'),
            'should be a finite number',
        ),
        ('5,000 digits', *body(b'{"k":' + b'9' * 5000 + b'}'), 'not JSON'),
        ('half a character', *body(b'{"\\ud800":1}'), 'not UTF-8'),
        ('not UTF-8', *body(b'{"ratings":"\xff"}'), 'not UTF-8'),
        ('UTF-16', *body('{"ratings":[]}'.encode('utf-16')), 'not UTF-8'),
        ('half an object', *body(b'{'), 'not JSON'),
        ('two objects', *body(b'{}{}'), 'not JSON'),
        ('a list', *body(b'[]'), 'a JSON object'),
        ('nothing', *body(b''), 'not JSON'),
        ('NUL bytes', *body(b'\0' * 99), 'not JSON'),
        ('20,000 lists in each other', *body(b'[' * 20_000 + b']' * 20_000), 'nested too deeply'),
        ('9,000 objects in each other', *body(b'{"a":' * 9000), 'nested too deeply'),
        ('ten megabytes', *body(b' ' * 10**7), 'larger than 64 KiB'),
        ('a long name', *body(b'{"' + b'x' * 60_000 + b'":1}'), 'there is no field'),
        (
            'a form',
            *body(b'ratings=1', content_type='application/x-www-form-urlencoded'),
            'Content-Type: application/json',
        ),
        ('text', *body(b'{"ratings":[]}', content_type='text/plain'), 'Content-Type: application/json'),
        ('a type of bytes', *body(b'{}', content_type=b'\xff\xfe'), 'Content-Type: application/json'),
        ('packed', *body(b'\x1f\x8b\0', content_encoding='gzip'), 'not'),
        ('model is a list', 'POST', '/recommend', {'ratings': [], 'model': ['mf']}, {}, 'as text'),
        ('no such model', 'POST', '/recommend', {'ratings': [], 'model': 'oracle'}, {}, "no model 'oracle'"),
        ('nobody', *prediction(), 'give user_id, ratings, or both'),
        ('an empty batch', 'POST', '/recommend/batch', {'requests': []}, {}, '1 to 20'),
        ('user is null', *prediction(user_id=None), 'user_id should be'),
        ('user is a list', *prediction(user_id=[7]), 'user_id should be'),
        ('user of 2**63', *prediction(user_id=2**63), 'knows no user'),
        ('no items', *prediction(items=[], user_id=7), '1 to 500'),
        ('items of null', *prediction(items=[None], user_id=7), 'Item 1: items should be'),
        ('who only ranks', *prediction(user_id=7, model='popularity'), 'predicts no ratings'),
    ]

def request_paths():
    "Wrong paths, queries and headers"
    return [
        ('an unknown path', *get('/oracle'), 'There is no /oracle'),
        ('out of the house', *get('/%2e%2e/%2e%2e/etc/passwd'), 'There is no'),
        ('out by an item', *get('/items/..%2f..%2fetc%2fpasswd'), 'knows no item'),
        ('out by the page', *get('/page.css/../../x'), 'There is no'),
        ('hidden files', *get('/.git/config'), 'There is no'),
        ('a script', *get('/<script>alert(1)<%2fscript>'), 'There is no'),
        ('another header', *get('/%0d%0aSet-Cookie:%20a=1'), 'There is no'),
        ('60,000 letters', *get('/' + 'x' * 60_000), 'There is no'),
        ('not UTF-8', *get('/%ff'), 'There is no'),
        ('an item that is not UTF-8', *get('/items/%ff%fe'), 'knows no item'),
        ('an item of NUL', *get('/items/%00'), 'knows no item'),
        ('an item of 5,000 digits', *get('/items/' + '9' * 5000), 'knows no item'),
        ('an item of 20,000 letters', *get('/items/' + 'x' * 20_000), 'knows no item'),
        ('nothing to compare', *get('/similar/8?model=popularity'), 'nothing to compare'),
        ('an item in the question', *get('/items/8?item_id=9'), "no field 'item_id'"),
        ('no user', *get('/recommend'), 'user_id is missing'),
        ('an empty user', *get('/recommend?user_id='), 'knows no user'),
        ('a negative user', *get('/recommend?user_id=-7'), 'knows no user'),
        ('a user of 7.0', *get('/recommend?user_id=7.0'), 'knows no user'),
        ('digits of elsewhere', *get('/recommend?user_id=٧'), 'knows no user'),
        ('a small 2', *get('/recommend?user_id=²'), 'knows no user'),
        ('a user of NUL', *get('/recommend?user_id=%00'), 'knows no user'),
        ('k of nothing', *get('/search?k='), 'from 1 to 100'),
        ('k of 1e3', *get('/search?k=1e3'), 'from 1 to 100'),
        ('k and a line', *get('/search?k=1%0a'), 'from 1 to 100'),
        ('5,000 fields', *get('/search?' + '&'.join(f'a{i}=1' for i in range(5000))), 'there is no field'),
        ('a long question', *get('/search?q=' + 'x' * 301), 'at most 300'),
        ('put', *get('/recommend', 'PUT'), 'does not answer PUT'),
        ('delete', *get('/health', 'DELETE'), 'does not answer'),
        ('a verb of 500 letters', *get('/recommend', 'X' * 500), 'does not answer'),
        ('a strange host', *get('/oracle', host='a"<>'), 'names no host'),
        ('a host of bytes', *get('/oracle', host=b'\xff'), 'names no host'),
        ('a large cookie', *get('/oracle', cookie='x' * 50_000), 'There is no'),
    ]

WIRE = {
    'noise': bytes(range(256)) + b'\r\n\r\n',
    'another protocol': b'SSH-2.0-OpenSSH\r\n\r\n',
    'no host': b'GET / HTTP/1.1\r\n\r\n',
    'a negative length': b'POST /recommend HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
    'two lengths': b'POST /recommend HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    'a chunk of letters': b'POST /recommend HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
        b'Transfer-Encoding: chunked\r\n\r\nzz\r\n',
    'a header without end': b'GET / HTTP/1.1\r\nHost: a\r\nX: ' + b'x' * 2**17 + b'\r\n\r\n',
}

# --- folders: each change is a function of a copy of a good bundle

WEIGHTS = 'model.safetensors'

def read_config(path): return json.loads((path/'config.json').read_text())

def config(f):
    "A change of `config.json` by a function of what it holds"
    def change(path):
        values = read_config(path)
        f(values)
        (path/'config.json').write_text(json.dumps(values))
    return change

def sealed(f):
    "A change, and then checksums that agree, as an attacker would make them"
    def checksum(path): return dict(bytes=path.stat().st_size, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    def change(path):
        f(path)
        config(lambda c: c.update(files={k: checksum(path/k) for k in c['files']}))(path)
    return change

def cut(name): return lambda path: (path/name).write_bytes((path/name).read_bytes()[:-9])
def config_text(text): return lambda path: (path/'config.json').write_text(text)
def replaced(name, make):
    def change(path):
        (path/name).unlink()
        make(path/name)
    return change
def flip_bit(path):
    content = (path/'ratings.parquet').read_bytes()
    (path/'ratings.parquet').write_bytes(bytes([b ^ (i == 99) for i,b in enumerate(content)]))

def sparse(path, size=2**43):
    os.truncate(path/WEIGHTS, size)
    config(lambda c: c['files'][WEIGHTS].update(bytes=size))(path)

def damaged_folders(files):
    "Damage: files that are missing, cut short, or filled with something else"
    tables = [k for k in files if k != 'README.md']
    return [
        *((f'{k} is missing', lambda p, k=k: (p / k).unlink(), k) for k in (*files, 'config.json')),
        *((f'{k} is cut short', cut(k), 'bytes where') for k in files),
        *((f'{k} is cut short, and sealed', sealed(cut(k)), k) for k in tables),
        *((f'{k} is empty, and sealed', sealed(lambda p, k=k: (p / k).write_bytes(b'')), k) for k in tables),
        ('one bit of the ratings', flip_bit, 'its checksum differs'),
        ('a pipe for the weights', replaced(WEIGHTS, os.mkfifo), 'a pipe or a device'),
        ('a device for the ratings', replaced('ratings.parquet', lambda p: p.symlink_to('/dev/zero')), 'a device'),
        ('a link to nothing', replaced('ratings.parquet', lambda p: p.symlink_to('nowhere')), 'has lost its'),
        ('weights of 60 GB that are not announced', lambda p: os.truncate(p / WEIGHTS, 60 * 10**9), 'bytes where'),
        ('weights of 8 TB of nothing', sparse, 'more than the memory'),
        ('config.json is cut short', cut('config.json'), 'is not JSON'),
        ('config.json is empty', config_text(''), 'is not JSON'),
        ('config.json is a list', config_text('[]'), 'does not say that recnb'),
        ('config.json is null', config_text('null'), 'does not say that recnb'),
        ('config.json is of bytes', lambda p: (p / 'config.json').write_bytes(bytes(range(256))), 'is not JSON'),
        ('a folder for the weights', replaced('model.safetensors', Path.mkdir), 'is a folder, a pipe'),
        ('a link to itself', replaced('config.json', lambda p: p.symlink_to(p)), 'config.json'),
        ('a pipe', replaced('config.json', os.mkfifo), 'config.json'),
        ('a link to a device', replaced('README.md', lambda p: p.symlink_to('/dev/zero')), 'README.md'),
        ('a newer format', config(lambda c: c.update(format=2)), 'a newer one made it'),
        ('no format', config(lambda c: c.pop('format')), 'format None'),
        ('another library', config(lambda c: c.update(library='other')), 'does not say that recnb'),
        *(
            (f'no {k}', config(lambda c, k=k: c.pop(k)), f"has no '{k}'")
            for k in ('network', 'loaders', 'data', 'counts', 'files', 'about')
        ),
        *(
            (f'{k} is empty', config(lambda c, k=k: c.update({k: {}})), 'config.json')
            for k in ('network', 'loaders', 'data', 'counts', 'files')
        ),
    ]

class Payload:
    "Unpickling it would write a file"
    def __reduce__(self): return os.system, (f'touch {here}/it-ran',)

def tensors(f):
    "A change of the tensors by a function of all of them"

    def change(path):
        save_file({k: v.contiguous() for k, v in f(load_file(str(path / WEIGHTS))).items()}, str(path / WEIGHTS))

    return sealed(change)

def floats(f): return tensors(lambda ts: {k: f(v) if v.is_floating_point() else v for k,v in ts.items()})

def header(f):
    "A change of the safetensors header, which says where each tensor is"
    def change(path):
        content = (path/WEIGHTS).read_bytes()
        n, = struct.unpack('<Q', content[:8])
        entries = json.loads(content[8:8+n])
        f([v for k,v in entries.items() if k != '__metadata__'])
        new = json.dumps(entries).encode()
        (path/WEIGHTS).write_bytes(struct.pack('<Q', len(new)) + new + content[8+n:])
    return sealed(change)

def content(name, data): return sealed(lambda path: (path/name).write_bytes(data))
def many_tensors(path): save_file({f'state.{i}': torch.zeros(0) for i in range(200_000)}, str(path/WEIGHTS))

def hostile_weights(other_weights):
    "Weights that no accident makes"
    return [
        ('a pickle', content(WEIGHTS, pickle.dumps(Payload())), 'no safetensors file'),
        ('a file of torch.save', sealed(lambda p: torch.save({'a': Payload()}, p / WEIGHTS)), 'no safetensors file'),
        ('a pickle for a table', content('ratings.parquet', pickle.dumps(Payload())), 'cannot be read as a table'),
        ('a pickle for the config', lambda p: (p / 'config.json').write_bytes(pickle.dumps(Payload())), 'is not JSON'),
        ('half the precision', floats(torch.Tensor.half), 'belongs to another model'),
        ('twice the precision', floats(torch.Tensor.double), 'belongs to another model'),
        ('whole numbers', floats(torch.Tensor.int), 'belongs to another model'),
        ('no numbers', floats(lambda v: v * np.nan), 'that no training ends with'),
        ('numbers of 1e38', floats(lambda v: torch.full_like(v, 1e38)), 'that no training ends with'),
        ('endless numbers', floats(lambda v: v + np.inf), 'that no training ends with'),
        ('other shapes', floats(torch.Tensor.flatten), 'belongs to another model'),
        ('a row less', floats(lambda v: v[:-1] if v.ndim else v), 'belongs to another model'),
        ('a tensor more', tensors(lambda t: {**t, 'state.more': torch.zeros(3)}), 'which the model has not'),
        ('a tensor of no kind', tensors(lambda t: {**t, 'more': torch.zeros(3)}), 'not those of a recommender'),
        ('a tensor less', tensors(lambda t: dict(list(t.items())[1:])), 'belongs to another model'),
        (
            'weights of another model',
            sealed(lambda p: shutil.copy(other_weights, p / WEIGHTS)),
            'belongs to another model',
        ),
        ('an enormous shape', header(lambda v: v[0].update(shape=[10**12, 10**6])), 'no safetensors file'),
        ('a negative shape', header(lambda v: v[0].update(shape=[-1, 4])), 'no safetensors file'),
        ('nothing, 2**62 times', header(lambda v: v[0].update(shape=[0, 2**62])), 'no safetensors file'),
        (
            'tensors on top of each other',
            header(lambda v: v[0].update(data_offsets=v[-1]['data_offsets'])),
            'no safetensors file',
        ),
        ('a header of 2**60 bytes', content(WEIGHTS, struct.pack('<Q', 2**60) + b'{}'), 'no safetensors file'),
        (
            'a header of lists in lists',
            content(WEIGHTS, struct.pack('<Q', 10**6) + b'[' * 10**6),
            'no safetensors file',
        ),
        ('200,000 tensors', sealed(many_tensors), 'not those of a recommender'),
    ]

def part(**fields): return config(lambda c: c['network']['parts'][0].update(fields))
def network(**fields): return config(lambda c: c['network'].update(fields))
def args(value): return part(args=[value])
def under(key, **fields): return config(lambda c: c[key].update(fields))
def loader_args(**fields): return config(lambda c: c['loaders']['args'].update(fields)), 'causal'

def with_format(k): return config(lambda c: c.update(format=k))
def said_twice(path):
    text = (path/'config.json').read_text()
    (path/'config.json').write_text('{"format": 1,' + text[1:])

def hostile_configs(change):
    "Names, counts and everything else in `config.json`; `change` is a registered change of networks"
    return [
        *(
            (
                f'a file called {k!r}',
                config(lambda c, k=k: c['files'].update({k: dict(bytes=1, sha256='')})),
                'mf',
                'no file of a recommender',
            )
            for k in ('../../etc/passwd', '/etc/passwd', 'run.pkl', './ratings.parquet', 'ratings.parquet\0')
        ),
        *(
            (f'a class called {k!r}', part(**{'class': k}), 'mf', 'no class')
            for k in ('os.system', 'Linear', '__import__')
        ),
        *((f'format {k!r}', with_format(k), 'mf', f'format {k!r}') for k in (True, 1.0, '1')),
        ('the format twice', said_twice, 'mf', 'is given twice'),
        ('a class that is a list', part(**{'class': ['MF']}), 'mf', 'describes no model'),
        ('a class of no numbers', part(args=[], kwargs={'$dict': []}), 'mf', 'describes no model'),
        ('a change nobody knows', network(changes=[['', 'run', [], {}]]), 'mf', "no change 'run'"),
        (
            'a change by a back door',
            network(changes=[['__init__.__globals__', change, [], {'$dict': []}]]),
            'mf',
            'describes no model',
        ),
        ('changes of numbers', network(changes=[[1]]), 'mf', 'describes no model'),
        ('a part of itself', args({'$part': 0}), 'mf', 'describes no model'),
        ('a tensor that is not there', args({'$tensor': 99}), 'mf', 'describes no model'),
        ('a number of words', args({'$number': '__import__'}), 'mf', 'describes no model'),
        ('a kind of value nobody knows', args({'$run': 'x'}), 'mf', 'describes no model'),
        ('900 lists in each other', args(json.loads('[' * 900 + ']' * 900)), 'mf', 'describes no model'),
        (
            '20,000 models',
            config(lambda c: c['network'].update(parts=c['network']['parts'] * 20_000)),
            'mf',
            'describes no model',
        ),
        ('the top is not there', network(top=99), 'mf', 'describes no model'),
        ('a million lists in each other', config_text('[' * 10**6), 'mf', 'is not JSON'),
        ('a number of four million digits', config_text('9' * 4 * 10**6), 'mf', 'is not JSON'),
        ('four megabytes of lists', config_text('[' + '[],' * 1_390_000 + '0]'), 'mf', 'does not say that recnb'),
        ('fifty megabytes', config_text(' ' * 50 * 2**20), 'mf', 'larger than 4 MB'),
        *(
            (f'{k} count {str(v)[:12]}', under('counts', **{k: v}), 'mf', 'counts')
            for k, v in (
                ('users', -1),
                ('items', 10**12),
                ('ratings', 10**400),
                ('users', 1.5),
                ('items', '60'),
                ('users', True),
                ('ratings', None),
                ('items', float('nan')),
            )
        ),
        ('a user more', under('counts', users=81), 'mf', 'announces 80 rows'),
        *(
            (f'a scale of {v!r}'[:40], under('data', scale=v), 'mf', 'is no scale')
            for v in ([1], 'abc', [5, 1, 1], [float('nan'), 5, 1], [1, 5, float('inf')], [0, 10**400, 1])
        ),
        ('another scale', under('data', scale=[1, 2, 1]), 'mf', 'not on the scale'),
        ('notes of 3', under('data', notes=3), 'mf', 'damaged'),
        ('metrics of 3', under('about', metrics=3), 'mf', 'damaged'),
        ('tensors that are the same as none', under('shared', a='b'), 'mf', 'describes no model'),
        ('loaders nobody knows', under('loaders', kind='Learner'), 'mf', 'there are no loaders'),
        ('loaders of a list', under('loaders', kind=['x']), 'mf', 'there are no loaders'),
        ('a setting nobody knows', under('loaders', args={'x': 1}), 'mf', 'has no argument'),
        ('a seed of words', under('loaders', seed='x'), 'mf', 'is no seed'),
        ('an enormous window', *loader_args(length=10**6), 'is not a whole number'),
        ('a negative window', *loader_args(length=-1), 'is not a whole number'),
        ('no window', *loader_args(length=0), 'cannot answer a query'),
        ('a window that is true', *loader_args(length=True), 'is not a whole number'),
        ('blocks of words', *loader_args(blocks='x'), 'is not a whole number'),
        ('a stride wider than the window', *loader_args(stride=9999), 'cannot answer a query'),
        (
            'another window than the network has',
            config(lambda c: c['loaders']['args'].update(length=9000)),
            'bst',
            'cannot answer a query',
        ),
    ]

def table(name, f, model='mf'):
    return sealed(lambda path: f(pd.read_parquet(path/name)).to_parquet(path/name, index=False)), model
def arrow(name, make): return sealed(lambda path: pq.write_table(make(), path/name, compression='zstd')), 'mf'
def ids(f): return table('item_ids.parquet', lambda df: df.assign(id=f(df['id'])))
def ratings(model='mf', **columns): return table('ratings.parquet', lambda df: df.assign(**columns), model)
def items(**columns): return table('items.parquet', lambda df: df.assign(**columns))

def equal_rows(path, n=100_000_000):
    "Ratings that pack to almost nothing"
    ones = np.ones(10**6)
    rows = pa.table(
        {
            'user_id': pa.array(ones.astype('int32')),
            'item_id': pa.array(ones.astype('int32')),
            'rating': pa.array(ones.astype('float32')),
        }
    )
    with pq.ParquetWriter(path / 'ratings.parquet', rows.schema, compression='zstd') as writer:
        for _ in range(n // 10**6):
            writer.write_table(rows)
    under('counts', ratings=n)(path)

def hostile_tables():
    "Tables that swell, and tables of other things"
    some = pa.array(range(1, 61), pa.int64())

    def repeated(text, n):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, 'int32')), pa.array([text]))

    million = pa.array(np.ones(10**6, 'int32'))
    return [
        ('a hundred million rows', sealed(equal_rows), 'mf', 'would swell'),
        (
            'a long text',
            *arrow('items.parquet', lambda: pa.table({'item_id': some, 'title': repeated('x' * 2**28, 60)})),
            'would swell',
        ),
        (
            'a text of 4 MB in a million rows',
            *arrow('items.parquet', lambda: pa.table({'item_id': million, 'title': repeated('x' * 2**22, 10**6)})),
            'would swell',
        ),
        (
            'a million genres an item',
            *arrow('items.parquet', lambda: pa.table({'item_id': some, 'genres': pa.array([['x'] * 10**6] * 60)})),
            'would swell',
        ),
        (
            '20,000 columns',
            *arrow('items.parquet', lambda: pa.table({'item_id': some, **{f'c{i}': some for i in range(20_000)}})),
            'would swell',
        ),
        ('the same id again', *ids(lambda col: 1), 'repeated ids'),
        ('ids out of order', *ids(lambda col: col[::-1].to_numpy()), 'not in order'),
        ('ids of lists', *ids(lambda col: [[i] for i in col]), "column 'id' holds lists"),
        ('no ids', *ids(lambda col: col.where(col > 5)), 'empty id'),
        (
            'ids of another name',
            *table('item_ids.parquet', lambda d: d.rename(columns={'id': 'x'})),
            "no column 'id'",
        ),
        ('an id less', *table('item_ids.parquet', lambda d: d[:-1]), 'announces 59 rows'),
        ('no ratings column', *table('ratings.parquet', lambda d: d.drop(columns='rating')), "no column 'rating'"),
        ('ratings off the scale', *ratings(rating=np.float32(99)), 'not on the scale'),
        ('ratings of NaN', *ratings(rating=np.float32('nan')), 'not on the scale'),
        ('ratings of text', *ratings(rating='3'), 'not on the scale'),
        ('users of lists', *ratings(user_id=lambda d: [[1]] * len(d)), "column 'user_id' holds lists"),
        ('times of words', *ratings('causal', timestamp='soon'), "column 'timestamp'"),
        ('times of 2**62', *ratings('causal', timestamp=2**62), "column 'timestamp'"),
        ('times before all time', *ratings('causal', timestamp=-(2**62)), "column 'timestamp'"),
        ('times of fractions', *ratings('causal', timestamp=0.5), "column 'timestamp'"),
        ('no times', *table('ratings.parquet', lambda d: d.drop(columns='timestamp'), 'causal'), 'has no timestamps'),
        ('a part of words', *ratings(is_test='x'), "column 'is_test'"),
        ('blocks of words', *ratings('causal', block='x'), 'the stored blocks are not'),
        ('blocks of fractions', *ratings('causal', block=0.5), 'the stored blocks are not'),
        ('a block of a thousand million', *ratings('causal', block=10**9), 'the stored blocks are not'),
        ('blocks where there are none', *ratings(block=0), 'has no blocks'),
        ('titles of numbers', *items(title=3), "column 'title'"),
        ('titles of bytes', *items(title=b'\xff'), "column 'title'"),
        ('titles of lists', *items(title=lambda d: [['x']] * len(d)), "column 'title'"),
        ('overviews of bytes', *items(overview=b'\xff'), "column 'overview'"),
        ('items of lists', *items(item_id=lambda d: [[1]] * len(d)), "column 'item_id' holds lists"),
    ]

# --- processes

def in_child(f, memory=2**30):
    "What a function returns in a forked process with so much memory: [code, sentence, MB it used, seconds it took]"
    reader, writer = os.pipe()
    start = time.perf_counter()
    pid = os.fork()
    if not pid:
        try: os.write(writer, json.dumps(_limited(f, memory)).encode()[:60_000])
        finally: os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader, 'rb') as answer: got = answer.read()
    return [*(json.loads(got) if got else ('died', '', 0)), round(time.perf_counter() - start, 1)]

def _limited(f, memory):
    "Run a function with limits on memory and time"
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    now = int(Path('/proc/self/statm').read_text().split()[0])*resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
    signal.alarm(60)
    try: result = ['loaded', repr(f())]
    except BaseException as e: result = [type(e).__name__, str(e)]
    return [*result, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used)//1024]

def killed(f, wait):
    "Run a function in a forked process and kill it after so many seconds; was it still running?"
    pid = os.fork()
    if not pid:
        try:
            sys.stdout = sys.stderr = io.StringIO()
            f()
        finally: os._exit(0)
    end = time.perf_counter() + wait
    while time.perf_counter() < end and os.waitpid(pid, os.WNOHANG) == (0, 0): time.sleep(.001)
    try: os.kill(pid, signal.SIGKILL)
    except ProcessLookupError: return False
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL

def keep_running(f):
    "Run a function in a forked process until it is stopped: returns what stops it"
    pid = os.fork()
    if not pid:
        try:
            sys.stdout = sys.stderr = io.StringIO()
            f()
        finally: os._exit(0)
    def stop():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return stop

# --- a disk that loses what was not synced

def record_syncs(disk):
    "Let `os.fsync` of this process copy what it brings to the disk into the folder `disk`, under inode numbers"
    fsync, held = os.fsync, []
    def recorded(descriptor):
        fsync(descriptor)
        held.append(os.dup(descriptor)) # so that no other file gets its number
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            content = json.dumps({e.name: [e.inode(), e.is_dir()] for e in os.scandir(descriptor)}).encode()
        else: content = os.pread(descriptor, about.st_size, 0)
        (disk/'new').write_bytes(content)
        os.replace(disk/'new', disk/str(about.st_ino))
    os.fsync = recorded

def sync_all(folder):
    "Bring a folder and all that is in it to the disk"
    for path in [*folder.rglob('*'), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

def _content(disk, number): return (disk/str(number)).read_bytes() if (disk/str(number)).exists() else b''

def synced_only(disk, number, place):
    "Build in `place` the folder with this inode number as it was last synced: names and contents"
    place.mkdir(parents=True)
    for name,(inner,is_dir) in json.loads(_content(disk, number) or b'{}').items():
        if is_dir: synced_only(disk, inner, place/name)
        else: (place/name).write_bytes(_content(disk, inner))

def names_only(disk, folder, place):
    "Build in `place` a folder as it is now, but with the contents that were synced: names reached the disk first"
    place.mkdir(parents=True)
    for path in sorted(folder.rglob('*')):
        copy = place/path.relative_to(folder)
        if path.is_dir(): copy.mkdir()
        else: copy.write_bytes(_content(disk, path.stat().st_ino))

def over_the_wire(address, content):
    "The first line and the last of a server's answer to bytes; nothing if it hangs up"
    host, port = address.removeprefix('http://').rstrip('/').split(':')
    with socket.create_connection((host, int(port)), timeout=5) as s:
        s.sendall(content)
        try: got = b''.join(iter(lambda: s.recv(65536), b''))
        except OSError: got = b'' # it hung up while we sent
    return got.split(b'\r\n')[0].decode(), got.split(b'\r\n')[-1].decode()[:60]

def numbers_in(value, at=()):
    "Where the whole numbers of a config are"
    if type(value) is int and '$part' not in at and '$tensor' not in at: yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for k,v in inner: yield from numbers_in(v, (*at, k))

def put_number(at, number):
    "A change of one number of the network's config"
    def change(c):
        holder = c['network']['parts']
        for k in at[:-1]: holder = holder[k]
        holder[at[-1]] = number
    return config(change)

# --- commands

def write_command_files(work, films):
    "The files that the commands of `commands.csv` are given"
    texts = {
        'file': 'x', 'bad.csv': 'user_id,item_id,rating\n1,2,3\n2,3,good\n',
        'one.csv': 'user_id,item_id,rating\n1,2,3\n', 'words.csv': 'title,rating\nHeat,good\n',
        'off.csv': 'item_id,rating\n3,99\n', 'inf.csv': 'item_id,rating\n3,inf\n',
        'empty.csv': '', 'noid.csv': 'item_id,rating\n3,4\n,4\n',
        'open.csv': 'item_id,rating\n"3,4\n', 'mine/thesis.txt': 'years of work'}
    for name,text in texts.items():
        (work/name).parent.mkdir(exist_ok=True)
        (work/name).write_text(text)
    films.df.to_csv(work/'all.csv', index=False)
    (work/'binary.csv').write_bytes(bytes(range(256)))
    (work/'damaged').mkdir()
    shutil.copy(work/'mf'/'config.json', work/'damaged')
