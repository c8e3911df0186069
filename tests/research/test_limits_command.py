"""`hft limits check`: a file in words, as JSON, or one sentence on what is wrong with it."""

import json

from tests.test_cli import hft


def test_a_good_file_in_words_and_as_json(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text('[instrument."*"]\nposition_lots = 500\n[firm]\nmessages = 1_000\n')
    shown = hft("limits", "check", str(path))
    assert shown.returncode == 0
    assert "position_lots" in shown.stdout and "500 lots" in shown.stdout
    assert "Not limited anywhere:" in shown.stdout and "drawdown_money" in shown.stdout
    told = json.loads(hft("limits", "check", str(path), "--json").stdout)
    by_limit = {one["limit"]: one for one in told["limits"]}
    assert by_limit["messages"]["scope"] == "firm"
    assert by_limit["position_lots"]["value"] == "500 lots"
    assert "messages" not in told["unlimited"] and "new_orders" in told["unlimited"]


def test_a_bad_file_is_one_sentence(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text("[firm]\nmesages = 5\n")
    done = hft("limits", "check", str(path))
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "mesages" in done.stderr and "Did you mean" in done.stderr
    assert hft("limits", "check", str(tmp_path / "none.toml")).returncode != 0
