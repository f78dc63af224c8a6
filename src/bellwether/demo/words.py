"""Invented names and sentences of the demo. None of them means a real company or person."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_PARTS = _words(
    "Alder Amberley Ashgrove Aspen Balfour Barrow Beacon Birchfield Blackthorn Bramble Brightwater Briar "
    "Calder Canyon Cedar Cinder Clearbrook Cobalt Copperfield Cormorant Cranleigh Crestline Dapple Dovetail "
    "Dunmore Eastgate Elmhurst Ember Fairhaven Falcon Fenwick Fernhill Flint Foxglove Garnet Glenmere Granite "
    "Greyfriar Halcyon Harrow Hawthorn Hazel Heron Highfield Hollis Indigo Ironbridge Ivory Juniper Kestrel "
    "Kingfisher Lakeside Larchmont Lantern Linden Lodestar Longmeadow Magnolia Maple Marlow Meadowlark "
    "Meridian Millbrook Moorland Northfold Nutmeg Oakhurst Onyx Orchard Osprey Palisade Pebble Penrose "
    "Pinecrest Quarry Quayside Quill Redwick Ridgeway Rosewood Rowan Saffron Saltmarsh Sandpiper Silverdale "
    "Slate Sorrel Sparrow Stonebridge Summit Sycamore Tamarack Teal Thistle Tidewater Umber Valebrook Verity "
    "Walnut Waverley Westmoor Willow Windmill Wren Yarrow Zephyr"
)

INDUSTRIES: dict[str, tuple[str, ...]] = {
    "Manufacturing": ("Foundry", "Textiles", "Aero", "Timber", "Machining", "Ceramics", "Components"),
    "Healthcare": ("Health", "Hospitals", "Clinics", "Care Group", "Medical Centers"),
    "Financial services": ("Bank", "Insurance", "Credit Union", "Capital", "Mutual", "Trust"),
    "Food & retail": ("Foods", "Retail", "Grocers", "Bakeries", "Outfitters", "Home Stores"),
    "Logistics": ("Freight", "Logistics", "Rail", "Shipping", "Couriers"),
    "Life sciences": ("Pharma", "Labs", "Biologics", "Diagnostics", "Therapeutics"),
    "Energy & utilities": ("Energy", "Utilities", "Water", "Wind", "Power Cooperative"),
    "Education": ("University", "College", "Schools Trust", "Learning"),
    "Public sector": ("Council", "County Services", "Transit Authority", "Port Authority"),
    "Technology": ("Software", "Systems", "Networks", "Robotics", "Data"),
    "Telecom": ("Telecom", "Wireless", "Broadband"),
    "Hospitality": ("Hotels", "Resorts", "Restaurants", "Leisure"),
    "Construction": ("& Sons", "Builders", "Civil Works", "Roofing"),
    "Media": ("Media", "Publishing", "Broadcasting", "Studios"),
}

PLACES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "US West": (
        ("Seattle, WA", "US", "America/Los_Angeles"),
        ("Portland, OR", "US", "America/Los_Angeles"),
        ("San Diego, CA", "US", "America/Los_Angeles"),
        ("Sacramento, CA", "US", "America/Los_Angeles"),
        ("Denver, CO", "US", "America/Denver"),
        ("Salt Lake City, UT", "US", "America/Denver"),
        ("Phoenix, AZ", "US", "America/Phoenix"),
        ("Vancouver, BC", "CA", "America/Vancouver"),
    ),
    "US East": (
        ("Chicago, IL", "US", "America/Chicago"),
        ("Austin, TX", "US", "America/Chicago"),
        ("Minneapolis, MN", "US", "America/Chicago"),
        ("Boston, MA", "US", "America/New_York"),
        ("Atlanta, GA", "US", "America/New_York"),
        ("Columbus, OH", "US", "America/New_York"),
        ("Raleigh, NC", "US", "America/New_York"),
        ("Toronto, ON", "CA", "America/Toronto"),
    ),
    "EMEA": (
        ("Leeds", "GB", "Europe/London"),
        ("Bristol", "GB", "Europe/London"),
        ("Dublin", "IE", "Europe/Dublin"),
        ("Hamburg", "DE", "Europe/Berlin"),
        ("Munich", "DE", "Europe/Berlin"),
        ("Utrecht", "NL", "Europe/Amsterdam"),
        ("Lyon", "FR", "Europe/Paris"),
        ("Gothenburg", "SE", "Europe/Stockholm"),
    ),
}

FIRST_NAMES = _words(
    "Abena Adele Aiko Alma Amir Anders Anika Arjun Astrid Beatriz Bruno Camille Carlos Chloe Clara Daniel "
    "Darius Dina Elena Elif Emil Esther Farah Felix Fiona Gabriel Grace Hana Hugo Ines Ingrid Isaac Ivy Jana "
    "Jonas Julia Kamal Karin Kofi Lars Leila Liam Lina Lucas Maeve Malik Mara Marco Maya Mei Milan Mira Nadia "
    "Naomi Nils Noor Oscar Owen Paula Petra Priya Rafael Rania Rosa Ruth Samir Selma Simon Sofia Sven Tara Teo "
    "Theo Tomas Uma Vera Victor Wanda Yara Zoe"
)

LAST_NAMES = _words(
    "Abbasi Adeyemi Almeida Andersson Arslan Baptiste Becker Beltran Bergman Bianchi Brandt Byrne Castellan "
    "Chaudhry Costa Dahl Delgado Demir Dupont Eriksen Farouk Ferreira Fischer Fontaine Gallagher Haddad Hansen "
    "Hartley Hoffman Ibarra Iyer Jansen Kaur Keller Kimura Kovacs Lang Larsen Lindqvist Lopes Marchetti Mbeki "
    "Mendes Moreau Nakata Novak Nyberg Obi Olsen Ortega Osei Park Patel Petrov Quist Rahman Ramos Reyes "
    "Richter Rossi Sandoval Santos Sato Schmitt Silva Singh Sorensen Tanaka Tremblay Usman Vargas Vogel Weiss "
    "Winther Yilmaz Young Zeller"
)

TITLES = {
    "CHAMPION": ("Head of Compliance", "Ethics Program Manager", "Director of Operations", "Compliance Lead"),
    "EXECUTIVE_SPONSOR": ("Chief Compliance Officer", "General Counsel", "Chief Operating Officer", "VP Risk"),
    "ADMIN": ("Systems Administrator", "Platform Owner", "IT Manager", "Program Administrator"),
    "USER": ("Investigator", "HR Business Partner", "Case Analyst", "Site Manager"),
    "BILLING": ("Accounts Payable Lead", "Finance Manager"),
    "OTHER": ("Procurement Manager", "Internal Auditor"),
}

TICKETS = (
    "Case export fails for large files",
    "Report shows yesterday's figures",
    "Single sign-on asks twice",
    "Reminder mail sent to the wrong group",
    "Cannot attach a file to a case",
    "Dashboard is slow on Monday mornings",
    "How do we add a second approver?",
    "Campaign closed a day early",
    "Translation missing in the intake form",
    "User cannot be reactivated",
    "Wrong time zone in the audit list",
    "Permission missing after role change",
    "Bulk upload stops at row 500",
    "Question about the retention settings",
    "Search finds no archived records",
    "Chart labels overlap in the PDF",
)

COMMENTS = {
    "high": (
        "Helps us every day.",
        "Support answered within the hour.",
        "The team likes the new dashboard.",
        "Easy to roll out to another site.",
        "",
        "",
    ),
    "middle": (
        "Does the job, reporting could be quicker.",
        "We use only half of what we pay for.",
        "Good, when it is fast.",
        "",
        "",
        "",
    ),
    "low": (
        "Too many clicks for a simple case.",
        "Third time we report the same problem.",
        "Our people went back to spreadsheets.",
        "We do not see the value at this price.",
        "",
    ),
}

PROMISES = (
    "Send the summary",
    "Send prices for two more sites",
    "Book a training for new managers",
    "Ask the product team about the export",
    "Share the report template",
    "Confirm the date of the review",
)

SUBJECTS = {
    "CALL": ("Monthly check-in", "Check-in call", "Adoption review", "Questions about reporting", "Roadmap call"),
    "EMAIL": ("Usage summary sent", "Follow-up to our call", "Release notes shared", "Training material sent"),
    "MEETING": ("Working session on case flow", "Site roll-out planning", "Success plan review"),
    "QBR": ("Quarterly business review",),
    "TRAINING": ("Training for new investigators", "Administrator training", "Refresher on reports"),
    "ONBOARDING": ("Kick-off", "Data import session", "Go-live check"),
    "SUPPORT_ESCALATION": ("Escalation of open tickets", "Call with support about repeated faults"),
    "EXECUTIVE_TOUCHPOINT": ("Lunch with the sponsor", "Sponsor call on next year's goals"),
    "INTERNAL_DISCUSSION": ("Account review in the team", "Renewal strategy"),
}

OUTCOMES = {
    "high": ("SUCCESSFUL_ENGAGEMENT", "SUCCESSFUL_ENGAGEMENT", "NO_ACTION_NEEDED", "EXPANSION_OPPORTUNITY"),
    "middle": ("SUCCESSFUL_ENGAGEMENT", "ISSUE_IDENTIFIED", "FOLLOW_UP_REQUIRED", "NO_ACTION_NEEDED"),
    "low": ("RISK_IDENTIFIED", "ISSUE_IDENTIFIED", "FOLLOW_UP_REQUIRED", "RISK_IDENTIFIED"),
}

NOTES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "high": (
        ("GENERAL", "Program is well anchored", "The compliance team runs it on their own; monthly call is enough."),
        ("OPPORTUNITY", "Second site interested", "A sister site asked for a demonstration; talk to the sponsor."),
        (
            "STRATEGY",
            "Success plan agreed",
            "Goals for the year:\n\n- close cases **on time**\n- one campaign a quarter",
        ),
        ("QBR_PREP", "Points for the next review", "Show time to close and the share of cases within target."),
    ),
    "middle": (
        ("GENERAL", "Uses the basics only", "Most work stays in one module; reports are exported once a month."),
        ("STRATEGY", "Train the second shift", "Only the day shift was trained; offer two short sessions."),
        ("RISK", "Budget round coming", "Finance looks at all tools in the next quarter; bring figures."),
    ),
    "low": (
        ("RISK", "Usage falls", "Fewer people sign in each week; no answer to the last two mails."),
        ("RISK", "Looking at alternatives", "Procurement asked for the notice period."),
        (
            "STRATEGY",
            "Rescue plan",
            "Until usage is back:\n\n1. weekly call\n2. the support lead joins\n3. **review after 30 days**",
        ),
        ("INTERNAL", "Ask for a concession?", "Discuss a shorter term with the account executive."),
    ),
    "champion_left": (
        ("RISK", "Champion has left", "No successor named yet; the sponsor promised one within a month."),
    ),
    "support_trouble": (("RISK", "Repeated faults", "Several tickets on the same fault; support promised a fix."),),
    "recovering": (("GENERAL", "Back on track", "New program manager brought the team back; usage grows again."),),
    "onboarding": (("GENERAL", "Onboarding", "Data imported, first group trained; second group next month."),),
    "newborn": (("GENERAL", "Kick-off planned", "Contract signed; single sign-on and data import come first."),),
}

PINNED = frozenset({"Success plan agreed", "Rescue plan"})
"""Titles of the notes that stand first."""

TAGS = ("Strategic", "Reference", "Expansion", "Multi-site", "Price sensitive", "Regulated")
