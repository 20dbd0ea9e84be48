"""What the evening wants of the player, said in the player's words."""

from somnisphere.events import HoldStory, PauseStory, PlayStory, ResumeStory, SetGain, StopStory
from somnisphere_hardware.speaker import Speaker

SpeakerOrder = PlayStory | SetGain | HoldStory | PauseStory | ResumeStory | StopStory


def give(speaker: Speaker, order: SpeakerOrder) -> None:
    match order:
        case PlayStory():
            speaker.play(order.path, order.position_s, order.gain_db)
        case SetGain():
            speaker.set_gain(order.gain_db)
        case HoldStory():
            speaker.hold(order.position_s, order.for_s)
        case PauseStory():
            speaker.pause()
        case ResumeStory():
            speaker.resume(order.gain_db)
        case StopStory():
            speaker.stop()
