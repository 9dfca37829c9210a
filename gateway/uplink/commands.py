"""Commands in, replies out. Who may do what is decided behind `Execute`; here is only the way there and back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.model import Text
from gateway.mqtt import Link, LinkFailed, Message
from gateway.wire import topics
from gateway.wire.decode import Malformed, decode
from gateway.wire.encode import reply_payload
from gateway.wire.messages import Command, Reply
from gateway.wire.topics import Topic

log = logging.getLogger(__name__)

Execute = Callable[[str, Command], Awaitable[Reply]]
"""Device (or `_site`, `_gateway`) and command to the answer. Never raises for what a stranger may send."""

QUEUE = 50
EXECUTE_S = 10.0


async def refuse(_device: str, command: Command) -> Reply:
    """The answer to every command of a gateway that takes none."""
    return Reply(
        command.id,
        False,
        "not_allowed",
        Text(zh="本网关不接受远程命令", en="This gateway takes no remote commands"),
    )


class CommandDesk:
    """Takes commands one after the other, so that their order is that of arrival."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._waiting: asyncio.Queue[tuple[Link, Topic, Message, Command]] = asyncio.Queue(QUEUE)
        self.malformed = 0

    def take(self, link: Link, topic: Topic, message: Message) -> None:
        """Queue one command message. A retained one is passed over: it would be obeyed again after every connect."""
        if message.retain or not message.payload:
            log.warning("command_passed_over topic=%s retained=%s", message.topic, message.retain)
            return
        try:
            command = decode(topic, message.payload)
        except Malformed as error:
            self.malformed += 1
            log.warning("command_malformed topic=%s reason=%s", message.topic, error)
            return
        if not isinstance(command, Command):
            return
        try:
            self._waiting.put_nowait((link, topic, message, command))
        except asyncio.QueueFull:
            text = Text(zh="命令过多，请稍后再试", en="Too many commands; try again later")
            self._answer(link, topic, message, Reply(command.id, False, "busy", text))

    async def run(self) -> None:
        """Execute what was taken, as long as this runs."""
        while True:
            link, topic, message, command = await self._waiting.get()
            try:
                async with asyncio.timeout(EXECUTE_S):
                    reply = await self._execute(topic.device, command)
            except TimeoutError:
                text = Text(zh="命令未在时限内完成，结果未知", en="Not finished in time; the outcome is not known")
                reply = Reply(command.id, False, "timeout", text)
            log.info("command id=%s cmd=%s device=%s ok=%s", command.id, command.cmd, topic.device, reply.ok)
            self._answer(link, topic, message, reply)

    def _answer(self, link: Link, topic: Topic, message: Message, reply: Reply) -> None:
        where = message.response_topic
        if where is None or not _may_answer_on(where):
            where = topics.reply(topic.site, topic.device)
        try:
            link.publish(where, reply_payload(reply), correlation=message.correlation)
        except LinkFailed as failure:
            log.warning("reply_not_sent id=%s reason=%s", reply.id, failure)


def _may_answer_on(topic: str) -> bool:
    """A response topic of the asker's choice, as long as it is none of ours with another meaning."""
    if not topic or "+" in topic or "#" in topic or "\0" in topic or topic.startswith("$"):
        return False
    if not topic.startswith(f"{topics.PREFIX}/"):
        return True
    ours = topics.parse(topic)
    return ours is not None and ours.channel is topics.Channel.REPLY
