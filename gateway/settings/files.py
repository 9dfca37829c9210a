"""The keys of the files people write, one model each. What needs more than one key to judge is judged elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.settings.notify_keys import AnnunciatorKeys, NotifyKeys, Priorities
from gateway.settings.values import (
    BothLanguages,
    Duration,
    FileModel,
    Id,
    MqttVersion,
    Number,
    ProfileName,
    Report,
    SiteWriteKeys,
    Snake,
    Span,
    Truth,
    Unit,
    Whole,
    Words,
    WriteKeys,
)

Version = Annotated[Literal[1], Field(alias="schema", description="Version of the file format.", examples=[1])]


class LocationKeys(FileModel):
    """Where the site is, WGS 84 degrees."""

    lat: Annotated[Number, Field(ge=-90, le=90, examples=[36.62])]
    lon: Annotated[Number, Field(ge=-180, le=180, examples=[101.8])]


class SiteKeys(FileModel):
    """Who and where."""

    id: Annotated[Id, Field(description="Unique in the fleet.", examples=["depot-07"])]
    name: Annotated[
        BothLanguages, Field(description="Name shown to operators.", examples=[{"zh": "城东库", "en": "East depot"}])
    ]
    kind: Annotated[Snake, Field(description="What the place is.", examples=["warehouse", "shelter"])]
    location: LocationKeys | None = None
    timezone: Annotated[Words, Field(description="IANA name.", examples=["Asia/Shanghai"])] = "Asia/Shanghai"
    labels: Annotated[dict[Snake, Words], Field(default_factory=dict, description="Become InfluxDB tags.")]
    language: Annotated[Literal["zh", "en"], Field(description="Language of the site's own screens.")] = "zh"
    facts: Annotated[
        dict[Snake, Any], Field(default_factory=dict, description="What a person knows and nothing measures.")
    ]


class LineKeys(FileModel):
    """Keys of a line that every protocol shares."""

    protocol: Annotated[str, Field(description="The language spoken on the line.")] = "modbus"


class PointKeys(FileModel):
    """Keys of a point that every protocol shares."""

    name: Annotated[
        BothLanguages | None, Field(description="Name shown to operators; default from the vocabulary.")
    ] = None
    unit: Annotated[Unit | None, Field(description="Engineering unit; default from the vocabulary.")] = None
    range: Annotated[Span | None, Field(description="Engineering limits; a value outside is uncertain.")] = None
    interval: Annotated[Duration | None, Field(description="Where it differs from the device's.")] = None
    report: Annotated[Report | None, Field(description="When the point is sent.")] = None
    write: Annotated[
        WriteKeys | None,
        Field(description="Who may write the point where the device's own `write` names it too; else nobody."),
    ] = None


class DeviceDefaults(FileModel):
    """Keys of a device that a profile may give as well."""

    interval: Annotated[Duration | None, Field(description="How often the device is polled.")] = None
    facts: Annotated[
        dict[Snake, Any], Field(default_factory=dict, description="What a person knows and nothing measures.")
    ]
    not_measured: Annotated[
        tuple[Snake, ...], Field(description="Mandatory points this device is known not to have.")
    ] = ()
    report: Annotated[Report | None, Field(description="When points are sent.")] = None


class PaceKeys(FileModel):
    """The longest interval at each response level; a level that is left out has that of the next milder one."""

    fourth: Annotated[Duration | None, Field(alias="IV", description="At level IV and above.")] = None
    third: Annotated[Duration | None, Field(alias="III", description="At level III and above.")] = None
    second: Annotated[Duration | None, Field(alias="II", description="At level II and above.", examples=["10s"])] = None
    first: Annotated[Duration | None, Field(alias="I", description="At level I.", examples=["5s"])] = None


class DeviceKeys(DeviceDefaults):
    """Keys of a device that every protocol shares."""

    id: Annotated[Id, Field(description="Unique at the site.", examples=["gen-1"])]
    name: Annotated[
        BothLanguages | None,
        Field(description="Name shown to operators.", examples=[{"zh": "城东库", "en": "East depot"}]),
    ] = None
    kind: Annotated[
        Snake | None, Field(description="What it is; the vocabulary lists the kinds.", examples=["generator"])
    ] = None
    profile: Annotated[ProfileName | None, Field(description="The device model, vendor/model.")] = None
    line: Annotated[str, Field(description="The line it hangs on.", examples=["genset-bus"])]
    longest_interval: Annotated[
        PaceKeys | None,
        Field(description="By response level, where it differs from the site's.", examples=[{"II": "10s"}]),
    ] = None
    depends_on: Annotated[tuple[Id, ...], Field(description="Devices this one is of no use without.")] = ()
    write: Annotated[
        dict[Snake, SiteWriteKeys],
        Field(
            default_factory=dict,
            description="Points that may be written at this site, of those that their own `write` allows.",
            examples=[{"relay_1": {"roles": ["duty"]}}],
        ),
    ]
    identity: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            description="What tells this device from others of its model, such as its serial number.",
            examples=[[{"at": "holding:770", "type": "uint32", "equals": 20431}]],
        ),
    ]
    points: Annotated[
        dict[str, dict[str, Any]], Field(default_factory=dict, description="Points beside or instead of the profile's.")
    ]


class MqttKeys(FileModel):
    """A broker."""

    url: Annotated[str, Field(description="mqtt://host:1883 or mqtts://host:8883.", examples=["mqtts://broker:8883"])]
    username: Words | None = None
    password_file: Annotated[Words | None, Field(description="File that holds the password.")] = None
    ca_file: Annotated[Words | None, Field(description="Certificates to trust; the system's own by default.")] = None
    cert_file: Annotated[Words | None, Field(description="Client certificate.")] = None
    key_file: Annotated[Words | None, Field(description="Key of the client certificate.")] = None
    version: Annotated[MqttVersion, Field(description="MQTT 5, and 3.1.1 where the broker has no more.")] = "auto"
    client_id: Annotated[Words | None, Field(description="Made of the site's id by default.")] = None
    keepalive: Annotated[Duration | None, Field(description="Longest silence on the connection.")] = None


class SiteMqttKeys(MqttKeys):
    """The broker a site sends to."""

    confirm: Annotated[
        Literal["ingest", "broker"], Field(description="Whose word lets the outbox forget a message.")
    ] = "ingest"


class IngestMqttKeys(MqttKeys):
    """The broker ingest takes from."""

    share: Annotated[Words | None, Field(description="Share group; a plain subscription without it.")] = None
    confirm: Annotated[Truth, Field(description="Whether this group tells gateways what is stored.")] = True


class UplinkKeys(FileModel):
    """The way to the centre."""

    mqtt: Annotated[dict[str, Any], Field(examples=[{"url": "mqtts://broker:8883"}])]


class WebKeys(FileModel):
    """The page at the site."""

    listen: Annotated[str, Field(description="Address and port of the page.", examples=["127.0.0.1:8321"])]
    read: Annotated[
        Literal["open", "login"] | None,
        Field(
            description="Who may read: everybody who reaches the address, or who has logged in (needs operators_file). "
            "To be said where other machines reach it; on this machine alone the default is open."
        ),
    ] = None
    cert_file: Annotated[
        Words | None, Field(description="Certificate of the page (PEM); with it the page is https.")
    ] = None
    key_file: Annotated[Words | None, Field(description="Its private key (PEM, without a password).")] = None
    tls: Annotated[
        Literal["self_signed"] | None,
        Field(
            description="self_signed: the page is https with a certificate it makes for itself and renews; people "
            "compare its fingerprint once (`vigil doctor` tells it)."
        ),
    ] = None


class ClockKeys(FileModel):
    """What the machine's clock is worth while it is not synchronised."""

    hardware: Annotated[
        Literal["auto", "trusted", "none"],
        Field(
            description="trusted: counts as synchronised. auto: values go out at once, labelled free, if the machine "
            "has a clock that runs while it is off. none: they wait for synchronisation."
        ),
    ] = "auto"
    wait: Annotated[
        Duration | None,
        Field(description="This long after boot without synchronisation, what waits goes out as free; 10m by default."),
    ] = None


