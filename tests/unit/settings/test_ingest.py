"""The centre's file: good ones, and every problem of a bad one at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.settings import load_ingest
from gateway.settings.types import InfluxSettings

V2 = """\
schema: 1
mqtt: {url: "mqtt://127.0.0.1", username: ingest, password_file: mqtt.secret, share: vigil, confirm: false}
influx: {url: "http://127.0.0.1:8086/", api: v2, org: emergency, bucket: vigil, token_file: influx.token}
state_dir: letters
"""
V1 = """\
schema: 1
mqtt: {url: "mqtts://[::1]:8884"}
influx: {url: "https://db:8086", api: v1, database: vigil}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "mqtt.secret").write_text("x", encoding="utf-8")
    (folder / "influx.token").write_text("x", encoding="utf-8")
    path = folder / "ingest.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_ingest(write(folder, text))
    return [f"{each.line}:{each.column}: {each.path}: {each.text} ({each.hint})" for each in caught.value.problems]


def test_api_v2(tmp_path: Path) -> None:
    settings = load_ingest(write(tmp_path, V2))
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.tls) == ("127.0.0.1", 1883, None)
    assert (settings.mqtt.share, settings.mqtt.confirm) == ("vigil", False)
    assert settings.mqtt.password_file == tmp_path / "mqtt.secret"
    token = tmp_path / "influx.token"
    assert settings.influx == InfluxSettings(
        "http://127.0.0.1:8086", "v2", None, None, None, "emergency", "vigil", token
    )
    assert settings.state_dir == tmp_path / "letters"


def test_api_v1_and_defaults(tmp_path: Path) -> None:
    settings = load_ingest(write(tmp_path, V1))
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.confirm) == ("::1", 8884, True)
    assert settings.mqtt.tls is not None
    assert settings.mqtt.share is None
    assert (settings.influx.api, settings.influx.database, settings.influx.username) == ("v1", "vigil", None)
    assert settings.state_dir == tmp_path / "state"


@pytest.mark.parametrize(("written", "version"), [("auto", "auto"), ("5", "5"), ("5.0", "5"), ("3.1.1", "3.1.1")])
def test_mqtt_versions(tmp_path: Path, written: str, version: str) -> None:
    text = V1.replace('8884"}', f'8884", version: {written}}}')
    assert load_ingest(write(tmp_path, text)).mqtt.version == version


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """\
schema: 1
mqtt: {url: "mqtt://h:0", confirm: maybe, share: a/b, pasword_file: x}
influx: {url: "influx://h", api: v2, database: d, token: abc, org: o}
sate_dir: x
"""
    assert problems_of(tmp_path, text) == [
        "2:13: mqtt.url: the address has no usable host and port (such as mqtts://broker:8883)",
        "2:36: mqtt.confirm: true or false is expected here (write true or false)",
        "2:50: mqtt.share: may not hold / + or # (such as share: vigil)",
        "2:55: mqtt.pasword_file: there is no key pasword_file here (did you mean password_file?)",
        "3:1: influx.bucket: this key is missing (api: v2 needs it)",
        "3:1: influx.token_file: this key is missing (api: v2 needs it)",
        "3:15: influx.url: the address must start with one of http://, https:// (such as http://127.0.0.1:8086)",
        "3:38: influx.database: api: v2 has no use for this key (remove it, or change api)",
        "3:51: influx.token: a secret never stands in a configuration file (write token_file: the file that holds it)",
        "4:1: sate_dir: there is no key sate_dir here (did you mean state_dir?)",
    ]


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ("mqtt: {}\ninflux: {}\nschema: 1\n", "1:1: mqtt.url: this key is missing (such as url: mqtts://broker:8883)"),
        (
            V1.replace("api: v1", "api: v3"),
            "3:39: influx.api: this is none of the possible values (write one of v1, v2)",
        ),
        (
            V1.replace('8884"}', '8884", version: 3.1}'),
            "2:44: mqtt.version: there is no such MQTT version (write auto, 5 or 3.1.1)",
        ),
        (
            V1.replace("vigil}", "vigil, username: a}"),
            "3:60: influx.username: password_file is needed with it (such as password_file: influx.secret)",
        ),
        (
            V1.replace('8884"}', '8884", cert_file: mqtt.secret}'),
            "2:35: mqtt.cert_file: key_file is needed with it (add key_file)",
        ),
    ],
)
def test_one_problem(tmp_path: Path, broken: str, problem: str) -> None:
    assert problem in problems_of(tmp_path, broken)
