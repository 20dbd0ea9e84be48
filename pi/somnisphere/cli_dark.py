"""``somnisphere dark``: the sensor's light and the lamp out, whatever became of the daemon.

A daemon that ends cleanly leaves them dark itself. One that was killed cannot: the chip goes on shining, and the kernel
leaves the pin as it was. So the service manager runs this after every end (``ExecStopPost``).
"""

import argparse
import os

from somnisphere.config import Config, ConfigError, load


def dark(arguments: argparse.Namespace) -> int:
    if os.environ.get("SERVICE_RESULT") == "success":
        return 0  # the daemon did it; a clean stop need not wait for us
    try:
        config = load(arguments.config)
    except ConfigError:
        config = Config()  # the sensor is where it always is, and no lamp is known
    for problem in put_out(config):
        print(problem)
    return 0


def put_out(config: Config) -> list[str]:
    """Sentences for a person about what could not be put out."""
    from somnisphere.assemble import bedside_settings
    from somnisphere.lamp_whites import lamp_whites
    from somnisphere_hardware.bedside import Bedside
    from somnisphere_hardware.bus import Bus
    from somnisphere_hardware.lamp import open_lamp

    lamp, problem = open_lamp(config.lamp.pin, config.lamp.hardware_pwm, lamp_whites(config.lamp))
    lamp.close()
    Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config)).close()
    return [problem] if problem else []
