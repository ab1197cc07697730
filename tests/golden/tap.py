"""What the checks of golden files share: a TAP line for each file, under it what is wrong with it."""
import pathlib
import sys

HERE = pathlib.Path(__file__).parent


def has_flag(path, flag):
    """The case's target.txt, beside the file, has this line below the model's name."""
    target = path.parent / "target.txt"
    return target.exists() and flag in target.read_text().split("\n")[1:]


def run(pattern, problems_of, name=lambda path: path.parent.name):
    """The exit status. Files: the arguments, else those below this folder that fit; none at all is a failure."""
    files = [pathlib.Path(p) for p in sys.argv[1:]] or sorted(HERE.glob(pattern))
    failed = 0
    print(f"1..{len(files)}")
    for n, path in enumerate(files, 1):
        problems = problems_of(path)
        failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {n} - {name(path)}")
        for p in problems:
            print(f"# {p}")
    return 1 if failed or not files else 0
