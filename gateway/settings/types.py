"""Settings as the rest of the product sees them: resolved (profiles merged, defaults applied, units in seconds),
frozen, with no trace of the file they came from but `source`.

`options` are the protocol's own typed keys (for Modbus: `drivers.modbus.options`), opaque here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from gateway.model import MaybeValue, Point, Priority, ReportPolicy, Text, Value, ValueType, is_same
from gateway.settings.notify_types import AnnunciatorSettings, NotifySettings


@dataclass(frozen=True, slots=True)
class Mandatory:
    """One requirement for readiness: at least one of `points` usable. Applies while the device's facts equal `when`."""

    points: tuple[str, ...]
    when: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class VocabularyPoint:
    name: str
    type: ValueType
    unit: str
    label: Text
    words: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class VocabularyFact:
    """An input a person gives about a device or site, not measured."""

    name: str
    type: ValueType
    unit: str
    label: Text
    words: Mapping[str, Text]
    default: Value | None
    is_date: bool
    """Written YYYY-MM-DD."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One `config/vocabulary/<kind>.yaml`."""

    name: str
    label: Text
    points: Mapping[str, VocabularyPoint]
    facts: Mapping[str, VocabularyFact]
    mandatory: tuple[Mandatory, ...]


@dataclass(frozen=True, slots=True)
class LineSettings:
    id: str
    protocol: str
    endpoint: str
    """What two lines may not share: `serial:/dev/...`, `tcp:10.0.0.5:502`, `udp:...`."""
    options: object


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of an interlock: `point` of the same device, `operator` == != < <= > >=, a literal."""

    point: str
    operator: str
    value: Value

    def __str__(self) -> str:
        shown = f"'{self.value}'" if isinstance(self.value, str) else str(self.value).lower()
        return f"{self.point} {self.operator} {shown}"


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """Who may write a point, within which limits, while which conditions hold; profile and site laid together."""

    roles: tuple[str, ...]
    limits: tuple[float, float] | None
    interlock: tuple[Clause, ...] = ()
    """All must hold; what cannot be told does not."""
    two_step: bool = False
    """Armed first, then written with the token of the arming; always so for machines."""


IDENTITY_SHARE = 0.02
"""The share of its line's time that looking at the identity of one device may take."""


@dataclass(frozen=True, slots=True)
class IdentityMark:
    """A place that tells this device from others: read again and again. One of `equals` is found there, or a text that
    begins with `begins`; exactly one of the two is given."""

    point: Point
    equals: tuple[Value, ...]
    is_of_model: bool = True
    """Stands in the profile; False where it tells one device from others of its model, such as a serial number."""
    begins: str = ""

    def fits(self, found: MaybeValue) -> bool:
        """Whether `found` is what stands there on the right device."""
        if self.begins:
            return isinstance(found, str) and found.startswith(self.begins)
        return any(is_same(found, each) for each in self.equals)

    @property
    def wanted(self) -> tuple[Value, ...]:
        """What may be found, to be shown."""
        return (f"{self.begins}*",) if self.begins else self.equals


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    id: str
    name: Text | None
    kind: str
    profile: str | None
    line: str
    points: tuple[Point, ...]
    interval_s: float
    facts: Mapping[str, Value]
    """With the vocabulary's defaults applied."""
    mandatory: tuple[Mandatory, ...]
    """Those of the kind that apply to this device, `not_measured` taken out."""
    depends_on: tuple[str, ...]
    not_measured: tuple[str, ...]
    options: object
    writes: Mapping[str, WritePolicy] = field(default_factory=lambda: MappingProxyType({}))
    """Points that may be written; no other may."""
    identity: tuple[IdentityMark, ...] = ()
    """Those of the profile and of the device entry; all must fit before a value is believed."""
    longest_interval_s: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """By response level: nothing is asked more rarely while it, or a more severe one, holds (`settings.pace`)."""


@dataclass(frozen=True, slots=True)
class Tls:
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is. The password is read from its file at connect, so that it may be changed."""

    host: str
    port: int
    tls: Tls | None
    username: str | None
    password_file: Path | None
    confirm: str | bool
    """Gateway: `ingest` or `broker`. Ingest: whether this share group confirms."""
    share: str | None = None
    client_id: str | None = None
    keepalive_s: int = 30
    version: str = "auto"
    """`auto` (5.0, and 3.1.1 where the broker has no more), `5` or `3.1.1`."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    host: str
    port: int
    read: str = "open"
    """`open` to everybody who reaches the address, or `login`."""
    certificate: tuple[Path, Path] | None = None
    """Certificate and private key: the page is https."""
    is_self_signed: bool = False
    """The page makes a certificate of its own, in the state directory."""


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """What the machine's clock is worth while it is not synchronised."""

    hardware: str = "auto"
    """`trusted` counts as synchronised; `auto`: rows go out at once, as `free`, if the time at boot came from a clock
    that runs while the machine is off; `none`: rows wait."""
    wait_s: float = 600.0
    """After this time since boot without synchronisation, rows that wait go out as `free`."""


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """How people deal with alarms at a site."""

    two_person_ack: tuple[Priority, ...] = ()
    """Priorities that two different people have to acknowledge."""
    longest_shelf_s: float = 8 * 3600.0
    journal_days: float = 400.0
    """How long the journal of alarms is kept."""

    def acks_needed(self, priority: Priority) -> int:
        return 2 if priority in self.two_person_ack else 1

    def shelvers_needed(self, priority: Priority) -> int:
        """A critical alarm is shelved by two people."""
        return 2 if priority is Priority.CRITICAL else 1


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """One site file, resolved."""

    source: Path
    digest: str
    """`sha256:<hex>` over the site file and every profile and pack it uses."""
    id: str
    name: Text
    kind: str
    latitude: float | None
    longitude: float | None
    timezone: str
    labels: Mapping[str, str]
    language: str
    facts: Mapping[str, Value]
    lines: tuple[LineSettings, ...]
    devices: tuple[DeviceSettings, ...]
    kinds: Mapping[str, Kind]
    """The vocabulary of every kind."""
    rules: tuple[str, ...]
    """Names of rule packs as written: `builtin/generator` or a path beside the file."""
    rule_overrides: Mapping[str, Mapping[str, object]]
    required: Mapping[str, int]
    report: ReportPolicy
    mqtt: MqttSettings | None
    web: WebSettings | None
    state_dir: Path
    operators_file: Path | None = None
    """Lines `name role argon2-hash` (`gateway.operators`)."""
    clock: ClockSettings = ClockSettings()
    notify: NotifySettings | None = None
    annunciator: AnnunciatorSettings | None = None
    alarms: AlarmSettings = AlarmSettings()


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    url: str
    api: str
    """`v1` or `v2`."""
    database: str | None
    username: str | None
    password_file: Path | None
    org: str | None
    bucket: str | None
    token_file: Path | None


@dataclass(frozen=True, slots=True)
class IngestSettings:
    source: Path
    mqtt: MqttSettings
    influx: InfluxSettings
    state_dir: Path
    metrics: WebSettings | None = None
