"""Django's settings, from the checked environment. Nothing here reads a variable itself."""

import os
import sys
from pathlib import Path

from bellwether.config.environment import SettingsError, read_environment
from bellwether.presets import load_preset

try:
    ENVIRONMENT = read_environment(os.environ, cwd=Path.cwd())
except SettingsError as error:
    sys.exit(str(error))
for name in ENVIRONMENT.unknown:
    print(f"Warning: unknown setting {name}", file=sys.stderr)

PACKAGE = Path(__file__).resolve().parent.parent
HOME = ENVIRONMENT.home
DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
HTTPS = ENVIRONMENT.base_url.startswith("https://")

BELLWETHER_HOME = HOME
BELLWETHER_LAKE = ENVIRONMENT.lake
BELLWETHER_LAKE_OPTIONS = ENVIRONMENT.lake_options
BELLWETHER_KEEP_USAGE_DAYS = ENVIRONMENT.keep_usage_days
BELLWETHER_KEEP_SCORES_DAYS = ENVIRONMENT.keep_scores_days
BELLWETHER_KEEP_ACTIVITIES_DAYS = ENVIRONMENT.keep_activities_days
BELLWETHER_KEEP_ALERTS_DAYS = ENVIRONMENT.keep_alerts_days
BELLWETHER_CHURN_TRAINING_WEEKS = ENVIRONMENT.churn_training_weeks
BELLWETHER_CHURN_WEEKLY_CAPACITY = ENVIRONMENT.churn_weekly_capacity
BELLWETHER_PRESET = ENVIRONMENT.preset
BELLWETHER_HOME_PAGE = load_preset(ENVIRONMENT.preset)["workspace"].get("home", "portfolio")
BELLWETHER_SCORECARD = ENVIRONMENT.scorecard
BELLWETHER_OTHER_SCORECARDS = ENVIRONMENT.other_scorecards
BELLWETHER_PSEUDONYM_KEY = ENVIRONMENT.pseudonym_key
BELLWETHER_ENCRYPTION_KEYS = ENVIRONMENT.encryption_keys
BELLWETHER_ENGINE = ENVIRONMENT.engine
BELLWETHER_SPARK_MASTER = ENVIRONMENT.spark_master
BELLWETHER_SPARK_REMOTE = ENVIRONMENT.spark_remote
BELLWETHER_SERVICE_USER_PATTERN = ENVIRONMENT.service_user_pattern
BELLWETHER_SPOOL_LIMIT = ENVIRONMENT.spool_limit
BELLWETHER_INTAKE_RATE = ENVIRONMENT.intake_rate
BELLWETHER_WORKING_DAYS = ENVIRONMENT.working_days
BELLWETHER_WORKSPACE_NAME = ENVIRONMENT.workspace_name
BELLWETHER_WORKSPACE_ZONE = ENVIRONMENT.time_zone
BELLWETHER_API_REQUESTS_PER_MINUTE = ENVIRONMENT.api_requests_per_minute
BELLWETHER_BASE_URL = ENVIRONMENT.base_url
BELLWETHER_WEBHOOK_HOSTS = ENVIRONMENT.webhook_hosts
BELLWETHER_SLACK_API_URL = ENVIRONMENT.slack_api_url
BELLWETHER_SALESFORCE_URL = ENVIRONMENT.salesforce_url
BELLWETHER_HUBSPOT_URL = ENVIRONMENT.hubspot_url

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "auditlog",
    "django_htmx",
    "ninja",
    "bellwether.common",
    "bellwether.web",
    "bellwether.staff",
    "bellwether.webhooks",
    "bellwether.portfolio",
    "bellwether.notifications",
    "bellwether.delivery",
    "bellwether.usage",
    "bellwether.health",
    "bellwether.benchmarks",
    "bellwether.milestones",
    "bellwether.churn",
    "bellwether.alerts",
    "bellwether.playbooks",
    "bellwether.analytics",
    "bellwether.dashboard",
    "bellwether.api",
    "bellwether.demo",
]

MIDDLEWARE = [
    "bellwether.web.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "bellwether.common.problems.ProblemResponses",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "bellwether.config.urls"
WSGI_APPLICATION = "bellwether.config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [
            PACKAGE / name / "templates"
            for name in ("web", "staff", "portfolio", "usage", "health", "delivery", "dashboard")
        ],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "bellwether.web.jinja.environment",
            "context_processors": [
                "bellwether.web.context.shell",
                "bellwether.dashboard.homes.other_systems",
                "bellwether.dashboard.follow_ups_page.due",
                "bellwether.dashboard.alerts_page.waiting",
                "bellwether.dashboard.search_places.palette",
                "bellwether.notifications.context.bell",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

DATABASES = {"default": ENVIRONMENT.database}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    SQLITE_OPTIONS = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;",
    }
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    DATABASES["spool"] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(HOME / "spool.sqlite3"),
        "OPTIONS": SQLITE_OPTIONS | {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"},
    }
    DATABASE_ROUTERS = ["bellwether.config.routers.SpoolRouter"]
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 300
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "staff.StaffUser"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_ADAPTER = "bellwether.staff.accounts.StaffAccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "5/5m/key,20/5m/ip", "reset_password": "5/m/ip,3/m/key"}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.base_url] if HTTPS else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [PACKAGE / "web" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

globals().update(ENVIRONMENT.email)
DEFAULT_FROM_EMAIL = ENVIRONMENT.email_from

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": ENVIRONMENT.log_level},
    "loggers": {
        "huey": {"level": "WARNING"},
        "urllib3": {"level": "INFO"},  # below that it writes addresses down, and those of Slack and Teams are secrets
    },
}
# In the database, because attempts to sign in are counted across all web processes. `memory` is each process's own, for
# what is dear to read, cheap to lose and good for a minute.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "bellwether_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},  # beyond the few hundred of the default, what workers keep ready would go
    },
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
