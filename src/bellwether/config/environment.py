"""Settings come from `BELLWETHER_*` variables, are checked together at start, and every complaint says the cure."""

import difflib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bellwether.common.errors import BellwetherError
from bellwether.config.lake_settings import kept_alert_days, kept_days, lake_location, lake_options

PREFIX = "BELLWETHER_"
SECRET = frozenset(
    {
        "SECRET_KEY",
        "PSEUDONYM_KEY",
        "ENCRYPTION_KEYS",
        "DATABASE_URL",
        "EMAIL_URL",
        "SPARK_REMOTE",
        "LAKE",
        "LAKE_OPTIONS",
    }
)  # never echoed
PRESETS = ("ethico", "operations", "suppliers")
SCORECARDS = ("", "prd-015", "operations", "suppliers", "usage-only")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

T = TypeVar("T")


class SettingsError(BellwetherError):
    """One or more settings cannot be used; the text lists each with its cure."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The checked settings. Paths are absolute; `working_days` are ISO weekdays, Monday 1."""

    home: Path
    debug: bool
    secret_key: str
    pseudonym_key: bytes
    encryption_keys: list[str]
    database: dict[str, object]
    lake: str
    lake_options: dict[str, object]
    keep_usage_days: int
    keep_scores_days: int
    keep_activities_days: int
    keep_alerts_days: int
    churn_training_weeks: int
    churn_weekly_capacity: int
    time_zone: ZoneInfo
    working_days: frozenset[int]
    workspace_name: str
    preset: str
    scorecard: str
    other_scorecards: list[str] | None
    bind: str
    port: int
    allowed_hosts: list[str]
    base_url: str
    web_processes: int
    service_user_pattern: str
    spool_limit: int
    intake_rate: int
    email: dict[str, object]
    email_from: str
    api_requests_per_minute: int
    log_level: str
    engine: str
    spark_master: str
    spark_remote: str
    webhook_hosts: list[str]
    slack_api_url: str
    salesforce_url: str
    hubspot_url: str
    unknown: tuple[str, ...] = ()


KNOWN: dict[str, str] = {
    "HOME": "folder of all data, default ./var",
    "DEBUG": "1 for development only",
    "SECRET_KEY": "signs sessions; made and kept in HOME/secret.key if not given",
    "PSEUDONYM_KEY": "keys the pseudonyms of platform users; made and kept in HOME/pseudonym.key if not given",
    "ENCRYPTION_KEYS": "comma-separated, each 32 characters or more; encrypt stored connection URLs, the first all"
    " new ones; made and kept in HOME/encryption.key if not given",
    "DATABASE_URL": "sqlite:///path or postgresql://user:password@host:port/name, default SQLite in HOME",
    "LAKE": "folder or object store (s3://bucket/prefix) of the event lake, default HOME/lake",
    "LAKE_OPTIONS": "JSON object for the object store, such as endpoint_url, key and secret; default: what AWS_* say",
    "KEEP_USAGE_DAYS": "days for which events and daily facts are kept, 0 for ever, default 1096",
    "KEEP_SCORES_DAYS": "days for which scores and measures are kept, 0 for ever, default 1096",
    "KEEP_ACTIVITIES_DAYS": "days for which activities are kept, 0 for ever, default 2557",
    "KEEP_ALERTS_DAYS": "days for which alerts that ended are kept, 0 for ever, default 365",
    "CHURN_TRAINING_WEEKS": "weeks that the churn model learns from, 26 to 156, default 156",
    "CHURN_WEEKLY_CAPACITY": "clients at risk that a CSM can take up in a week, by which the churn model is judged,"
    " default 5",
    "TIME_ZONE": "time zone of the workspace's days, default UTC",
    "WORKING_DAYS": "comma-separated weekdays, default mon,tue,wed,thu,fri",
    "WORKSPACE_NAME": "name shown on the sign-in page, default Bellwether",
    "PRESET": "ethico, operations or suppliers; used when the database is first filled, default ethico",
    "SCORECARD": "main scorecard: prd-015, operations, suppliers or usage-only; default: the preset's",
    "OTHER_SCORECARDS": "comma-separated scorecards scored beside the main one, or none; default: the preset's",
    "BIND": "address to listen on, default 127.0.0.1",
    "PORT": "port to listen on, default 8000",
    "ALLOWED_HOSTS": "comma-separated host names the product answers to",
    "BASE_URL": "address people open, used in mails, default http://127.0.0.1:PORT",
    "WEB_PROCESSES": "web server processes, default 2",
    "SERVICE_USER_PATTERN": "regular expression: user ids that match are service users (bots), not people",
    "SPOOL_LIMIT": "requests that may wait for the flush before intake answers 503, default 100000",
    "INTAKE_RATE": "requests a second that one write key may send to each web process, default 1000",
    "EMAIL_URL": "smtp://user:password@host:port for mail, default: mails are written to HOME/mail",
    "API_REQUESTS_PER_MINUTE": "requests that one API token may make in a minute, default 600",
    "LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR, default INFO",
    "ENGINE": "duckdb or spark: what rolls events up into daily facts, default duckdb",
    "SPARK_MASTER": "with ENGINE=spark: the cluster, default local[*], which is this machine",
    "SPARK_REMOTE": "with ENGINE=spark: sc://host:15002 of a Spark Connect server, instead of SPARK_MASTER",
    "SALESFORCE_URL": "https://larkfield.my.salesforce.com or the like: pages link to accounts there",
    "HUBSPOT_URL": "https://app.hubspot.com/contacts/1234567 or the like: pages link to companies there",
    "EMAIL_FROM": "sender of mails, default bellwether@localhost",
    "WEBHOOK_HOSTS": "comma-separated hosts inside your network that webhooks may reach, also over http; default none",
    "SLACK_API_URL": "Slack's Web API, for GovSlack or a gateway (named in WEBHOOK_HOSTS); default https://slack.com/api/",
    "SOURCE_URL": "connection URL for `bellwether source add`, only read by that command",
    "TEST_POSTGRES_URL": "PostgreSQL that the tests may use, only read by the tests",
}


