"""What can go wrong, each as one function over the stage; all end with the broken thing mended."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from tests.scenario.chaos.stage import Stage

Fault = Callable[[Stage, random.Random], None]


def _pause(dice: random.Random, low_s: float, high_s: float) -> None:
    time.sleep(dice.uniform(low_s, high_s))


def broker_stop(stage: Stage, dice: random.Random) -> None:
    stage.mosquitto.stop()
    _pause(dice, 0.2, 3)
    stage.mosquitto.start()


def broker_kill(stage: Stage, dice: random.Random) -> None:
    stage.mosquitto.kill()
    _pause(dice, 0.0, 2)
    stage.mosquitto.start()


def broker_frozen(stage: Stage, dice: random.Random) -> None:
    stage.mosquitto.pause()
    _pause(dice, 0.5, 4)
    stage.mosquitto.resume()


def gateway_black_hole(stage: Stage, dice: random.Random) -> None:
    stage.gateway_way.swallow()
    _pause(dice, 0.5, 4)
    stage.gateway_way.heal()


def ingest_black_hole(stage: Stage, dice: random.Random) -> None:
    stage.ingest_way.swallow()
    _pause(dice, 0.5, 4)
    stage.ingest_way.heal()


def gateway_kill(stage: Stage, dice: random.Random) -> None:
    stage.kill_gateway()
    _pause(dice, 0.0, 1)
    stage.start_gateway()


def gateway_kill_in_commit(stage: Stage, dice: random.Random) -> None:
    stage.kill_gateway(in_commit=True)
    stage.start_gateway()


def gateway_kill_while_starting(stage: Stage, dice: random.Random) -> None:
    stage.kill_gateway()
    for _ in range(dice.randrange(1, 4)):
        stage.gateway.start()
        _pause(dice, 0.0, 1)
        stage.kill_gateway()
    stage.start_gateway()


def gateway_restart(stage: Stage, dice: random.Random) -> None:
    code = stage.stop_gateway()
    assert code == 0, f"a stopped gateway ended with {code}: {stage.gateway.printed()[-3000:]}"
    stage.start_gateway()


def database_stop(stage: Stage, dice: random.Random) -> None:
    stage.influxd.stop()
    _pause(dice, 0.5, 4)
    stage.influxd.start()


def database_kill(stage: Stage, dice: random.Random) -> None:
    stage.influxd.kill()
    _pause(dice, 0.0, 2)
    stage.influxd.start()


def database_frozen(stage: Stage, dice: random.Random) -> None:
    stage.influxd.pause()
    _pause(dice, 0.5, 4)
    stage.influxd.resume()


def ingest_kill(stage: Stage, dice: random.Random) -> None:
    worker = dice.choice(stage.ingests)
    assert worker.process is not None
    worker.process.kill()
    worker.process.wait(10)
    _pause(dice, 0.0, 1)
    worker.start()


def all_ingest_killed(stage: Stage, dice: random.Random) -> None:
    for worker in stage.ingests:
        assert worker.process is not None
        worker.process.kill()
    for worker in stage.ingests:
        assert worker.process is not None
        worker.process.wait(10)
    _pause(dice, 0.5, 3)
    for worker in stage.ingests:
        worker.start()


def simulator_kill(stage: Stage, dice: random.Random) -> None:
    """The field itself: lines go down and come back."""
    assert stage.simulate.process is not None
    stage.simulate.process.kill()
    stage.simulate.process.wait(10)
    _pause(dice, 0.5, 3)
    stage.simulate.start()


def clock_step(stage: Stage, dice: random.Random) -> None:
    """An hour or more ahead or back, and later right again; never back to a time that was shown before."""
    hours = dice.choice([n for n in range(-400, 400) if n and n * 3600 not in {at for _, at in stage.clock.steps}])
    stage.clock.step_to(hours * 3600)
    _pause(dice, 0.5, 4)
    stage.clock.step_to(0)


def _into_the_past(stage: Stage, dice: random.Random) -> int:
    """Seconds back, not behind the last kill."""
    wanted = dice.randrange(6, 90)
    time.sleep(max(0, 8 - stage.remembers_s))
    return min(wanted, stage.remembers_s - 1)


def clock_back_into_the_past(stage: Stage, dice: random.Random) -> None:
    """Back into a time that was shown before, by whole seconds: polls would meet the milliseconds of earlier ones."""
    stage.clock.step_to(-_into_the_past(stage, dice))
    _pause(dice, 2, 6)
    stage.clock.step_to(0)


def clock_nudge(stage: Stage, dice: random.Random) -> None:
    """A little back, as a time server does it."""
    stage.clock.step_to(-dice.randrange(1, 4))
    _pause(dice, 1, 5)
    stage.clock.step_to(0)


def clock_back_while_off(stage: Stage, dice: random.Random) -> None:
    assert stage.stop_gateway() == 0, stage.gateway.printed()[-3000:]
    stage.clock.step_to(-_into_the_past(stage, dice))
    stage.start_gateway()
    _pause(dice, 1, 5)
    stage.clock.step_to(0)


def reload_changed(stage: Stage, dice: random.Random) -> None:
    """One more device on the line of the counters, or one less; and one of them asked at another interval."""
    stage.change_site(dice)
    done = stage.reload()
    assert done.returncode == 0, done.stdout + done.stderr


def reload_invalid(stage: Stage, dice: random.Random) -> None:
    """A file with a problem changes nothing, and is not there any more at the next start."""
    stage.spoil_site()
    refused = stage.reload()
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "nowhere" in refused.stdout, refused.stdout
    stage.change_site(dice)


def gateway_kill_in_reload(stage: Stage, dice: random.Random) -> None:
    stage.change_site(dice)
    stage.tell_gateway(signal.SIGHUP)
    _pause(dice, 0.0, 0.4)
    stage.kill_gateway()
    stage.start_gateway()


def disk_full(stage: Stage, dice: random.Random) -> None:
    stage.fill_disk()
    _pause(dice, 1, 5)
    stage.free_disk()


def telemetry_damaged(stage: Stage, dice: random.Random) -> None:
    stage.kill_gateway()
    stage.damage_telemetry()
    stage.start_gateway()


def everything_killed(stage: Stage, dice: random.Random) -> None:
    """Power gone at site and centre at once."""
    stage.kill_gateway()
    stage.mosquitto.kill()
    stage.influxd.kill()
    all_ingest_killed(stage, dice)
    stage.influxd.start()
    stage.mosquitto.start()
    stage.start_gateway()


FAULTS: tuple[Fault, ...] = (
    broker_stop,
    broker_kill,
    broker_frozen,
    gateway_black_hole,
    ingest_black_hole,
    gateway_kill,
    gateway_kill_in_commit,
    gateway_kill_while_starting,
    gateway_restart,
    database_stop,
    database_kill,
    database_frozen,
    ingest_kill,
    all_ingest_killed,
    simulator_kill,
    clock_step,
    clock_back_into_the_past,
    clock_nudge,
    clock_back_while_off,
    reload_changed,
    reload_invalid,
    gateway_kill_in_reload,
    disk_full,
    telemetry_damaged,
    everything_killed,
)
