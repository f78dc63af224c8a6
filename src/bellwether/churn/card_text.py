"""The model card as Markdown: what the model is for, what it rests on, how well it did, and where it fails. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bellwether.churn.card import Candidate, Card, Coefficient, Group, Lead, ReliabilityPoint
from bellwether.churn.factors import BASE_LOG_ODDS, HORIZONS
from bellwether.health.backtest_result import Interval

NOTHING = "–"


@dataclass(frozen=True)
class About:
    """The version that a card is of. Days and instants as text."""

    version: int
    kind: str
    state: str
    trained_at: str
    reason: str
    feature_version: str
    data_digest: str
    seconds: float


def markdown(card: Card, about: About) -> str:
    """Return the whole card as Markdown; ends with a line break."""
    parts = [
        f"# Churn model, version {about.version}",
        _table(
            ("", ""),
            [
                ("Kind", about.kind),
                ("State", about.state),
                ("Trained", about.trained_at + (f", in {about.seconds:.0f} s" if about.seconds else "")),
                ("Why it is in this state", about.reason or card.why or NOTHING),
                ("Definition of the features", f"`{about.feature_version}`"),
                ("Digest of the training rows", f"`{about.data_digest}`" if about.data_digest else NOTHING),
            ],
        ),
        INTENDED,
        _data(card),
        METHOD,
        "## How well it foretells",
        card.message,
    ]
    if card.candidates:
        parts += [*_figures(card), *_shown(card), _drift(card)]
    if card.coefficients:
        parts.append(_coefficients(card.coefficients))
    parts.append(LIMITS)
    parts += card.notes
    return "\n\n".join(part for part in parts if part) + "\n"


INTENDED = """\
## What it is for
To say how probably a client leaves within 30, 60 and 90 days, so that people know whom to call first and why. It is
not for judging people, neither the client's nor one's own, and not for deciding about a client without somebody who
looks. A factor is an association: what would happen if it were changed is not known from it."""

METHOD = f"""\
## Method
A logistic hazard for each of three 30-day intervals on standardised features, pooled over client-weeks; p30 = h1,
p60 = 1 − (1 − h1)(1 − h2), p90 likewise. The coefficients are the most probable ones under a Gaussian prior around the
expert's, with the direction of each feature held. Where nothing is known it is the expert's model, whose log-odds are
{BASE_LOG_ODDS:g} for a client in the middle of every feature.

It is tested forward in time: for each of up to four folds a model is fitted on what was known when the fold starts, of
each row only the intervals that had ended by then, and calibrated on the fold before. All figures are of the pooled
rows of the folds. Intervals are of a bootstrap over whole clients, 80 % unless said otherwise."""

LIMITS = """\
## Limits
- It knows what is recorded. A merger, a bankruptcy or a change of strategy shows only once it shows in the data.
- Clients that were archived without an outcome are left out from then on; a churn that nobody wrote down is counted as
  a client that stayed.