def _bool(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("needs 1 or 0")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"needs a whole number from {low} to {high}")
        return int(text)

    return parse


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("needs a time zone name such as Europe/Berlin or UTC") from None


def _days(text: str) -> frozenset[int]:
    names = [name.strip().lower()[:3] for name in text.split(",") if name.strip()]
    if not names or any(name not in WEEKDAYS for name in names):
        raise ValueError("needs comma-separated weekdays such as mon,tue,wed,thu,fri")
    return frozenset(WEEKDAYS.index(name) + 1 for name in names)


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"needs one of {', '.join(value for value in values if value)}")
        return text

    return parse


def _scorecards(text: str) -> list[str] | None:
    """Return the named scorecards, None where nothing is said."""
    names = _list(text)
    if names == ["none"]:
        return []
    if any(name not in SCORECARDS for name in names):
        raise ValueError(f"needs none or a list of {', '.join(value for value in SCORECARDS if value)}")
    return names or None


def _keys(text: str) -> list[str]:
    keys = _list(text)
    if not keys or any(len(key) < 32 for key in keys):
        raise ValueError("needs comma-separated keys of 32 characters or more")
    return keys


def _database(text: str) -> dict[str, object]:
    """Return Django's DATABASES entry for a URL."""
    url = urlsplit(text)
    if url.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(url.path[1:]) or ":memory:"}
    if url.scheme in {"postgres", "postgresql"} and url.path.strip("/"):
        options = dict(pair.split("=", 1) for pair in url.query.split("&") if "=" in pair)
        host = unquote(options.pop("host", url.hostname or ""))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.strip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": host,
            "PORT": str(url.port or ""),
            "OPTIONS": options,
        }
    raise ValueError("needs sqlite:///path/to/file or postgresql://user:password@host:5432/name")


def _mail(text: str) -> dict[str, object]:
    """Return Django's mail settings for a URL: smtp:// (STARTTLS with ?tls=1), smtps:// or file://folder."""
    url = urlsplit(text)
    if url.scheme == "file" and url.path:
        backend = "django.core.mail.backends.filebased.EmailBackend"
        return {"EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": unquote(url.path)}
    if url.scheme in {"smtp", "smtps"} and url.hostname:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": url.hostname,
            "EMAIL_PORT": url.port or (465 if url.scheme == "smtps" else 25),
            "EMAIL_HOST_USER": unquote(url.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
            "EMAIL_USE_SSL": url.scheme == "smtps",
            "EMAIL_USE_TLS": "tls=1" in url.query,
            "EMAIL_TIMEOUT": 20,
        }
    raise ValueError("needs smtp://user:password@host:port?tls=1, smtps://… or file:///folder")


def _text(text: str) -> str:
    return text


