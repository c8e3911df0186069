"""Where runs are kept: who names the place, and that artifacts lie beside the store."""

from pathlib import Path

import pytest

from hftlib.core.errors import HostError
from hftlib.research.tracking import experiment_of, registry, registry_file, registry_uri
from tests.research.sweep_desk import counted_here


def test_the_nearest_name_counts(monkeypatch, tmp_path):
    for name in ("HFT_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert registry_file() == tmp_path / "mlruns" / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://desk:5000")
    assert registry_uri() == "http://desk:5000" and registry_file() is None
    monkeypatch.setenv("HFT_TRACKING_URI", "sqlite:////there/own.db")
    assert registry_file() == Path("/there/own.db")
    assert not list(tmp_path.iterdir())  # nothing is made by asking


def test_an_experiment_is_made_once_with_its_artifacts_beside_the_store(monkeypatch):
    counted_here(monkeypatch)
    with registry() as client:
        first = experiment_of(client, "placed")
        assert experiment_of(client, "placed") == first
        place = client.get_experiment(first).artifact_location
    file = registry_file()
    assert place == (file.parent / "artifacts" / "placed").resolve().as_uri()


def test_what_the_store_cannot_do_is_a_sentence(monkeypatch):
    counted_here(monkeypatch)
    with pytest.raises(HostError, match="does not answer"), registry() as client:
        client.get_run("no-such-run")
