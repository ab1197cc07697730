"""C source as the checks of tools/ need it: which files there are, and their text without comments and
strings, line for line."""
import os
import re

SKIPPED_FOLDERS = {'build', 'node_modules', '.git', '__pycache__', 'data', '.pytest_cache', 'subprojects'}

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, keep_strings=False):
    """Comments, and the insides of string and character literals, become spaces; lines stay where they
    are."""
    def replace(match):
        token = match.group(0)
        if token[0] in '"\'':
            return token if keep_strings else token[0] + ' ' * (len(token) - 2) + token[0]
        return re.sub(r'[^\n]', ' ', token)
    return TOKEN.sub(replace, text)


def files_under(root, *tops, suffixes=('.c', '.h')):
    """Paths relative to root, sorted."""
    found = []
    for top in tops:
        for folder, names, files in os.walk(os.path.join(root, top)):
            names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS)
            found += [os.path.relpath(os.path.join(folder, f), root)
                      for f in files if f.endswith(suffixes)]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def read_list(root, path):
    """A list file: `name text...` a line, # begins a comment line. -> {name: text}"""
    rows = {}
    full = os.path.join(root, path)
    if not os.path.exists(full):
        return rows
    for line in read(root, path).splitlines():
        if line.strip() and not line.startswith('#'):
            name, _, text = line.strip().partition(' ')
            rows[name] = text.strip()
    return rows


def report(problems, what):
    """Prints them; the exit status for sys.exit."""
    for problem in problems:
        print(problem)
    print(f'{what}: {len(problems)} problems' if problems else f'{what}: ok')
    return 1 if problems else 0
