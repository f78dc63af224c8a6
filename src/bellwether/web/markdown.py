"""Notes as people write them, in Markdown, as HTML that is safe to place in a page. Pure.

Twice safe: raw HTML is never read as such, and what comes out is cut to a short list of tags. Nothing is fetched from
elsewhere: an image becomes a link to it, so that no reader is tracked.
"""

from functools import cache, lru_cache
from typing import Any

ALLOWED_TAGS = frozenset(
    {"a", "blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong"}
    | {"table", "tbody", "td", "th", "thead", "tr", "ul"}
)
ALLOWED_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
ALLOWED_SCHEMES = frozenset({"http", "https", "mailto"})
LINK_REL = "noopener nofollow noreferrer"
HIGHEST_HEADING, LOWEST_HEADING = 4, 6


@lru_cache(maxsize=256)
def to_html(text: str) -> str:
    """Return `text`, CommonMark with tables and ~~strikethrough~~, as safe HTML; line breaks are kept.

    Headings begin at h4 and skip no level, because they stand below the title of the note. Links get rel="noopener
    nofollow noreferrer" and lead to http, https and mailto addresses alone. "" stays "".
    """
    if not text.strip():
        return ""
    import nh3  # here, because web processes start without it

    parser = _parser()
    environment: dict[str, Any] = {}
    tokens = parser.parse(text, environment)
    _step_headings(tokens)
    raw = parser.renderer.render(tokens, parser.options, environment)
    return nh3.clean(
        raw,
        tags=set(ALLOWED_TAGS),
        attributes={tag: set(names) for tag, names in ALLOWED_ATTRIBUTES.items()},
        url_schemes=set(ALLOWED_SCHEMES),
        link_rel=LINK_REL,
    )


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")


def _step_headings(tokens: list[Any]) -> None:
    """Move headings below the title above them, one level at a time."""
    before = HIGHEST_HEADING - 1
    for token in tokens:
        if token.type == "heading_open":
            asked = HIGHEST_HEADING - 1 + int(token.tag[1])
            before = min(asked, before + 1, LOWEST_HEADING)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{before}"
