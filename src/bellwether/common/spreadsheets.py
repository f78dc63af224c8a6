"""Text in files that spreadsheets open."""

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width too


def safe(text: str) -> str:
    """Return `text` so that no spreadsheet runs it: an apostrophe in front of what would start a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(STARTS_FORMULA) or text.startswith(STARTS_FORMULA) else text
