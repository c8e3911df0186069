"""What `import hftlib` brings with it, and what each of its names is."""

import importlib
import json
import subprocess
import sys

import pytest

import hftlib

HEAVY = {"mlflow", "vectorbt", "plotly", "matplotlib", "pandas", "papermill", "nbformat"}


def loaded_after(code: str) -> set[str]:
    """The top-level packages a fresh process holds after running this."""
    names = "sorted({m.split('.')[0] for m in sys.modules})"
    program = f"{code}\nimport json, sys; print(json.dumps({names}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_hftlib_loads_no_research_package_and_no_compiler():
    loaded = loaded_after("import hftlib")
    assert loaded.isdisjoint(HEAVY | {"numba", "numpy", "llvmlite"})


def test_using_every_name_loads_no_research_package_and_no_compiler():
    loaded = loaded_after("import hftlib\nfor name in hftlib.__all__: getattr(hftlib, name)")
    assert loaded.isdisjoint(HEAVY | {"numba"})
    assert "llvmlite" in loaded


def test_naming_a_question_of_validation_loads_no_package_that_only_some_need():
    code = "from hftlib import validation\nfor name in dir(validation): getattr(validation, name)"
    assert loaded_after(code).isdisjoint(HEAVY | {"numba", "arch", "scipy", "statsmodels"})


def test_state_is_looked_at_and_object_code_loaded_without_a_compiler():
    loaded = loaded_after("from hftlib.core import arena, object_code, records, units")
    assert loaded.isdisjoint(HEAVY | {"numba"})


def test_the_live_process_and_its_watchdog_load_no_research_package_and_no_compiler():
    rooms = "from hftlib.ops import beside_commands, hours, cancel_session, last_resort\n"
    rooms += "from hftlib.ops import desk_commands, live_command, obeying, showing, watchdog"
    engine = "from hftlib.engine.live import replaying"
    loaded = loaded_after(f"{rooms}, runner, launching, status, drop_copy\n{engine}")
    assert loaded.isdisjoint(HEAVY | {"numba", "jupyterlab", "scipy"}) and "numpy" in loaded


def test_the_fan_out_loads_no_research_package_and_no_compiler_and_a_client_when_it_is_named():
    loaded = loaded_after("from hftlib.ops import fanout, fanout_command")
    assert loaded.isdisjoint(HEAVY | {"numba", "jupyterlab", "scipy", "redis", "nats"})
    loaded = loaded_after("from hftlib.ops import fanout_redis, fanout_nats")
    assert loaded.isdisjoint(HEAVY | {"numba", "jupyterlab", "scipy"}) and "redis" in loaded


def test_help_loads_no_room():
    program = "from hftlib.cli import app; app(['--help'], standalone_mode=False)"
    assert loaded_after(program).isdisjoint(HEAVY | {"numba", "numpy"})


@pytest.mark.parametrize("name", hftlib.__all__)
def test_each_public_name_is_found_and_listed(name):
    assert getattr(hftlib, name) is not None
    assert name in dir(hftlib)


def test_each_room_says_what_it_is():
    for room in ("core", "ops", "bench"):
        assert importlib.import_module(f"hftlib.{room}").__doc__


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match=r"no 'Arenna'; it has Arena"):
        _ = hftlib.Arenna


FIRST_RESULT = '''
import sys
import hftlib as hft


@hft.strategy
class Quoter:
    """Quotes one tick around the middle."""

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if b.has_both and b.is_open:
            ctx.quote(i, bid=b.mid - b.tick, ask=b.mid + b.tick, quantity=100)


if __name__ == "__main__":
    tape = hft.open_tape(sys.argv[1])
    result = hft.backtest(Quoter, tape, venue=hft.Venue(order_latency="250us"))
    print(result.stats["pnl_net"])
    print(*sorted(sys.modules))
'''


def test_a_first_result_of_compiled_code_needs_no_compiler_and_no_research_package(tmp_path):
    tape, script = tmp_path / "day.tape", tmp_path / "ideas.py"
    hftlib.to_tape(hftlib.synthetic(symbols=1, seconds=20, seed=7), tape)
    script.write_text(FIRST_RESULT)
    answers = []
    for _ in range(2):  # the first run may have to compile
        command = [sys.executable, str(script), str(tape)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        answers.append(done.stdout.splitlines())
    assert answers[0][0] == answers[1][0]
    loaded = set(answers[1][1].split())
    assert loaded.isdisjoint(HEAVY | {"numba", "scipy", "elftools", "rich.console"})
    assert "hftlib.engine.backtest" in loaded
