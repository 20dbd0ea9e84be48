"""XML without its dangers: nothing outside is fetched, and no entity can be declared, so nothing swells ("billion
laughs"; see the vulnerability notes in the documentation of Python's ``xml`` package)."""

import html.entities
from dataclasses import dataclass, field
from xml.parsers import expat

from somnisphere.library.broken import UnreadableError

_DEEPEST = 100
_MOST = 200_000


@dataclass(slots=True)
class Element:
    """``tag`` and attribute names without their namespaces; ``text``: all directly inside."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def walk(self, *tags: str) -> "list[Element]":
        """All elements below of these names, in the order of the file."""
        found: list[Element] = []
        waiting = [self]
        while waiting:
            element = waiting.pop()
            if element is not self and element.tag in tags:
                found.append(element)
            waiting.extend(reversed(element.children))
        return found

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")


def parse(data: bytes, name: str) -> Element:
    """The root element. ``UnreadableError`` names file, line and what is wrong."""
    root = Element("")
    open_elements = [root]
    count = 0
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.UseForeignDTD(True)  # then an entity that nobody declared is a name, not an error

    def refuse(*_: object) -> None:
        raise UnreadableError(f"{name}, line {parser.CurrentLineNumber}: it declares an entity, which no book needs.")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_elements) > _DEEPEST or count > _MOST:
            raise UnreadableError(f"{name}, line {parser.CurrentLineNumber}: it is nested too deep or far too long.")
        element = Element(_local(tag), {_local(key): value for key, value in attributes.items()})
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def data_of(text: str) -> None:
        open_elements[-1].text += text

    def entity(known: str, parameter: bool) -> None:
        if not parameter:
            open_elements[-1].text += html.entities.html5.get(f"{known};", "")

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data_of
    parser.SkippedEntityHandler = entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        words = expat.ErrorString(problem.code)
        raise UnreadableError(f"{name}, line {problem.lineno}: this is not XML ({words}).") from None
    except (LookupError, ValueError):  # an encoding that is none, or that expat cannot take
        raise UnreadableError(f"{name}: its XML is in an encoding nobody knows. Save it as UTF-8.") from None
    if not root.children:
        raise UnreadableError(f"{name}: this is not XML.")
    return root.children[0]


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