def _link(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"https", "http"} or not urlsplit(text).hostname):
        raise ValueError("needs an address such as https://larkfield.my.salesforce.com")
    return text.rstrip("/")


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _kept_secret(path: Path) -> str:
    """Return the secret kept in `path`, made on first use and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret


def read_environment(variables: Mapping[str, str], *, cwd: Path) -> Environment:
    """Return the checked settings from `variables`.

    Raises SettingsError that lists every unusable variable with its cure. Unknown `BELLWETHER_*` names are returned in
    `unknown`, each with the likely spelling, so that the caller can warn.
    """
    problems: list[str] = []

    def get(name: str, default: str, parse: Callable[[str], T]) -> T:
        text = variables.get(PREFIX + name, "").strip() or default
        try:
            return parse(text)
        except ValueError as error:
            shown = "" if name in SECRET else f"={text!r}"
            problems.append(f"{PREFIX}{name}{shown} {error} ({KNOWN[name]}).")
            return parse(default)

    home = (cwd / get("HOME", "var", _text)).resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{PREFIX}HOME={home} cannot be made: {error.strerror}. Choose a folder you own.") from None
    if not os.access(home, os.W_OK):
        raise SettingsError(f"{PREFIX}HOME={home} is not writable. Choose a folder you own, or change its owner.")

    port = get("PORT", "8000", _whole(1, 65535))
    environment = {
        "home": home,
        "debug": get("DEBUG", "0", _bool),
        "database": get("DATABASE_URL", f"sqlite:///{home}/bellwether.sqlite3", _database),
        "lake": get("LAKE", str(home / "lake"), lambda text: lake_location(text, cwd=cwd)),
        "lake_options": get("LAKE_OPTIONS", "", lake_options),
        "keep_usage_days": get("KEEP_USAGE_DAYS", "1096", kept_days),
        "keep_scores_days": get("KEEP_SCORES_DAYS", "1096", kept_days),
        "keep_activities_days": get("KEEP_ACTIVITIES_DAYS", "2557", kept_days),
        "keep_alerts_days": get("KEEP_ALERTS_DAYS", "365", kept_alert_days),
        "churn_training_weeks": get("CHURN_TRAINING_WEEKS", "156", _whole(26, 156)),
        "churn_weekly_capacity": get("CHURN_WEEKLY_CAPACITY", "5", _whole(1, 100)),
        "time_zone": get("TIME_ZONE", "UTC", _zone),
        "working_days": get("WORKING_DAYS", "mon,tue,wed,thu,fri", _days),
        "workspace_name": get("WORKSPACE_NAME", "Bellwether", _text),
        "preset": get("PRESET", "ethico", _one_of(PRESETS)),
        "scorecard": get("SCORECARD", "", _one_of(SCORECARDS)),
        "other_scorecards": get("OTHER_SCORECARDS", "", _scorecards),
        "bind": get("BIND", "127.0.0.1", _text),
        "port": port,
        "allowed_hosts": get("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]", _list),
        "base_url": get("BASE_URL", f"http://127.0.0.1:{port}", _text),
        "web_processes": get("WEB_PROCESSES", "2", _whole(1, 64)),
        "service_user_pattern": get(
            "SERVICE_USER_PATTERN", r"(?i)(^|[^a-z])(bot|service|automation|noreply|no-reply|daemon)([^a-z]|$)", _text
        ),
        "spool_limit": get("SPOOL_LIMIT", "100000", _whole(1, 100_000_000)),
        "intake_rate": get("INTAKE_RATE", "1000", _whole(1, 1_000_000)),
        "email": get("EMAIL_URL", f"file://{home}/mail", _mail),
        "email_from": get("EMAIL_FROM", "bellwether@localhost", _text),
        "api_requests_per_minute": get("API_REQUESTS_PER_MINUTE", "600", _whole(1, 1_000_000)),
        "log_level": get("LOG_LEVEL", "INFO", _one_of(("DEBUG", "INFO", "WARNING", "ERROR"))),
        "secret_key": get("SECRET_KEY", _kept_secret(home / "secret.key"), _text),
        "pseudonym_key": get("PSEUDONYM_KEY", _kept_secret(home / "pseudonym.key"), _text).encode(),
        "encryption_keys": get("ENCRYPTION_KEYS", _kept_secret(home / "encryption.key"), _keys),
        "engine": get("ENGINE", "duckdb", _one_of(("duckdb", "spark"))),
        "spark_master": get("SPARK_MASTER", "local[*]", _text),
        "spark_remote": get("SPARK_REMOTE", "", _text),
        "slack_api_url": get("SLACK_API_URL", "https://slack.com/api", _link),
        "webhook_hosts": get("WEBHOOK_HOSTS", "", lambda text: [host.lower() for host in _list(text)]),
        "salesforce_url": get("SALESFORCE_URL", "", _link),
        "hubspot_url": get("HUBSPOT_URL", "", _link),
        "unknown": tuple(_unknown(variables)),
    }
    if problems:
        raise SettingsError("\n".join(["The settings cannot be used:", *problems]))
    return Environment(**environment)  # type: ignore[arg-type]


def _unknown(variables: Mapping[str, str]) -> list[str]:
    complaints = []
    for variable in sorted(variables):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in KNOWN:
            close = difflib.get_close_matches(name, KNOWN, n=1)
            complaints.append(variable + (f" (did you mean {PREFIX}{close[0]}?)" if close else ""))
    return complaints
