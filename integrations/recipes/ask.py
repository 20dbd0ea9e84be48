"""Ask a bedside something and print the answer: needs paho-mqtt and a broker that speaks MQTT 5.

python ask.py BROKER[:PORT] NODE shelf
python ask.py BROKER[:PORT] NODE play '{"title": "The Snow Queen"}'
python ask.py BROKER[:PORT] NODE volume/set 25         a command, answered in the same way
"""

import json
import queue
import sys
import uuid

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

broker, node, what, *rest = sys.argv[1:]
host, _, port = broker.partition(":")
topic = f"somnisphere/{node}/{what}" if what.endswith("/set") else f"somnisphere/{node}/ask/{what}"
mark, answers_at = uuid.uuid4().bytes, f"somnisphere/{node}/answers/{uuid.uuid4().hex}"

heard: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
client.on_message = lambda _client, _data, message: heard.put(message)
client.on_subscribe = lambda *_: ready.put(True)
client.connect(host, int(port or 1883))
client.loop_start()
client.subscribe(answers_at, qos=1)
ready.get(timeout=10)  # an answer before we listen would be lost

properties = Properties(PacketTypes.PUBLISH)
properties.ResponseTopic, properties.CorrelationData = answers_at, mark
client.publish(topic, rest[0] if rest else "", qos=1, properties=properties)
try:
    answer = heard.get(timeout=10)
except queue.Empty:
    sys.exit(f"{node} did not answer within ten seconds. Is it running?")
assert answer.properties.CorrelationData == mark
told = json.loads(answer.payload)
print(json.dumps(told, indent=2, ensure_ascii=False))
client.disconnect()
client.loop_stop()
sys.exit(0 if told["ok"] else 1)