- A feature that is unknown counts as its middle. A client of which little is known gets a band, not a figure.
- Figures of small groups are uncertain; groups with fewer than 5 clients that left have counts alone.
- Recommended actions change what happens. Clients that were saved make a good model look worse than it is."""


def _data(card: Card) -> str:
    if not card.rows:
        return "## Data\nNo client-week has an outcome yet; the coefficients are the expert's."
    rates = ", ".join(f"{days} days {_share(card.base_rates.get(str(days)), 2)}" for days in HORIZONS)
    folds = _table(
        ("Fold", "Training rows", "of clients that left", "Test rows", "of clients that left"),
        [
            (
                f"{fold.start} to {fold.end}" if fold.start else f"Part {n}",
                f"{fold.training_rows:,}", f"{fold.training_churned:,}", f"{fold.rows:,}", f"{fold.churned:,}",
            )
            for n, fold in enumerate(card.folds, 1)
        ],
    )  # fmt: skip
    return "\n\n".join(
        [
            "## Data",
            f"{card.rows:,} client-weeks of {card.clients:,} clients, as-of days {card.first} to {card.last}, outcomes "
            f"up to {card.until}. {card.churned:,} of these clients left. Share of client-weeks followed by leaving: "
            f"{rates}.",
            f"Tested {card.method} on {card.test_rows:,} client-weeks of {card.test_clients:,} clients, "
            f"{card.test_churned:,} of which left.",
            folds,
        ]
    )


def _figures(card: Card) -> Iterable[str]:
    for days in HORIZONS:
        rows = [_figure_row(one, str(days)) for one in card.candidates if one.horizons]
        yield f"### Within {days} days\n\n" + _table(
            ("", "AUC", "PR-AUC", "Brier", "Log loss", "ECE", "Lift at 10 %", "Rows", "Left"), rows
        )
    yield "### Against each other\n\n" + _table(
        ("", "AUC at 90 days, of this version less it", "Verdict"),
        [
            (one.title, _both(found.value, 3, signed=True), found.verdict)
            for one in card.candidates
            if (found := one.ahead.get(card.subject)) is not None
        ],
    )
    names = {one.key: one.title for one in card.candidates}
    yield "Log loss over all intervals, on the same rows (below 0: the first is better):\n\n" + _table(
        ("", "against", "Difference", "Rows", "Left"),
        [
            (
                names.get(pair.challenger, pair.challenger), names.get(pair.incumbent, pair.incumbent),
                _both(pair.difference, 4, signed=True), f"{pair.rows:,}", f"{pair.churned:,}",
            )
            for pair in card.pairs
        ],
    )  # fmt: skip


def _figure_row(one: Candidate, days: str) -> tuple[str, ...]:
    found = one.horizons.get(days)
    if found is None:
        return (one.title, *[NOTHING] * 8)
    return (
        one.title, _both(found.auc, 3), _both(found.pr_auc, 3), _both(found.brier, 4), _both(found.log_loss, 4),
        _both(found.ece, 3), _both(found.lift, 1), f"{found.rows:,}", f"{found.churned:,}",
    )  # fmt: skip


def _shown(card: Card) -> Iterable[str]:
    one = card.shown
    if one is None:
        return
    last = one.horizons.get(str(HORIZONS[-1]))
    if last is not None and last.points:
        yield f"### Reliability at {HORIZONS[-1]} days\n\n" + _table(
            ("Foretold", "Came", "95 % interval", "Rows", "Clients"), [_point(point) for point in last.points]
        )
    yield f"### At the capacity of a week\n\nThe {card.capacity} with the highest probability are listed.\n\n" + _table(
        ("", "Precision", "Recall", "Losses found"),
        [
            (
                other.title, _both(other.capacity.precision, 3), _both(other.capacity.recall, 3),
                f"{other.capacity.found} of {other.capacity.losses}",
            )
            for other in card.candidates
            if other.capacity.losses
        ],
    )  # fmt: skip
    yield "### Lead time\n\n" + _table(
        ("Days from … to leaving", "Median", "Quartiles", "Clients"),
        [
            _lead_row("first above 50 % at 90 days", one.lead_high),
            _lead_row("first on the weekly list", one.lead_listed),
        ],
    )
    for title, groups in (("By tier", one.tiers), ("By industry", one.industries)):
        if groups:
            yield f"### {title}, 90 days\n\n" + _table(
                ("", "Rows", "Clients", "Left", "Foretold", "Came", "AUC", "Brier"), [_group(each) for each in groups]
            )


def _point(point: ReliabilityPoint) -> tuple[str, ...]:
    between = NOTHING if point.low is None else f"{_share(point.low, 1)} to {_share(point.high, 1)}"
    return _share(point.foretold, 1), _share(point.came, 1), between, f"{point.rows:,}", f"{point.clients:,}"


def _lead_row(what: str, lead: Lead) -> tuple[str, ...]:
    between = NOTHING if lead.low is None else f"{lead.low:.0f} to {lead.high:.0f}"
    return what, _number(lead.median, 0), between, f"{lead.crossed} of {lead.losses}"


def _group(group: Group) -> tuple[str, ...]:
    return (
        group.name or "None given", f"{group.rows:,}", f"{group.clients:,}", f"{group.churned:,}",
        _share(group.foretold, 1), _share(group.came, 1), _both(group.auc, 3), _both(group.brier, 4),
    )  # fmt: skip


def _drift(card: Card) -> str:
    rows = [(one.label, _number(one.psi, 3), one.words) for one in card.drift]
    return f"## Drift\n\nPopulation stability index, {card.drift_window}.\n\n" + _table(("", "PSI", ""), rows)


def _coefficients(rows: Sequence[Coefficient]) -> str:
    steps = any(value is not None for row in rows for value in row.swing)
    told = (
        "Log-odds between the lowest and the highest step of each feature, by interval."
        if steps
        else "Change of the log-odds per standard unit of the feature, by interval, with 80 % interval."
    )
    head = ("", "Factor", *(f"Interval {n + 1}" for n in range(len(rows[0].weights))), "Expert")
    return f"## Coefficients\n\n{told}\n\n" + _table(
        head,
        [
            (row.label, row.factor, *_weights(row), " / ".join(_number(weight, 2) for weight in row.expert))
            for row in rows
        ],
    )


def _weights(row: Coefficient) -> list[str]:
    found = []
    for weight, low, high, swing in zip(row.weights, row.low, row.high, row.swing, strict=True):
        if weight is None:
            found.append(f"range {_number(swing, 2)}")
        elif low is None:
            found.append(_number(weight, 2))
        else:
            found.append(f"{_number(weight, 2)} ({_number(low, 2)} to {_number(high, 2)})")
    return found


def _both(value: Interval, places: int, *, signed: bool = False) -> str:
    """Return a figure with its 80 % interval: "0.812 (0.770 to 0.851)"."""
    form = f"{'+' if signed else ''}.{places}f"
    if value.value is None:
        return NOTHING
    text = format(value.value, form)
    return text if value.low80 is None else f"{text} ({value.low80:{form}} to {value.high80:{form}})"


def _number(value: float | None, places: int) -> str:
    return NOTHING if value is None else f"{value:.{places}f}"


def _share(value: float | None, places: int) -> str:
    return NOTHING if value is None else f"{100 * value:.{places}f} %"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
