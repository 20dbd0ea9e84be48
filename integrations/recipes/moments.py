"""Follow the sleep moments of a bedside and do something at one: needs paho-mqtt.

python moments.py BROKER[:PORT] NODE
"""

import json
import sys
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

broker, node = sys.argv[1:]
host, _, port = broker.partition(":")


def at_moment(moment: dict[str, Any]) -> None:
    """``at`` is when it happened; sleep is seen with hindsight, ``latency_s`` later."""
    print(moment["at"], moment["event_type"], flush=True)
    if moment["event_type"] == "fell_asleep":
        print("good night", flush=True)  # your own here


client = paho.Client(CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: client.subscribe(f"somnisphere/{node}/sleep_moment/event", qos=1)
client.on_message = lambda _client, _data, message: at_moment(json.loads(message.payload))
client.connect(host, int(port or 1883))
client.loop_forever()  # connects again by itself; moments are not retained, so none comes twice
