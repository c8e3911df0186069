"""Rules that cannot be are said in one sentence, and secrets come from where they may."""

from __future__ import annotations

import pytest

from hftlib.core.errors import InputError
from hftlib.ops.alerts.rules import Receiver, read_rules, urls_of

GOOD = '[rules.loss]\nkind = "loss"\nmore_than_money = 10\n'
BAD = [
    ("[rules.x]\n", "rules.x.kind: Field required"),
    ('[rules.x]\nkind = "y"\n', "there is no kind 'y'; there is clock_error"),
    ('[rules.x]\nkind = "loss"\n', "the kind loss needs more_than_money"),
    ('[rules.x]\nkind = "loss"\nmore_than_money = -1\n', "greater than 0"),
    ('[rules.x]\nkind = "loss"\nmore_than_money = true\n', "valid number"),
    ('[rules.x]\nkind = "loss"\nmore_than_money = "9"\n', "valid number"),
    ('[rules.x]\nkind = "runner_gone"\nshare = 0.5\n', "the kind runner_gone has no share"),
    ('[rules.x]\nkind = "runner_gone"\nbreak = 1\n', "rules.x.break: Extra inputs"),
    ('[rules.x]\nkind = "runner_gone"\naction = "lift"\n', "Input should be 'halt'"),
    ('[rules.x]\nkind = "runner_gone"\naction = "command"\n', "needs command"),
    ('[rules.x]\nkind = "runner_gone"\naction = "cancel-all"\n', "needs exchange"),
    ('[rules.x]\nkind = "runner_gone"\ncommand = ["ls"]\n', 'action = "command" alone'),
    (
        '[rules.x]\nkind = "runner_gone"\naction = "command"\ncommand = ["hft", "resume"]\n',
        "no rule lifts what was stopped",
    ),
    ("[rules.X]\n", "should match pattern"),
    ('[receivers.desk]\nurl = "slack://secret"\n', "receivers.desk.url: Extra inputs"),
    ("[receivers.desk]\n", "give url_env or url_file"),
    ('[tell]\ncritical = [["nobody"]]\n', "tell names 'nobody'"),
    ('[quiet]\nbegin = 22:00:00\nend = 07:00:00\nzone = "Mars"\n', "there is no zone 'Mars'"),
    ("[heartbeat]\n", "heartbeat.url_env: Field required"),
    ("x = 1\n", "x: Extra inputs"),
    ("[[[", "These are no rules"),
    ("\x80", "These are no rules"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_what_cannot_be_is_one_sentence(tmp_path, text, said):
    path = tmp_path / "rules.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as caught:
        read_rules(path)
    assert said in caught.value.what and caught.value.where == str(path)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_none_and_one_too_large(tmp_path):
    with pytest.raises(InputError, match="These are no rules: No such file"):
        read_rules(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_text("#" * ((1 << 20) + 1))
    with pytest.raises(InputError, match="it has more than"):
        read_rules(tmp_path / "large.toml")


def test_rules_of_ones_own_stand_beside_the_default_ones_or_in_their_place(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(GOOD + '[rules.halted]\nkind = "runner_gone"\n')
    found = read_rules(path).rules
    assert found["loss"].more_than_money == 10 and found["halted"].kind == "runner_gone"
    assert set(read_rules(None).rules) < set(found)
    path.write_text("default_rules = false\n" + GOOD)
    assert set(read_rules(path).rules) == {"loss"}


def test_addresses_come_from_the_environment_or_a_file_of_ones_own(tmp_path, monkeypatch):
    assert urls_of(Receiver(url_env="X"), {"X": "json://a json://b"}) == ["json://a", "json://b"]
    with pytest.raises(InputError, match="This variable is not set"):
        urls_of(Receiver(url_env="X"), {"X": " "})
    path = tmp_path / "urls"
    path.write_text("# desk\njson://secret@a\n\n")
    path.chmod(0o640)
    file = Receiver(url_file=str(path))
    with pytest.raises(InputError, match="Others may read this file") as caught:
        urls_of(file, {})
    assert "secret" not in str(caught.value)
    path.chmod(0o600)
    assert urls_of(file, {}) == ["json://secret@a"]
    path.write_text("\n")
    with pytest.raises(InputError, match="has no URL"):
        urls_of(file, {})
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        urls_of(file, {})
    monkeypatch.setenv("HFT_ALERTS_URLS", "json://a")
    assert read_rules(None).levels("warning") == (("people",),)
