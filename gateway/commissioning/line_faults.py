"""Why a line cannot be used, as an installer understands it, and what to do about it."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping

from gateway.model import Fault, FaultKind, Text


def _group() -> Text:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "USER"
    return Text(
        f"没有权限。执行 sudo usermod -aG dialout {user}，然后重新登录",
        f"no permission. Run: sudo usermod -aG dialout {user}, then log in again",
    )


def _fixed(zh: str, en: str) -> Callable[[], Text]:
    return lambda: Text(zh, en)


#: What the system or a link says -> words for people.
_WORDS: Mapping[str, Callable[[], Text]] = {
    "Permission denied": _group,
    "No such file or directory": _fixed(
        "端口不存在。检查适配器是否插好，执行 vigil doctor 查看现有端口",
        "the port is not there. Is the adapter plugged in? vigil doctor shows the ports there are",
    ),
    "the port is used by another program": _fixed(
        "端口被另一个程序占用。停下它（网关、组态软件、ModemManager）再试",
        "another program uses the port. Stop it (gateway, configuration software, ModemManager) and try again",
    ),
    "Connection refused": _fixed(
        "连接被拒绝。核对地址和端口，确认设备的 Modbus TCP 已打开",
        "the connection was refused. Check address and port, and that the device has Modbus TCP switched on",
    ),
    "No route to host": _fixed(
        "到不了这个地址。检查网线和地址", "no way to this address. Check the cable and the address"
    ),
    "Network is unreachable": _fixed(
        "到不了这个网络。检查本机地址和网关", "no way to this network. Check this machine's address and gateway"
    ),
    "no answer to connecting": _fixed(
        "连接没有应答。检查设备供电、网线和地址", "nobody answers there. Check supply, cable and address of the device"
    ),
    "Name or service not known": _fixed("没有这个主机名。改写成 IP 地址", "no such host name. Write the IP address"),
}


_KINDS = {
    FaultKind.TIMEOUT: Text("超时，检查供电、接线和站号", "timed out; check supply, wiring and unit id"),
    FaultKind.FRAME: Text("应答无法识别，检查波特率和校验", "an answer that is no frame; check speed and parity"),
}


def fault_text(fault: Fault) -> Text:
    """Why one request gave nothing."""
    if fault.kind is FaultKind.DOWN:
        return line_fault(fault.detail)
    return _KINDS.get(fault.kind) or Text(f"异常 {fault.code}", f"exception {fault.code}")


def line_fault(why: str) -> Text:
    """`why` is what a line that is down says of itself."""
    words = _WORDS.get(why)
    return words() if words is not None else Text(why, why)
