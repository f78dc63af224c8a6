"""Webhooks without a database: signatures, waits, addresses."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from bellwether.webhooks.addresses import RefusedAddressError, checked_url, is_public, target_of
from bellwether.webhooks.retrying import AFTER, given_up, next_attempt
from bellwether.webhooks.sending import retry_seconds
from bellwether.webhooks.signing import new_secret, signed_headers

pytestmark = pytest.mark.one_database
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class TestSignature:
    def test_is_that_of_the_published_vector(self) -> None:
        secret = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="
        headers = signed_headers([secret], event_id="msg_1", at=NOW, body='{"type":"health.changed"}')
        assert headers["webhook-timestamp"] == "1767323045"
        assert headers["webhook-signature"] == "v1,phDTKsOMcKLrv9zZjmFfRPd5bYiYDFT10Et7SybaB9A="

    def test_of_two_secrets_each_verifies(self) -> None:
        old, new = new_secret(), new_secret()
        at = datetime.now(UTC)
        headers = signed_headers([new, old], event_id="msg_2", at=at, body="{}")
        assert Webhook(old).verify("{}", headers) == {}
        assert Webhook(new).verify("{}", headers) == {}


class TestRetries:
    def test_ten_attempts_then_none(self) -> None:
        waits = [next_attempt(n, now=NOW, retry_after=None, random=lambda: 0.0) for n in range(1, 11)]
        assert [at - NOW for at in waits[:-1] if at] == list(AFTER)
        assert waits[-1] is None

    def test_jitter_only_lengthens(self) -> None:
        assert next_attempt(2, now=NOW, retry_after=None, random=lambda: 1.0) == NOW + timedelta(minutes=6)

    def test_the_receiver_may_ask_for_more_up_to_a_day(self) -> None:
        def wait(seconds: float) -> timedelta | None:
            at = next_attempt(1, now=NOW, retry_after=seconds, random=lambda: 0.0)
            return at - NOW if at else None

        assert wait(60) == timedelta(seconds=60)
        assert wait(1) == timedelta(seconds=5)
        assert wait(10**7) == timedelta(days=1)

    def test_an_endpoint_is_given_up_after_five_days(self) -> None:
        assert not given_up(None, NOW)
        assert not given_up(NOW - timedelta(days=4, hours=23), NOW)
        assert given_up(NOW - timedelta(days=5), NOW)

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("30", 30.0), ("Fri, 02 Jan 2026 03:05:05 GMT", 60.0), ("", None), ("soon", None)],
        ids=["number", "date", "none", "words"],
    )
    def test_reads_retry_after(self, text: str, seconds: float | None) -> None:
        assert retry_seconds(text, NOW) == seconds


INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
    "ff02::1",
]  # fmt: skip


class TestAddresses:
    @pytest.mark.parametrize("address", INSIDE)
    def test_of_the_inside_are_refused(self, address: str) -> None:
        assert not is_public(ipaddress.ip_address(address))
        with pytest.raises(RefusedAddressError, match="private network"):
            target_of("https://hooks.example/", allowed_hosts=(), resolve=lambda host, port: ["93.184.216.34", address])

    @pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
    def test_of_the_internet_are_not(self, address: str) -> None:
        assert is_public(ipaddress.ip_address(address))

    def test_connects_to_what_was_checked(self) -> None:
        target = target_of(
            "https://Hooks.Example:8443/in?x=1", allowed_hosts=(), resolve=lambda host, port: ["93.184.216.34"]
        )
        assert (target.address, target.host, target.port) == ("93.184.216.34", "hooks.example", 8443)
        assert (target.path, target.host_header) == ("/in?x=1", "hooks.example:8443")

    def test_named_hosts_may_be_inside_and_without_tls(self) -> None:
        target = target_of("http://intra/hook", allowed_hosts=["intra"], resolve=lambda host, port: ["10.0.0.5"])
        assert (target.scheme, target.address, target.host_header) == ("http", "10.0.0.5", "intra")

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example/", "ftp://hooks.example/", "https://user:pw@hooks.example/", "https:///x", "",
            "javascript:alert(1)", "https://hooks.example:port/", "https://a b/", "https://[::1/",
        ],
        ids=["http", "ftp", "user", "no host", "empty", "script", "port", "blank", "bracket"],
    )  # fmt: skip
    def test_that_cannot_be_used_name_the_field(self, url: str) -> None:
        with pytest.raises(RefusedAddressError) as error:
            checked_url(url, allowed_hosts=())
        assert list(error.value.errors) == ["url"]
