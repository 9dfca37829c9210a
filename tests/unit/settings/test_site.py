"""A good site file becomes the settings it describes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from drivers.modbus import MODBUS
from gateway.errors import ConfigError
from gateway.model import Point, ReportPolicy, Text, ValueType
from gateway.settings import load_site
from gateway.settings.profiles import load_profile
from gateway.settings.types import Clause, DeviceSettings, Mandatory, SiteSettings, WebSettings, WritePolicy
from tests.unit.settings.fake import FAKES
from tests.unit.settings.sample import BASE_PROFILE, GOOD, PROFILE, write_site

PROTOCOLS = {"modbus": MODBUS}


@pytest.fixture
def site(tmp_path: Path) -> SiteSettings:
    return load_site(write_site(tmp_path), PROTOCOLS)


def device_of(site: SiteSettings, name: str) -> DeviceSettings:
    return next(device for device in site.devices if device.id == name)


def point_of(site: SiteSettings, device: str, name: str) -> Point:
    return next(point for point in device_of(site, device).points if point.name == name)


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_site(path, PROTOCOLS)
    return [str(problem).removeprefix(f"{path.parent}/") for problem in caught.value.problems]


def test_the_site_itself(site: SiteSettings, tmp_path: Path) -> None:
    assert (site.id, site.kind, site.language, site.timezone) == ("depot-07", "warehouse", "zh", "Asia/Shanghai")
    assert site.name == Text("城东应急物资储备库", "Chengdong supply depot")
    assert (site.latitude, site.longitude) == (36.62, 101.8)
    assert site.labels == {"city": "xining", "county": "chengdong", "town": "ledu-lu"}
    assert site.facts == {"response_level": "IV", "mode": "normal"}
    assert site.required == {"generator": 1, "pump": 2}
    assert site.rules == ("own.yaml",)
    assert site.rule_overrides == {"battery_low": {"high": 11.5}}
    assert site.report == ReportPolicy(90.0)
    assert site.web == WebSettings("127.0.0.1", 8321)
    assert site.state_dir == tmp_path / "state"
    assert set(site.kinds) >= {"generator", "tank", "gateway"}


def test_the_broker(site: SiteSettings, tmp_path: Path) -> None:
    mqtt = site.mqtt
    assert mqtt is not None
    assert mqtt.tls is not None
    assert (mqtt.host, mqtt.port, mqtt.username, mqtt.confirm) == ("broker", 8883, "depot-07", "ingest")
    assert (mqtt.password_file, mqtt.tls.ca_file) == (tmp_path / "mqtt.secret", tmp_path / "ca.pem")
    assert mqtt.keepalive_s == 60


def test_defaults_of_a_short_file(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("schema: 1\nsite: {id: a, name: {zh: 甲, en: A}, kind: shelter}\n", encoding="utf-8")
    site = load_site(path, PROTOCOLS)
    assert (site.language, site.timezone, site.mqtt, site.web, site.devices) == ("zh", "Asia/Shanghai", None, None, ())
    assert site.report == ReportPolicy(60.0)


def test_a_device_laid_on_its_profile(site: SiteSettings) -> None:
    generator = device_of(site, "gen-1")
    assert (generator.kind, generator.profile, generator.line) == ("generator", "acme/g1", "genset-bus")
    assert generator.interval_s == 1.0
    assert [point.name for point in generator.points] == [
        "battery_voltage",
        "mode",
        "alarm_low_oil",
        "alarm_overspeed",
    ]
    assert [point.type for point in generator.points] == [
        ValueType.NUMBER,
        ValueType.STRING,
        ValueType.BOOLEAN,
        ValueType.BOOLEAN,
    ]
    options = MODBUS.device_options.model_validate({"unit": 3, "timeout": "500ms"})
    assert generator.options == options


def test_facts_come_from_vocabulary_site_profile_and_device(site: SiteSettings) -> None:
    facts = device_of(site, "gen-1").facts
    assert facts["rated_frequency"] == 50  # the vocabulary's default
    assert facts["response_level"] == "IV"  # the site's situation
    assert facts["battery_nominal_voltage"] == 12  # the profile it extends
    assert facts["rated_power"] == 50  # the profile
    assert facts["tank_capacity"] == 200  # the device, over the profile's 100


def test_an_inline_point_replaces_the_profile_s(tmp_path: Path) -> None:
    own = 'unit: 3, points: {mode: {at: "holding:9", enum: {5: manual}}, speed: {at: "holding:1"}}'
    site = load_site(write_site(tmp_path, GOOD.replace("unit: 3", own)), PROTOCOLS)
    names = [point.name for point in device_of(site, "gen-1").points]
    assert names == ["battery_voltage", "mode", "alarm_low_oil", "alarm_overspeed", "speed"]
    assert point_of(site, "gen-1", "speed").unit == "rpm"
    mode = point_of(site, "gen-1", "mode")
    assert (
        mode.options
        == MODBUS.points("mode", MODBUS.point_options.model_validate({"at": "holding:9", "enum": {5: "manual"}}))[
            0
        ].options
    )


def test_report_policies_from_site_device_and_point(site: SiteSettings) -> None:
    assert point_of(site, "gen-1", "battery_voltage").report == ReportPolicy(90.0)
    assert point_of(site, "tank-1", "volume").report == ReportPolicy(90.0, 0.5)
    assert point_of(site, "tank-1", "level").report == ReportPolicy(30.0, 0.01)
    assert point_of(site, "tank-1", "temperature").report == ReportPolicy(90.0, None, poll=True)
    assert point_of(site, "tank-1", "pump").report == ReportPolicy(90.0)  # a boolean has no deadband


def test_points_take_unit_label_and_words_from_the_vocabulary(site: SiteSettings) -> None:
    level = point_of(site, "tank-1", "level")
    assert (level.unit, level.limits, level.interval_s) == ("m", (0.0, 4.0), 5.0)
    assert level.label == site.kinds["tank"].points["level"].label
    assert point_of(site, "tank-1", "temperature").interval_s == 60.0
    assert point_of(site, "tank-1", "pump").label == Text("泵", "Pump")
    assert point_of(site, "gen-1", "mode").words["auto"] == Text("自动", "Automatic")


def test_writes_stand_only_where_they_are_allowed(site: SiteSettings) -> None:
    assert device_of(site, "tank-1").writes == {
        "pump": WritePolicy(("duty",), None, (Clause("level", ">", Decimal(1)), Clause("volume", "<", Decimal(90))))
    }
    assert device_of(site, "gen-1").writes == {}


def test_mandatory_points_without_those_not_measured(site: SiteSettings) -> None:
    mandatory = device_of(site, "gen-1").mandatory
    assert Mandatory(("battery_voltage",), {}) in mandatory
    assert all("run_time" not in each.points for each in mandatory)
    assert any("run_time" in each.points for each in site.kinds["generator"].mandatory)


def test_a_port_takes_the_maker_s_settings_where_the_file_says_nothing(site: SiteSettings) -> None:
    bus, lan = site.lines
    port = MODBUS.line_options.model_validate(
        {"serial": "/dev/serial/by-id/usb-FTDI_A1", "baudrate": 19200, "parity": "N"}
    )
    assert bus.options == port
    assert (bus.endpoint, lan.endpoint) == ("serial:/dev/serial/by-id/usb-FTDI_A1", "tcp:10.0.0.5:502")
    assert lan.options == MODBUS.line_options.model_validate({"tcp": "10.0.0.5:502"})


def test_two_makers_settings_on_one_port_need_a_word(tmp_path: Path) -> None:
    more = "  - {id: gen-2, profile: acme/slow, line: genset-bus, unit: 4}\n  - id: tank-1\n"
    path = write_site(tmp_path, GOOD.replace("  - id: tank-1\n", more))
    slow = BASE_PROFILE.replace("19200", "2400")
    (tmp_path / "profiles" / "acme" / "slow.yaml").write_text(slow, encoding="utf-8")
    assert problems_of(path) == [
        (
            "site.yaml:12:3: lines.genset-bus.baudrate: the maker of gen-1 sets 19200, that of gen-2 2400 "
            "(write baudrate on the line, and set the devices to it)"
        )
    ]


def test_the_digest_covers_site_profiles_and_packs(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    digests = [load_site(path, PROTOCOLS).digest]
    for changed in ("site.yaml", "profiles/acme/base.yaml", "own.yaml"):
        with (tmp_path / changed).open("a", encoding="utf-8") as stream:
            stream.write("# changed\n")
        digests.append(load_site(path, PROTOCOLS).digest)
    assert len(set(digests)) == 4
    assert all(digest.startswith("sha256:") and len(digest) == 71 for digest in digests)
    assert load_site(path, PROTOCOLS).digest == digests[-1]


def test_a_fault_in_a_profile_stands_in_the_profile_s_file_once(tmp_path: Path) -> None:
    more = "  - {id: gen-2, profile: acme/g1, line: genset-bus, unit: 4}\n  - id: tank-1\n"
    path = write_site(tmp_path, GOOD.replace("  - id: tank-1\n", more))
    (tmp_path / "profiles" / "acme" / "g1.yaml").write_text(PROFILE.replace("unit: V", "unit: mV"), encoding="utf-8")
    assert problems_of(path) == [
        (
            "profiles/acme/g1.yaml:10:57: points.battery_voltage.unit: battery_voltage of a generator is in V, not mV "
            "(write unit: V and convert with scale)"
        )
    ]


def test_faults_of_profiles(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    (tmp_path / "profiles" / "acme" / "g1.yaml").write_text(
        PROFILE.replace("model: G1", "modle: G1")
        .replace("one}", "}")
        .replace("equals", "eqals")
        .replace("{rated_power: 50}", "{rated_pwer: 50}, retries: 3"),
        encoding="utf-8",
    )
    found = [problem.split(": ", 2)[:2] for problem in problems_of(path)]
    assert found == [
        ["profiles/acme/g1.yaml:1:1", "model"],
        ["profiles/acme/g1.yaml:3:1", "modle"],
        ["profiles/acme/g1.yaml:5:23", "caveats[0].en"],
        ["profiles/acme/g1.yaml:7:12", "identity[0].equals"],
        ["profiles/acme/g1.yaml:7:30", "identity[0].eqals"],
        ["profiles/acme/g1.yaml:8:18", "device.facts.rated_pwer"],
        ["profiles/acme/g1.yaml:8:35", "device.retries"],
    ]


def test_a_profile_that_extends_itself(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    base = tmp_path / "profiles" / "acme" / "base.yaml"
    base.write_text(BASE_PROFILE.replace("kind:", "extends: acme/g1\nkind:"), encoding="utf-8")
    assert problems_of(path) == [
        (
            "profiles/acme/base.yaml:4:10: extends: this profile extends itself, directly or through others "
            "(remove one extends)"
        )
    ]


def test_a_profile_file_by_itself(tmp_path: Path) -> None:
    write_site(tmp_path)
    profile = load_profile(tmp_path / "profiles" / "acme" / "g1.yaml", PROTOCOLS)
    assert (profile.kind, list(profile.points)) == ("generator", ["battery_voltage", "mode", "alarm"])


def test_what_a_protocol_finds_stands_at_its_place(tmp_path: Path) -> None:
    lines = 'lines: {a: {tcp: "h:1"}}\n'
    site = "schema: 1\nsite: {id: a, name: {zh: 甲, en: A}, kind: shelter}\n" + lines + "devices:\n"
    points = "points: {volume: {at: 1}, level: {at: 1}}"
    path = tmp_path / "site.yaml"
    path.write_text(f"{site}  - {{id: t, kind: tank, line: a, unit: 13, {points}}}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_site(path, FAKES, "zh")
    assert [(each.line, each.column, each.path, each.text) for each in caught.value.problems] == [
        (5, 40, "devices[0].unit", "不吉利"),
        (5, 82, "devices[0].points.level.at", "taken"),
    ]


def test_one_wrong_device_does_not_hide_faults_of_the_others(tmp_path: Path) -> None:
    text = GOOD.replace("line: genset-bus", "line: nowhere").replace('"holding:43"', '"holding:40"')
    found = problems_of(write_site(tmp_path, text))
    assert len(found) == 2
    assert "devices[0].line" in found[0]
    assert "devices[1].points.temperature" in found[1]


@pytest.mark.parametrize("name", ["missing.yaml", "folder", "own.yaml/below", "a\0b"])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    write_site(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError) as caught:
        load_site(tmp_path / name, PROTOCOLS)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.path) == (1, 1, ".")


def test_every_site_file_that_ships_is_good(tmp_path: Path) -> None:
    folder = Path(__file__).parents[3] / "config" / "sites"
    for path in folder.glob("*.yaml"):
        if path.stem != "ingest":
            copy = tmp_path / path.name
            copy.write_bytes(path.read_bytes())
            (tmp_path / "mqtt.secret").write_text("x", encoding="utf-8")
            assert load_site(copy, PROTOCOLS).devices


def sensor_site(folder: Path, points: str, more: str = "") -> Path:
    """A site whose warehouse is watched by a device with a sensor's profile."""
    profiles = folder / "profiles" / "acme"
    profiles.mkdir(parents=True)
    (profiles / "probe.yaml").write_text(
        f"schema: 1\nvendor: Acme\nmodel: Probe\nkind: sensor\nname: {{zh: 探头, en: Probe}}\npoints:\n  {points}\n",
        encoding="utf-8",
    )
    path = folder / "site.yaml"
    path.write_text(
        "schema: 1\nsite: {id: a, name: {zh: 甲, en: A}, kind: warehouse}\n"
        'lines: {lan: {tcp: "10.0.0.5:502"}}\ndevices:\n'
        f"  - {{id: room, kind: warehouse, profile: acme/probe, line: lan, unit: 1{more}}}\n",
        encoding="utf-8",
    )
    return path


