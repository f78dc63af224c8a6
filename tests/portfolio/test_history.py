"""Changes by hand leave a history; computed columns do not."""

from auditlog.models import LogEntry

from tests.conftest import Clients


class TestKeepHistory:
    def test_keeps_the_old_and_the_new_value(self, clients: Clients) -> None:
        clients.sturdy.refresh_from_db()
        clients.sturdy.segment = "strategic"
        clients.sturdy.save()
        entry = LogEntry.objects.get_for_object(clients.sturdy).filter(action=LogEntry.Action.UPDATE).get()
        assert entry.changes == {"segment": ["", "strategic"]}

    def test_leaves_scores_to_their_own_history(self, clients: Clients) -> None:
        clients.sturdy.refresh_from_db()
        clients.sturdy.current_health_score = 12
        clients.sturdy.save()
        assert not LogEntry.objects.get_for_object(clients.sturdy).filter(action=LogEntry.Action.UPDATE).exists()
