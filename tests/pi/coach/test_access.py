"""The access list that pi/README.md gives for a coach's broker, on a real one: households write, and read nothing."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.integrations.test_sure_link import Told
from tests.pi.coach.households import said
from tests.pi.coach.test_collecting import TODAY

from somnisphere.coach.summary import encode, topic
from somnisphere.coach_desk.collector import subscriptions
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, Connected
from somnisphere_home.sure_link import Delivered, Parcel, Reading, Refused, SureEvent, SureLink

README = Path(__file__).resolve().parents[3] / "pi" / "README.md"


@pytest.mark.broker
def test_households_write_and_read_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    listed = re.search(r"```\n(user collector\n.*?)```", README.read_text(), re.DOTALL)
    assert listed
    rules = tmp_path_factory.mktemp("acl") / "acl"
    rules.write_text(listed[1])
    summary = said(1, TODAY)
    with mosquitto(extra_config=f"allow_anonymous true\nacl_file {rules}\nuser root\n") as (host, port):
        settings = BrokerSettings(client_id="x", host=host, port=port)
        told = {name: Told() for name in ("collector", "households")}
        links = {
            name: SureLink(replace(settings, client_id=name, username=name, password="x"), told[name].put)
            for name in told
        }
        try:
            for name, link in links.items():
                link.start()
                told[name].next(Connected)
                link.subscribe(subscriptions("anna", "all"))
                told[name].next(Reading)  # mosquitto lets anybody ask, and hands nothing over
            number = links["households"].publish(Message(topic(summary, "anna"), encode(summary)))
            assert is_delivered(told["households"].next(Delivered), number)
            (parcel,) = told["collector"].parcels(1)
            assert isinstance(parcel, Parcel)
            assert parcel.payload == encode(summary)
            assert told["households"].nothing_more(), "it hears nothing, not even of itself"
            links["households"].publish(Message(topic(summary, "another"), encode(summary)))
            told["households"].next(Refused)
        finally:
            for link in links.values():
                link.stop()


def is_delivered(event: SureEvent, number: int | None) -> bool:
    return isinstance(event, Delivered) and event.number == number
