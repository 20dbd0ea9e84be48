"""The folder of stories. Pure."""

from somnisphere.config import complaint
from somnisphere.setup.deeds import Dialogue, LookAtStories, Say, ask, do
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import Question


def ask_stories(draft: Draft) -> Dialogue[None]:
    yield Say("\nThe stories.")
    question = Question(
        key="stories.folder",
        text="Their folder (- for the seven that come along)",
        default=draft.before("stories.folder") or "",
        optional=True,
        complaint=_complaint,
    )
    folder = yield from ask(question)
    draft.put("stories.folder", folder or None)
    yield Say(f"  {(yield from do(LookAtStories(folder)))}")


def _complaint(folder: str) -> str:
    if not folder.startswith(("/", "~")):
        return f"“{folder}” is no whole path, such as /srv/stories."
    return complaint("stories.folder", folder)
