"""What chips and programs at the bed may say: frames of the card reader, typed cards, mpv's lines, chip registers."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.dough import Dough
from tests.fuzz.target import Target, sentence

from somnisphere_hardware import mpv_speaker
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.card_keyboard import Typed
from somnisphere_hardware.card_reader import CardGone, CardSeen, ReaderState
from somnisphere_hardware.mpv_ipc import LINK_UP, MpvLink
from somnisphere_hardware.pn532 import Pn532
from somnisphere_hardware.pn532_frames import ACK, FIELD_OFF, LIST, SETUP, FrameError, card_of, unpack

