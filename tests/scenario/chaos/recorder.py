"""A listener at the broker that comes back after every restart; it may miss messages, but sees the order of others."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Self

import paho.mqtt.client as mqtt


class Recorder:
    """`heard` holds what came, in order: in which stretch of unbroken listening, topic, payload; `came_at` when (wall
    clock, seconds)."""

    def __init__(self, port: int, pattern: str = "vigil/v1/#") -> None:
        self._pattern = pattern
        self.heard: list[tuple[int, str, dict[str, Any]]] = []
        self.came_at: list[float] = []
        self._stretch = 0
        self._port = port
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._take
        self._lock = threading.Lock()

    def _subscribe(self, *_: object) -> None:
        self._stretch += 1
        self._client.subscribe(self._pattern, qos=1)

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.payload and not message.retain:
            with self._lock:
                self.came_at.append(time.time())
                self.heard.append((self._stretch, message.topic, json.loads(message.payload)))

    def snapshot(self) -> list[tuple[int, str, dict[str, Any]]]:
        with self._lock:
            return list(self.heard)

    def wait_until(self, enough: Any, timeout_s: float = 60) -> None:
        give_up = time.monotonic() + timeout_s
        while not enough(self.snapshot()):
            assert time.monotonic() < give_up, f"only {len(self.heard)} messages"
            time.sleep(0.05)

    def __enter__(self) -> Self:
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
