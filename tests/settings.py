"""Settings of the tests: the real ones, in a folder that goes away, with a fast password hasher."""

import atexit
import os
import shutil
import tempfile

home = tempfile.mkdtemp(prefix="bellwether-tests-")
atexit.register(shutil.rmtree, home, ignore_errors=True)
for variable in [name for name in os.environ if name.startswith("BELLWETHER_")]:
    if variable not in {"BELLWETHER_DATABASE_URL", "BELLWETHER_TEST_POSTGRES_URL"}:
        del os.environ[variable]
os.environ["BELLWETHER_HOME"] = home

from bellwether.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
if "spool" in DATABASES:  # noqa: F405
    # Its two tables come from the models: walking through the migrations of all apps for them takes seconds a process.
    DATABASES["spool"]["TEST"] = {"MIGRATE": False}  # noqa: F405
