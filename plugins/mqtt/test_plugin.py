"""The plugin in the real hub, with a real mosquitto and with its own broker."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from pydantic import ValidationError

from hub.capabilities import Mqtt, MqttMessage
from hub.sdk import Unavailable
from hub.testing import Harness, harness
from plugins.mqtt import Settings
from plugins.mqtt.conftest import Begin, free_port

HERE = Path(__file__).parent
OWN = {"port": 0}


def service(hub: Harness) -> Mqtt:
    """The service as another plugin gets it."""
    found: Mqtt = hub.app.host._parts.services._offers["hub.capabilities.mqtt.Mqtt"]
    return found


async def connected(hub: Harness, state: str = "connected") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        held = hub.state("mqtt.broker")
        return dict(held.attributes) if held and held.state == state else None

    return await hub.until(look, 20)


class Box:
    def __init__(self) -> None:
        self.got: asyncio.Queue[MqttMessage] = asyncio.Queue()

    async def __call__(self, message: MqttMessage) -> None:
        self.got.put_nowait(message)

    async def next(self) -> MqttMessage:
        return await asyncio.wait_for(self.got.get(), 15)


async def test_a_broker_of_its_own_on_loopback_only() -> None:
    async with harness(HERE, OWN | {"events": ["zone/door"]}) as hub:
        told = await connected(hub)
        port = told["port"]
        assert (told["broker"], told["embedded"]) == (f"127.0.0.1:{port} (embedded)", True)
        assert listening_at(port) == ["0100007F"]  # 127.0.0.1, and nothing else
        box = Box()
        await service(hub).subscribe("zone/lamp/#", box)
        async with aiomqtt.Client("127.0.0.1", port) as lamp:
            await lamp.publish("zone/lamp/0", "before", qos=1, retain=True)
            assert (await box.next()).payload == b"before"  # from now on it is subscribed
            await lamp.publish("zone/lamp/1", "ติด", qos=1, retain=True)
            await lamp.publish("zone/door", "เปิด", qos=1)  # asked for with the connection
            message = await box.next()
            assert (message.topic, message.payload.decode(), message.retain) == ("zone/lamp/1", "ติด", False)
            await lamp.subscribe("zone/answer")
            await service(hub).publish("zone/answer", "got it", qos=1)
            answer = await asyncio.wait_for(anext(aiter(lamp.messages)), 10)
            assert answer.payload == b"got it"
        event = await hub.wait_event("mqtt_message", entity="mqtt.broker")
        assert event.data == {"topic": "zone/door", "payload": "เปิด", "qos": 1}
        late = Box()
        await service(hub).subscribe("zone/lamp/1", late)
        kept = await late.next()
        assert (kept.payload.decode(), kept.retain) == ("ติด", True)


async def test_its_own_broker_that_was_killed_is_started_again_on_the_same_port() -> None:
    async with harness(HERE, OWN) as hub:
        port = (await connected(hub))["port"]
        box = Box()
        await service(hub).subscribe("zone/#", box)
        (mine,) = own_brokers()
        os.kill(mine, signal.SIGKILL)
        await connected(hub, "disconnected")
        assert hub.supervised.state == "retrying" or "MQTT broker 127.0.0.1" in hub.supervised.reason
        assert (await connected(hub))["port"] == port
        async with aiomqtt.Client("127.0.0.1", port) as lamp:
            await lamp.publish("zone/lamp", "again", qos=1)
        assert (await box.next()).payload == b"again"


async def test_what_a_full_journal_did_not_take_is_shown_with_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    async with harness(HERE, OWN) as hub:
        before = await connected(hub)
        real, refused = hub.app.pipeline.submit, list[str]()

        async def submit(draft: Any) -> Any:
            if draft.type == "state_changed" and draft.entity == "mqtt.broker":
                refused.append(draft.data["state"])
                raise Unavailable("the journal could not commit")
            return await real(draft)

        monkeypatch.setattr(hub.app.pipeline, "submit", submit)
        (mine,) = own_brokers()
        os.kill(mine, signal.SIGKILL)
        await hub.until(lambda: refused[-1:] == ["connected"], 20)
        monkeypatch.undo()
        await hub.until(lambda: dict(hub.state("mqtt.broker").attributes)["since"] != before["since"], 15)  # type: ignore[union-attr]
        box = Box()
        await service(hub).subscribe("zone/#", box)
        await service(hub).publish("zone/a", "still there", qos=1, retain=True)
        assert (await box.next()).payload == b"still there"


def own_brokers() -> list[int]:
    """Processes of the embedded broker that this process has started."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"plugins/mqtt/broker.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def listening_at(port: int) -> list[str]:
    """Addresses at which the port is open, in hexadecimal digits, by proc(5)."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:]:
            address, _, number = row.split()[1].partition(":")
            if int(number, 16) == port and row.split()[3] == "0A":
                found.append(address)
    return found


async def test_a_packet_too_large_costs_its_sender_the_connection_and_nobody_else() -> None:
    async with harness(HERE, OWN) as hub:
        port = (await connected(hub))["port"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04evil")
        assert (await asyncio.wait_for(reader.readexactly(4), 10))[3] == 0
        writer.write(b"\x30\xff\xff\xff\x7f\x00\x06zone/a")  # PUBLISH of 256 MiB
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        box = Box()
        await service(hub).subscribe("zone/#", box)
        await service(hub).publish("zone/a", "still there", qos=1, retain=True)
        assert (await box.next()).payload == b"still there"


async def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with harness(HERE, {"port": port}) as hub:
            told = await connected(hub, "disconnected")
            assert f"port {port} of 127.0.0.1 cannot be had" in told["reason"]
            assert "give its host" in told["reason"]


async def test_mosquitto_restarts_and_the_subscription_is_there_again(mosquitto: Begin) -> None:
    port = free_port()
    broker = await mosquitto(port)
    async with harness(HERE, {"host": "127.0.0.1", "port": port}) as hub:
        await connected(hub)
        box = Box()
        await service(hub).subscribe("zone/#", box)
        broker.terminate()
        await broker.wait()
        told = await connected(hub, "disconnected")
        assert told["reason"]
        assert f"MQTT broker 127.0.0.1:{port}" in hub.supervised.reason
        await mosquitto(port)
        await connected(hub)
        assert (hub.supervised.state, hub.supervised.reason) == ("running", "")
        async with aiomqtt.Client("127.0.0.1", port) as lamp:
            await lamp.publish("zone/lamp", "again", qos=1)
        assert (await box.next()).payload == b"again"


async def test_ten_thousand_alarms_of_qos_1_all_come(mosquitto: Begin) -> None:
    port = free_port()
    await mosquitto(port, "max_queued_messages 0")
    async with harness(HERE, {"host": "127.0.0.1", "port": port}) as hub:
        await connected(hub)
        got: list[int] = []
        begun, done = asyncio.Event(), asyncio.Event()

        async def slow(message: MqttMessage) -> None:
            got.append(int(message.payload))
            begun.set()
            if len(got) % 100 == 0:
                await asyncio.sleep(0.002)
            if len(got) > 10_000:
                done.set()

        await service(hub).subscribe("zone/alarm", slow)
        await service(hub).publish("zone/alarm", "0", qos=1, retain=True)
        await asyncio.wait_for(begun.wait(), 15)  # from now on it is subscribed
        async with aiomqtt.Client("127.0.0.1", port, max_inflight_messages=100) as sender:
            sender.pending_calls_threshold = 10_000
            for begin in range(0, 10_000, 500):
                await asyncio.gather(*(sender.publish("zone/alarm", str(n), qos=1) for n in range(begin, begin + 500)))
        await asyncio.wait_for(done.wait(), 60)
        assert sorted(set(got)) == list(range(10_000))
        assert dict(hub.state("mqtt.broker").attributes)["dropped"] == 0  # type: ignore[union-attr]


async def test_what_came_while_the_hub_was_away_comes_when_it_is_back(mosquitto: Begin) -> None:
    port = free_port()
    await mosquitto(port)
    config = {"host": "127.0.0.1", "port": port, "client_id": "hub-under-test", "events": ["zone/door"]}
    async with harness(HERE, config) as hub:
        await connected(hub)
    async with aiomqtt.Client("127.0.0.1", port) as door:
        await door.publish("zone/door", "while you slept", qos=1)
    async with harness(HERE, config) as hub:
        event = await hub.wait_event("mqtt_message", timeout=15)
        assert event.data["payload"] == "while you slept"


async def test_a_password_and_a_certificate_that_do_not_fit_are_named(mosquitto: Begin, tmp_path: Path) -> None:
    certificate(tmp_path)
    passwords = password_file(tmp_path)
    port = free_port()
    await mosquitto(
        port, "user root", "allow_anonymous false", f"password_file {passwords}", f"certfile {tmp_path / 'cert.pem'}",
        f"keyfile {tmp_path / 'key.pem'}",
    )  # fmt: skip
    good = {
        "host": "localhost", "port": port, "tls": True, "ca_file": str(tmp_path / "cert.pem"), "username": "hub",
        "password": "right horse",
    }  # fmt: skip
    async with harness(HERE, good) as hub:
        assert (await connected(hub))["tls"] is True
    for wrong, words in (
        ({"password": "wrong horse"}, "Not authorized"), ({"ca_file": None}, "certificate verify failed"),
        ({"ca_file": str(tmp_path / "none.pem")}, "TLS files cannot be used"),
    ):  # fmt: skip
        async with harness(HERE, good | wrong) as hub:
            assert words in (await connected(hub, "disconnected"))["reason"]
            assert "horse" not in hub.supervised.reason


def password_file(folder: Path) -> Path:
    made = folder / "passwords"
    made.write_text("hub:right horse\n")
    made.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(made)], check=True)
    return made


def certificate(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    ssl.create_default_context(cafile=str(folder / "cert.pem"))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"host": "10.0.0.5"}, "needs tls: true"),
        ({"host": "broker.municipality.example"}, "needs tls: true"),
        ({"username": "hub"}, "need a host"),
        ({"host": "127.0.0.1", "cert_file": "a.pem"}, "come together"),
        ({"host": "127.0.0.1", "port": 0}, "broker of its own only"),
    ],
)
def test_a_configuration_that_does_not_agree_is_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate(config)


async def test_the_fake_broker_runs_as_a_program() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "fake.py"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdin is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    assert line.startswith(b'{"ready": true, "port": ')
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0