class AlarmKeys(FileModel):
    """How people deal with alarms."""

    two_person_ack: Annotated[
        Priorities,
        Field(description="Priorities that two different people have to acknowledge.", examples=[["critical"]]),
    ] = ()
    longest_shelf: Annotated[
        Duration | None, Field(description="The longest an alarm may be shelved for; 8h by default.")
    ] = None
    journal: Annotated[
        Duration | None, Field(description="How long the journal of alarms is kept; 400d by default, 30d at least.")
    ] = None


class SiteFile(FileModel):
    """One site."""

    version: Version
    site: Annotated[dict[str, Any], Field(examples=[{"id": "depot-07", "name": {"zh": "城东库", "en": "East depot"}}])]
    lines: Annotated[
        dict[str, dict[str, Any]],
        Field(default_factory=dict, description="What can be busy: serial ports, TCP endpoints."),
    ]
    devices: Annotated[list[Any], Field(default_factory=list, description="The equipment.")]
    rules: Annotated[
        tuple[Words, ...],
        Field(
            description="Rule packs: builtin/<name>, or a path.",
            examples=[["builtin/generator", "builtin/communication", "builtin/gateway"]],
        ),
    ] = ()
    rule_overrides: Annotated[
        dict[Snake, dict[str, Any]],
        Field(default_factory=dict, description="Single values of rules, changed for this site."),
    ]
    required: Annotated[
        dict[Snake, Annotated[Whole, Field(ge=0)]],
        Field(default_factory=dict, description="How many of a kind must be usable.", examples=[{"generator": 1}]),
    ]
    uplink: dict[str, Any] | None = None
    report: Annotated[
        Report | None, Field(description="When points are sent; on change and every 60 s by default.")
    ] = None
    longest_interval: Annotated[
        PaceKeys | None,
        Field(
            description="By response level: nothing is asked more rarely while that level holds; for all devices that "
            "do not say otherwise.",
            examples=[{"II": "10s", "I": "5s"}],
        ),
    ] = None
    notify: Annotated[NotifyKeys | None, Field(description="Who is told of alarms; nobody where this is absent.")] = (
        None
    )
    annunciator: Annotated[
        AnnunciatorKeys | None,
        Field(description="A horn or lamp that sounds for new alarms, with or without a network."),
    ] = None
    alarms: AlarmKeys | None = None
    web: WebKeys | None = None
    clock: ClockKeys | None = None
    operators_file: Annotated[
        Words | None, Field(description="Who may give orders: lines `name role argon2-hash`.", examples=["operators"])
    ] = None
    state_dir: Annotated[Words, Field(description="Where the gateway keeps its state.")] = "state"


