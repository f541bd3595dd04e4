"""Text from the log as a terminal may show it: a topic can hold anything."""

from unicodedata import category


def visible(text: str) -> str:
    """Return `text` with all that a terminal would obey, or show to nobody, written as escapes."""
    return "".join(
        one.encode("unicode_escape").decode() if category(one).startswith("C") else one
        for one in text
    )