def test_a_sensor_serves_a_device_of_another_kind(tmp_path: Path) -> None:
    points = 'temperature: {at: "holding:0", scale: 0.1}\n  oxygen: {at: "holding:1"}'
    site = load_site(sensor_site(tmp_path, points), PROTOCOLS)
    room = device_of(site, "room")
    assert room.kind == "warehouse"
    assert room.mandatory == site.kinds["warehouse"].mandatory
    temperature, oxygen = room.points
    assert (temperature.unit, temperature.label) == ("°C", site.kinds["warehouse"].points["temperature"].label)
    assert "oxygen" not in site.kinds["warehouse"].points
    assert (oxygen.unit, oxygen.label) == ("%", Text("氧气浓度", "Oxygen"))


def test_a_sensor_s_point_must_be_what_the_other_kind_calls_so(tmp_path: Path) -> None:
    path = sensor_site(tmp_path, 'humidity: {at: "holding:0"}\n  door_open: {at: "holding:1", unit: m}')
    profile = tmp_path / "profiles" / "acme" / "probe.yaml"
    profile.write_text(profile.read_text(encoding="utf-8").replace("door_open", "utilisation"), encoding="utf-8")
    assert point_of(load_site(path, PROTOCOLS), "room", "utilisation").unit == "m"
    tank = path.read_text(encoding="utf-8").replace("kind: warehouse, profile", "kind: tank, profile")
    path.write_text(tank, encoding="utf-8")
    profile.write_text(profile.read_text(encoding="utf-8").replace("utilisation", "fill_level"), encoding="utf-8")
    (problem,) = problems_of(path)
    assert problem.startswith("site.yaml:5:37: devices[0].profile: fill_level of this model is not what a tank calls")
    own = ', points: {fill_level: {at: "holding:1"}}'
    path.write_text(tank.replace("unit: 1", f"unit: 1{own}"), encoding="utf-8")
    assert point_of(load_site(path, PROTOCOLS), "room", "fill_level").unit == "%"


@pytest.mark.parametrize(
    ("web", "read"),
    [
        ('{listen: "127.0.0.1:8321"}', "open"),
        ('{listen: "[::1]:8321"}', "open"),
        ('{listen: "127.0.0.1:8321", read: login}', "login"),
        ('{listen: "0.0.0.0:8321", read: open}', "open"),
        ('{listen: "10.1.2.3:8321", read: login}', "login"),
    ],
)
def test_who_may_read_the_page(tmp_path: Path, web: str, read: str) -> None:
    (tmp_path / "operators").write_text("")
    short = "schema: 1\nsite: {id: a, name: {zh: 甲, en: A}, kind: shelter}\noperators_file: operators\n"
    site = load_site(write_site(tmp_path, f"{short}web: {web}\n"), PROTOCOLS)
    assert site.web is not None
    assert site.web.read == read
