"""The reference is drawn from the code, and what the README shows works."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_layouts_page_is_up_to_date():
    program = (
        "from draw import TARGET, drawn; assert TARGET.read_text() == drawn(), 'run make docs'"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_tables_of_the_strategies_page_are_up_to_date():
    program = "from draw_strategies import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    environment["PYTHONPATH"] = str(ROOT / "docs")
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_page_of_orders_is_up_to_date():
    program = "from draw_orders import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_page_of_risk_is_up_to_date():
    program = "from draw_risk import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_page_of_metrics_is_up_to_date():
    program = "from draw_metrics import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_kinds_on_the_page_of_alerts_are_those_there_are():
    from hftlib.ops.alerts.conditions import KINDS
    from hftlib.ops.alerts.rules import read_rules

    page = (ROOT / "docs" / "alerts.md").read_text()
    for name, kind in KINDS.items():
        words = ", ".join(f"`{one}`" for one in (*kind.needs, *(f"{t}?" for t in kind.takes)))
        assert f"| `{name}` | {kind.about} | {words or '-'} |" in page, name
    control = page.split("## From the canon of controls")[1].split("## An alert")[0]
    named = set(re.findall(r"`([a-z-]+)`", control))
    assert set(read_rules(None).rules) | {"loss"} <= named | {"loss"}


def test_the_page_of_the_matching_engine_is_up_to_date_and_its_example_runs(tmp_path):
    program = "from draw_matching import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    page = (ROOT / "docs" / "matching.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    told = ran(tmp_path, "example.py")
    assert told.startswith("['state', 'accepted', 'accepted', 'executed', 'executed'] ")


def test_the_page_of_order_entry_is_up_to_date():
    program = "from draw_order_entry import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_page_of_the_journal_is_up_to_date_and_its_example_runs(tmp_path):
    program = "from draw_journal import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    page = (ROOT / "docs" / "journal.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    told = ran(tmp_path, "example.py").splitlines()
    assert told[1] == "2 NOTE b'the market opens'" and len(told[3]) == 64


def test_the_example_of_the_strategies_page_runs(tmp_path):
    page = (ROOT / "docs" / "strategies.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "ideas.py").write_text(example)
    assert "<Result of QueueImbalance: " in ran(tmp_path, "ideas.py")


def test_the_strategy_of_the_readme_runs_in_a_file_and_at_the_prompt(tmp_path):
    example, _ = re.findall(r"```python\n(.*?)```", readme(), re.DOTALL)
    (tmp_path / "ideas.py").write_text(example)
    assert "<Result of QueueImbalance: " in ran(tmp_path, "ideas.py")
    page = (ROOT / "docs" / "strategies.md").read_text()
    shown = [re.search(r"^hft (backtest .*)$", text, re.MULTILINE) for text in (readme(), page)]
    program = "from hftlib.cli import main; main()"
    synth = "data synth --symbols 2 --seconds 60 -o day.tape"
    ran(tmp_path, "-c", program, *synth.split())
    for command in shown:
        assert command
        told = ran(tmp_path, "-c", program, *command[1].split())
        assert "P&L after fees" in told
    assert "QueueImbalance on day.tape" in (tmp_path / "page.html").read_text()


def test_the_second_example_of_the_readme_runs(tmp_path):
    _, example = re.findall(r"```python\n(.*?)```", readme(), re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example + "\nprint(len(arena.compare(before)), arena['position'][0])\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("3 (400, -404990000, 2)")
    assert (tmp_path / "fill.o").stat().st_size > 0


def test_the_market_data_of_the_readme_works_as_shown(tmp_path):
    """Its commands that need no file of somebody else's, then its Python, in one folder."""
    commands = re.findall(r"^hft (data (?:synth|show|validate)[^#\n]*)", readme(), re.MULTILINE)
    assert len(commands) == 3
    program = "from hftlib.cli import main; main()"
    shown = [
        subprocess.run(
            [sys.executable, "-c", program, *command.split()],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for command in commands
    ]
    assert "spread" in shown[1] and "nothing is wrong" in shown[2]
    limited, example = re.findall(r"```py\n(.*?)```", readme(), re.DOTALL)
    strategy = re.findall(r"```python\n(.*?)```", readme(), re.DOTALL)[0].partition("if __name__")[
        0
    ]
    (tmp_path / "limited.py").write_text(strategy + limited + "\nprint(len(result.risk_log))\n")
    assert ran(tmp_path, "limited.py").split() == ["1"], "the halt is in the log"
    lines = [line.partition("  #")[0] for line in example.splitlines() if "import" not in line]
    tape, *answers = [line for line in lines if line]
    program = "import hftlib as hft\n" + tape + "".join(f"\nprint(len(repr({a})))" for a in answers)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.split()) == len(answers) == 3


def test_every_file_the_readme_names_exists():
    named = re.findall(r"`((?:hftlib|docs|tests|notebooks|pipelines)/[\w./]+)`", readme())
    tree = re.search(r"```\n(notebooks/.*?)```", readme(), re.DOTALL)
    assert tree
    folders = re.findall(r"^([a-z]+)/", tree.group(1), re.MULTILINE)
    missing = [name for name in [*named, *folders] if not (ROOT / name).exists()]
    assert folders and not missing


def test_the_example_of_the_page_of_validation_says_what_it_shows(tmp_path):
    page = (ROOT / "docs" / "validation.md").read_text()
    example, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    *words, sentence = ran(tmp_path, "example.py").splitlines()
    assert words == re.findall(r"\.word\)  # (pass|fail)", example)
    assert "with 95 % confidence it lies between" in sentence


def test_every_page_of_the_docs_has_its_commands():
    pages = sorted((ROOT / "docs").glob("*.md"))
    assert {"decisions.md", "layouts.md", "benchmarks.md", "strategies.md"} <= {
        page.name for page in pages
    }
    assert "hft bench core --json" in (ROOT / "docs" / "benchmarks.md").read_text()


def ran(folder, *arguments):
    """What Python prints when run so in this folder, compiled as everywhere."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def readme() -> str:
    return (ROOT / "README.md").read_text()
