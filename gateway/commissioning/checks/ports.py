"""Serial ports: there, allowed, under a name that stays, and quick to answer."""

from __future__ import annotations

import grp
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.commissioning.findings import Finding, Grade, fine
from gateway.model import Text

TOPIC = "ports"
BY_ID = Path("dev/serial/by-id")
LATENCY = Path("sys/bus/usb-serial/devices")
#: USB adapters that wait longer than this before they hand on what came make every poll slower.
LOW_LATENCY_MS = 1
_DIALOUT = "dialout"
_USB = ("ttyUSB", "ttyACM")


def check_ports(ports: list[Path], root: Path = Path("/")) -> Iterator[Finding]:
    """The configured ports; all there are where none is configured. `root` is where dev and sys are."""
    found = list_ports(root)
    if not ports and not found:
        yield Finding(
            TOPIC,
            Grade.NOTE,
            Text("没有找到串口", "no serial port was found"),
            Text("用串口设备时接上 RS-485 适配器", "plug in an RS-485 adapter if devices are on serial lines"),
        )
    for port in ports or found:
        yield from _check_port(port, root)


def list_ports(root: Path = Path("/")) -> list[Path]:
    """Ports a device may hang on, each under its stable name where it has one."""
    stable = by_id(root)
    known = set(stable.values())
    others = [path for name in _USB for path in sorted((root / "dev").glob(f"{name}*")) if path not in known]
    return [*sorted(stable), *others]


def by_id(root: Path = Path("/")) -> dict[Path, Path]:
    """Stable name -> the device it leads to now."""
    folder = root / BY_ID
    return {path: path.resolve() for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def _check_port(port: Path, root: Path) -> Iterator[Finding]:
    if not port.exists():
        names = ", ".join(str(path) for path in list_ports(root)) or "-"
        yield Finding(
            TOPIC,
            Grade.FAILURE,
            Text(f"{port} 不存在", f"{port} is not there"),
            Text(f"检查适配器和插头；现有端口：{names}", f"check adapter and plug; ports that are there: {names}"),
        )
        return
    target = port.resolve()
    if not os.access(port, os.R_OK | os.W_OK):
        yield _not_allowed(port, target)
    else:
        yield fine(TOPIC, f"{port} 可读写", f"{port} may be read and written")
    if port == target and target.name.startswith(_USB):
        yield _unstable(port, target, root)
    yield from _check_latency(port, target, root)


def _not_allowed(port: Path, target: Path) -> Finding:
    group = _group_of(target)
    user = os.environ.get("SUDO_USER") or os.environ.get("USER") or "vigil"
    return Finding(
        TOPIC,
        Grade.FAILURE,
        Text(f"没有权限打开 {port}", f"no permission to open {port}"),
        Text(
            f"把运行用户加入 {group} 组：sudo usermod -aG {group} {user}，然后重新登录或重启服务",
            f"join the group {group}: sudo usermod -aG {group} {user}, then log in again or restart the service",
        ),
    )


def _group_of(target: Path) -> str:
    """Who may open the port; nobody joins root for it: the udev rules give it to dialout."""
    try:
        name = grp.getgrgid(target.stat().st_gid).gr_name
    except (KeyError, OSError):
        return _DIALOUT
    return _DIALOUT if name == "root" else name


def _unstable(port: Path, target: Path, root: Path) -> Finding:
    better = next((path for path, leads_to in by_id(root).items() if leads_to == target), None)
    if better is not None:
        do = Text(f"在站点文件里写 {better}", f"write {better} in the site file")
    else:
        do = Text(
            "安装 config/udev/61-vigil-serial.rules，使用 /dev/vigil/ 下按插口固定的名字",
            "install config/udev/61-vigil-serial.rules and use the name below /dev/vigil/ that stays with the socket",
        )
    return Finding(
        TOPIC,
        Grade.WARNING,
        Text(f"{port} 的名字随插拔顺序变化", f"the name {port} changes with the order of plugging in"),
        do,
    )


def _check_latency(port: Path, target: Path, root: Path) -> Iterator[Finding]:
    timer = root / LATENCY / target.name / "latency_timer"
    try:
        waits_ms = int(timer.read_text())
    except (OSError, ValueError):
        return
    if waits_ms > LOW_LATENCY_MS:
        yield Finding(
            TOPIC,
            Grade.WARNING,
            Text(f"{port} 的适配器延时为 {waits_ms} ms", f"the adapter of {port} waits {waits_ms} ms"),
            Text(
                f"安装 config/udev/61-vigil-serial.rules，或执行 echo 1 | sudo tee {timer}",
                f"install config/udev/61-vigil-serial.rules, or run: echo 1 | sudo tee {timer}",
            ),
        )
    else:
        yield fine(TOPIC, f"{port} 的适配器延时为 {waits_ms} ms", f"the adapter of {port} waits {waits_ms} ms")
