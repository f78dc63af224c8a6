"""What the demo's staff note when they resolve or dismiss an alert, by its type."""

_HEALTH = (
    "Went through the drivers with the admin; adoption plan agreed for the next four weeks.",
    "Seasonal: their campaign ended. Next one starts in three weeks.",
    "Training booked for the new team. Will look again at the end of the month.",
)
_NOISE = ("Known dip, nothing to do.", "Holiday season at the client.", "Covered by the alert from last week.")

RESOLVED: dict[str, tuple[str, ...]] = {
    "CRITICAL_HEALTH": ("Recovery plan agreed with the sponsor, weekly calls until it holds.", *_HEALTH),
    "HEALTH_DROP": _HEALTH,
    "KEY_USER_INACTIVE": (
        "On parental leave; the deputy has access now.",
        "Changed roles. New owner named and invited.",
        "Called: was travelling, will be back next week.",
    ),
    "CHAMPION_RISK": (
        "Introduced to the successor, handover call done.",
        "Spoke with the champion: workload, not dissatisfaction.",
        "Second contact won as champion; map updated.",
    ),
    "SUPPORT_SPIKE": (
        "Export defect, fixed and confirmed by the client.",
        "Questions from the roll-out; office hours offered.",
        "Engineering has the cause; workaround sent.",
    ),
    "USAGE_DECLINE": (
        "Their project ended; the next one is planned.",
        "New starters trained, use is coming back.",
        "Single sign-on was broken after a change on their side.",
    ),
    "FEATURE_ABANDONED": (
        "They replaced it with a process of their own. Noted for the renewal.",
        "Showed the new version; two people will try it again.",
    ),
    "RENEWAL_APPROACHING": (
        "Renewal call held, terms sent.",
        "Sponsor confirmed the intention to renew.",
        "Handed to the account executive with the value summary.",
    ),
    "CONTRACT_UTILIZATION_LOW": (
        "Roll-out to a second department agreed.",
        "Right-sizing proposed for the next term.",
    ),
    "NPS_DETRACTOR": (
        "Called: unhappy with search. Feature request filed, expectations set.",
        "Apologised for the slow ticket; it is solved now.",
        "Complaint was about the price. Passed on to the account executive.",
    ),
    "PAYMENT_ISSUE": (
        "Invoice had gone to the wrong address. Sent again.",
        "Finance confirmed: paid with the next run.",
    ),
}

DISMISSED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(RESOLVED, _NOISE),
    "NPS_DETRACTOR": ("Answer was meant for another product.", "Left the company since."),
    "PAYMENT_ISSUE": ("Finance has it.", "Payment plan agreed."),
    "RENEWAL_APPROACHING": ("Multi-year terms are being signed already.",),
}
