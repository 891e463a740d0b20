"""HTML and SVG put together from elements; every text that is not markup yet is escaped."""

from html import escape

__all__ = ["Html", "element", "join", "text"]

_VOID = frozenset({"meta", "br", "line", "rect", "circle", "polyline", "path"})


class Html(str):
    """Markup that is ready: nothing in it is escaped again."""

    __slots__ = ()


def text(content: object) -> Html:
    """Return `content` as text: markup in it is shown and not followed, control characters are replaced."""
    if isinstance(content, Html):
        return content
    shown = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(content))
    return Html(escape(shown))


def join(*children: object) -> Html:
    """Put pieces together; None is left out."""
    return Html("".join(text(child) for child in children if child is not None))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """Return one element. Attributes: None is left out, `class_` is "class", an underscore within is a hyphen."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not children:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")