class InfluxKeys(FileModel):
    """The database."""

    url: Annotated[str, Field(description="http or https address.", examples=["http://127.0.0.1:8086"])]
    api: Annotated[Literal["v1", "v2"], Field(description="v1 for InfluxDB 1.x, v2 for 2.x and 3.x.", examples=["v1"])]
    database: Annotated[Words | None, Field(description="v1: created if missing.")] = None
    username: Annotated[Words | None, Field(description="v1.")] = None
    password_file: Annotated[Words | None, Field(description="v1: file that holds the password.")] = None
    org: Annotated[Words | None, Field(description="v2.")] = None
    bucket: Annotated[Words | None, Field(description="v2.")] = None
    token_file: Annotated[Words | None, Field(description="v2: file that holds the token.")] = None


class MetricsKeys(FileModel):
    """The ingest's own health, for Prometheus and for a look with a browser."""

    listen: Annotated[str, Field(description="Address and port of /metrics and /health.", examples=["127.0.0.1:9321"])]


class IngestFile(FileModel):
    """The centre's side."""

    version: Version
    mqtt: Annotated[dict[str, Any], Field(examples=[{"url": "mqtt://127.0.0.1:1883"}])]
    influx: Annotated[
        dict[str, Any],
        Field(examples=[{"url": "http://127.0.0.1:8086", "api": "v2", "org": "emergency", "bucket": "vigil"}]),
    ]
    metrics: MetricsKeys | None = None
    state_dir: Annotated[Words, Field(description="Where dead letters are kept.")] = "state"


class ProfileFile(FileModel):
    """One device model."""

    version: Version
    vendor: Annotated[Words, Field(examples=["SmartGen"])]
    model: Annotated[Words, Field(examples=["HGM6100N"])]
    kind: Annotated[Snake | None, Field(examples=["generator"])] = None
    name: Annotated[
        BothLanguages | None, Field(examples=[{"zh": "众智 HGM6100N 控制器", "en": "SmartGen HGM6100N controller"}])
    ] = None
    protocol: str | None = None
    source: Annotated[tuple[Words, ...], Field(description="The documents the numbers come from.")] = ()
    confidence: Annotated[Literal["high", "medium", "low"] | None, Field(description="How sure the map is.")] = None
    firmware: Annotated[tuple[Words, ...], Field(description="Firmware versions the map was seen with.")] = ()
    caveats: Annotated[tuple[BothLanguages, ...], Field(description="What one has to know before relying on it.")] = ()
    extends: Annotated[ProfileName | None, Field(description="A profile this one builds on.")] = None
    line: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="Factory settings of the port, for lines that do not say."),
    ]
    unit: Annotated[Any, Field(description="Factory unit id.")] = None
    device: Annotated[dict[str, Any], Field(default_factory=dict, description="Defaults for keys of the device.")]
    identity: Annotated[
        list[dict[str, Any]], Field(default_factory=list, description="What tells this model from others.")
    ]
    points: Annotated[dict[str, Any], Field(default_factory=dict, description="What can be read.")]


class VocabularyPointKeys(FileModel):
    """One known point of a kind."""

    type: Literal["number", "boolean", "string"]
    unit: Unit = ""
    name: BothLanguages
    words: Annotated[dict[str, BothLanguages], Field(default_factory=dict)]


class VocabularyFactKeys(FileModel):
    """One known fact of a kind."""

    type: Literal["number", "boolean", "string", "date"]
    unit: Unit = ""
    name: BothLanguages
    words: Annotated[dict[str, BothLanguages], Field(default_factory=dict)]
    default: Any = None


class RequirementKeys(FileModel):
    """What must be usable, where the facts are such."""

    point: Snake | None = None
    any: list[Snake] | None = None
    when: Annotated[dict[Snake, Any], Field(default_factory=dict)]


class VocabularyFile(FileModel):
    """The words of one kind."""

    version: Version
    kind: Snake
    name: BothLanguages
    points: dict[Snake, VocabularyPointKeys]
    facts: Annotated[dict[Snake, VocabularyFactKeys], Field(default_factory=dict)]
    mandatory: Annotated[list[str | RequirementKeys], Field(default_factory=list)]
