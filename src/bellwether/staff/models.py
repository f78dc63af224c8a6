"""Staff who use Bellwether, the tokens of their programs, and the record of what was read and done."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from bellwether.common.fields import one_of


class Role(models.TextChoices):
    CSM = "CSM", "Client success manager"
    SENIOR_CSM = "SENIOR_CSM", "Senior client success manager"
    AE = "AE", "Account executive"
    VP_CLIENT_SUCCESS = "VP_CLIENT_SUCCESS", "VP client success"
    VP_SALES = "VP_SALES", "VP sales"
    ADMIN = "ADMIN", "Administrator"


SEES_ALL_CLIENTS = frozenset({Role.VP_CLIENT_SUCCESS, Role.VP_SALES, Role.ADMIN})


class Theme(models.TextChoices):
    SYSTEM = "", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Digest(models.TextChoices):
    OFF = "OFF", "None"
    DAILY = "DAILY", "Every working day"
    WEEKLY = "WEEKLY", "On Mondays"


class Team(models.Model):
    """A group of CSMs; its senior CSMs see the clients of all its members."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)

    def __str__(self) -> str:
        return self.name


class StaffUserManager(BaseUserManager["StaffUser"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "StaffUser":
        """Return a new saved user; without a password the user can only sign in through SSO or a reset mail."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "StaffUser":
        """Return a new administrator who may also open Django's admin pages."""
        return self.create_user(email, password, **{"role": Role.ADMIN, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "StaffUser":
        """Return the user with this e-mail address, whatever its case."""
        return self.get(email__iexact=username)


class StaffUser(AbstractBaseUser, PermissionsMixin):
    """A member of staff (EthicoUser in PRD-015). `role` decides which clients are visible: see portfolio.scoping."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80, blank=True)
    role = models.CharField(max_length=20, choices=Role, default=Role.CSM)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    time_zone = models.CharField(max_length=60, blank=True)
    theme = models.CharField(max_length=5, choices=Theme, blank=True, default=Theme.SYSTEM, db_default=Theme.SYSTEM)
    digest = models.CharField(max_length=6, choices=Digest, default=Digest.OFF, db_default=Digest.OFF)
    preferences = models.JSONField(default=dict, blank=True, help_text="What pages remember, by the page's name.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = StaffUserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name"]

    class Meta:
        ordering = ["first_name", "last_name"]
        constraints = [
            one_of("role", Role, "staffuser_role_known"),
            one_of("theme", Theme, "staffuser_theme_known"),
            one_of("digest", Digest, "staffuser_digest_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """First and last name, for people to read."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin pages may be opened: administrators only."""
        return self.role == Role.ADMIN

    @property
    def may_configure(self) -> bool:
        """Whether the user may change what holds for the whole workspace."""
        return self.is_active and self.role == Role.ADMIN

    @property
    def sees_all_clients(self) -> bool:
        """Whether the role sees every client of the workspace."""
        return self.role in SEES_ALL_CLIENTS


class ApiToken(models.Model):
    """A bearer token `bw_…` of the staff API. Only its SHA-256 is kept; `prefix` is what people recognise it by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(StaffUser, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    window_started_at = models.DateTimeField(null=True, blank=True)
    window_requests = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class IdempotencyRecord(models.Model):
    """A creating request that carried an Idempotency-Key, and its answer; without `status` it is still at work."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(StaffUser, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    response = models.JSONField(default=dict)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotencyrecord_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotencyrecord_created")]

    def __str__(self) -> str:
        return self.key


class DigestMail(models.Model):
    """The digest of one person and day. Made before it is sent, so that nobody gets two; without `sent_at` for long the
    worker died and it is sent again under the same message id."""

    user = models.ForeignKey(StaffUser, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    is_empty = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="digestmail_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"


class AuditEvent(models.Model):
    """One line of the access log. Rows are only ever added: triggers refuse change and removal, `hash` chains them."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True, blank=True)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    client_id = models.UUIDField(null=True, blank=True)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["client_id", "-at"], name="audit_client_at"),
            models.Index(fields=["actor_id", "-at"], name="audit_actor_at"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class AuditHead(models.Model):
    """The end of the access log, one row: without it nobody would notice that the last rows were removed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audithead_single")]

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"
