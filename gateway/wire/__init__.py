"""What travels between a site and its centre, both ways; used by uplink and ingest alike.

`topics` names, `messages` shapes, `encode` and `decode` payloads, `facts` database rows, `line_protocol` their text.
"""

from gateway.wire.decode import Malformed, decode
from gateway.wire.encode import frame
from gateway.wire.topics import Channel, Topic

__all__ = ["Channel", "Malformed", "Topic", "decode", "frame"]
