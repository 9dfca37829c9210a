"""What a failed request makes of its points."""

from __future__ import annotations

from gateway.model import Fault, FaultKind, Status

_KINDS = {
    FaultKind.TIMEOUT: Status.BadTimeout,
    FaultKind.FRAME: Status.BadDecodingError,
    FaultKind.DOWN: Status.BadNoCommunication,
}
#: Exception codes, Modbus Application Protocol V1.1b3, section 7.
_CODES = {
    1: Status.BadConfigurationError,  # illegal function
    2: Status.BadConfigurationError,  # illegal data address
    3: Status.BadConfigurationError,  # illegal data value
    4: Status.BadDeviceFailure,  # server device failure
    5: Status.BadResourceUnavailable,  # acknowledge: still working on it
    6: Status.BadResourceUnavailable,  # server device busy
    8: Status.BadDeviceFailure,  # memory parity error
    10: Status.BadNoCommunication,  # gateway path unavailable
    11: Status.BadTimeout,  # gateway target device failed to respond
}


def status_of(fault: Fault) -> Status:
    """The status of every point of a request that failed."""
    if fault.kind is FaultKind.REFUSED:
        return _CODES.get(fault.code, Status.BadUnexpectedError)
    return _KINDS[fault.kind]
