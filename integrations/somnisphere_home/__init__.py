"""How a home is spoken to: MQTT, Home Assistant discovery, its REST interface. Knows nothing of sleep."""
