"""The gateway as a service: state, signals, page, reload, and what the service manager is told."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable
from functools import partial

from gateway.app import Gateway, load
from gateway.control import Registry, serve_control
from gateway.errors import ConfigError, GatewayError
from gateway.installing.requests import register_commissioning
from gateway.life.service_manager import ServiceManager
from gateway.life.supervise import until_stopped
from gateway.life.vital_signs import report_life
from gateway.orders import CommandBook, register_orders
from gateway.reload.reloading import LONGEST_TRIAL_S, Reloading
from gateway.reload.request import answer_reload
from gateway.settings.types import SiteSettings, WebSettings
from gateway.store import open_store
from gateway.writing import Writing

log = logging.getLogger(__name__)

FINISH_S = 1.0


async def run_site(site: SiteSettings, language: str = "en") -> None:
    """The daemon of one site, until SIGTERM or SIGINT."""
    store = open_store(site.state_dir)
    try:
        gateway = Gateway(site, store)
        reloading = Reloading(gateway, load, gateway.now)
        registry = Registry()
        book = CommandBook(lambda: gateway.site.operators_file, store.documents, gateway.clock.wall_ms)
        hands = gateway.hands()
        writing = register_orders(gateway, hands, registry, book)
        register_commissioning(registry, hands)
        gateway.obey = book.execute
        registry.register(
            "reload", partial(answer_reload, reloading), ("file", "language", "keep"), answer_s=LONGEST_TRIAL_S + 60
        )
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "gateway": gateway.run,
            "page": partial(_serve_pages, gateway),
            "control": partial(serve_control, site.state_dir, registry),
            "reload": partial(_reload_when_told, reloading, language),
            "writing": partial(_finish, writing),
            "life": partial(report_life, gateway, ServiceManager()),
        }
        # what stands now stands until the end: looking for garbage in it took a tenth of the time
        gc.collect()
        gc.freeze()
        await until_stopped(parts)
    finally:
        store.close()


async def _finish(writing: Writing) -> None:
    """Let writes under way come to their end when the gateway stops."""
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await writing.close(FINISH_S)


async def _serve_pages(gateway: Gateway) -> None:
    """The page, at the address of the configuration in force."""
    while True:
        web = gateway.site.web
        async with asyncio.TaskGroup() as group:
            page = group.create_task(_serve_page(gateway, web), name="page-server") if web is not None else None
            while gateway.site.web == web:
                gateway.replaced.clear()
                await gateway.replaced.wait()
            if page is not None:
                page.cancel()


async def _serve_page(gateway: Gateway, web: WebSettings) -> None:
    """The page for as long as it can be had: a gateway whose page cannot open still does its work."""
    from gateway.web.server import listen, serve
    from gateway.web.site import build

    try:
        sock = listen(web.host, web.port)
    except OSError as error:
        log.error("page_unavailable address=%s:%d reason=%s", web.host, web.port, error)
        return
    scheme = "https" if web.certificate or web.is_self_signed else "http"
    log.info("page_open address=%s://%s:%d", scheme, web.host, web.port)
    await serve(build(gateway.view), sock)


async def _reload_when_told(reloading: Reloading, language: str) -> None:
    """Apply the changed file with every SIGHUP."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, told.set)
    try:
        async with asyncio.TaskGroup() as group:
            while True:
                await told.wait()
                told.clear()
                group.create_task(_reload(reloading, language), name="reload-file")
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _reload(reloading: Reloading, language: str) -> None:
    try:
        await reloading.reload(language=language)
    except ConfigError as error:
        for problem in error.problems:
            log.error("config_refused problem=%s", problem)
    except GatewayError as error:
        log.error("reload_failed reason=%s", error)
