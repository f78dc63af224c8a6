import pytest

from bellwether.common.encryption import UnreadableSecretError, decrypt, encrypt, is_current

OLD, NEW = "o" * 32, "n" * 40
URL = "postgresql://reader:s3cret@warehouse.example/analytics"


@pytest.fixture(autouse=True)
def keys(settings):  # type: ignore[no-untyped-def]
    settings.BELLWETHER_ENCRYPTION_KEYS = [OLD]


def test_gives_the_text_back_and_keeps_it_hidden() -> None:
    token = encrypt(URL)
    assert b"s3cret" not in token
    assert decrypt(token) == URL
    assert encrypt(URL) != token


def test_reads_with_an_old_key_and_writes_with_the_first(settings) -> None:  # type: ignore[no-untyped-def]
    token = encrypt(URL)
    settings.BELLWETHER_ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(token) == URL
    assert not is_current(token)
    again = encrypt(URL)
    assert is_current(again)
    settings.BELLWETHER_ENCRYPTION_KEYS = [NEW]
    assert decrypt(again) == URL


def test_says_what_to_do_when_no_key_fits(settings) -> None:  # type: ignore[no-untyped-def]
    token = encrypt(URL)
    settings.BELLWETHER_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(UnreadableSecretError, match="BELLWETHER_ENCRYPTION_KEYS"):
        decrypt(token)
