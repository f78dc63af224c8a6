"""The invented staff of Larkfield, the workspace of the demo: three teams and all six roles."""

from dataclasses import dataclass
from uuid import UUID

from bellwether.demo.plan import DemoPlan
from bellwether.demo.words import FIRST_NAMES, LAST_NAMES

WORKSPACE = "Larkfield"
DOMAIN = "larkfield.example"
PASSWORD = "larks-sing-at-dawn"  # noqa: S105 - opens the demo home only, and is printed
TEAMS = ("West", "East", "EMEA")
TEAM_OF_REGION = {"US West": "West", "US East": "East", "EMEA": "EMEA"}
CLIENTS_A_CSM = 21
CLIENTS_AN_AE = 60

_CSMS: tuple[tuple[str, str, str, str], ...] = (
    ("Jane", "Okafor", "CSM", "West"),
    ("Ruben", "Castellan", "SENIOR_CSM", "West"),
    ("Ingrid", "Solberg", "SENIOR_CSM", "East"),
    ("Tobias", "Winther", "SENIOR_CSM", "EMEA"),
    ("Dana", "Reyes", "CSM", "East"),
    ("Mateo", "Torres", "CSM", "West"),
    ("Amara", "Diallo", "CSM", "EMEA"),
    ("Kenji", "Moriyama", "CSM", "West"),
    ("Louise", "Harcourt", "CSM", "East"),
    ("Nikhil", "Varma", "CSM", "West"),
    ("Freya", "Lindholm", "CSM", "EMEA"),
    ("Owen", "Gallant", "CSM", "East"),
)
_AES = (("Eli", "Brandt"), ("Sasha", "Petrenko"), ("Marisol", "Vega"), ("Colin", "Ashdown"))
_LEADERS = (
    ("Vivian", "Holloway", "VP_CLIENT_SUCCESS"),
    ("Stefan", "Maddox", "VP_SALES"),
    ("Avery", "Quinn", "ADMIN"),
)


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """One member of staff; `team` is empty for those outside the teams."""

    id: UUID
    first_name: str
    last_name: str
    email: str
    role: str
    team: str = ""

    @property
    def looks_after_clients(self) -> bool:
        """Whether clients are assigned to this person as their CSM."""
        return self.role in {"CSM", "SENIOR_CSM"}


def make_staff(plan: DemoPlan) -> list[StaffMember]:
    """Return the staff for the size of `plan`: at least four CSMs (Jane Okafor first) and one of each other role."""
    csms = max(4, round(plan.clients / CLIENTS_A_CSM))
    people = [_CSMS[n] if n < len(_CSMS) else _extra_csm(n) for n in range(csms)]
    aes = min(max(1, plan.clients // CLIENTS_AN_AE), len(_AES))
    people += [(first, last, "AE", "") for first, last in _AES[:aes]]
    people += [(first, last, role, "") for first, last, role in _LEADERS]
    return [_member(plan, *person) for person in people]


def default_logins(staff: list[StaffMember]) -> list[StaffMember]:
    """Return the first member of each role, the one whose login is printed."""
    seen: dict[str, StaffMember] = {}
    for member in staff:
        seen.setdefault(member.role, member)
    return list(seen.values())


def _extra_csm(number: int) -> tuple[str, str, str, str]:
    first, last = FIRST_NAMES[number % len(FIRST_NAMES)], LAST_NAMES[number * 7 % len(LAST_NAMES)]
    return first, last, "CSM", TEAMS[number % len(TEAMS)]


def _member(plan: DemoPlan, first: str, last: str, role: str, team: str) -> StaffMember:
    email = f"{first}.{last}@{DOMAIN}".lower().replace(" ", "-")
    return StaffMember(
        id=plan.uuid("staff", email), first_name=first, last_name=last, email=email, role=role, team=team
    )
