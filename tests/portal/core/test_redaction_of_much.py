"""Many secrets at once, secrets learned too late, and what gives itself away by its form."""

import time

from portal.core.redaction import FEW, MASK, Redactor, mask_forms


def test_thousands_of_secrets_are_found_as_surely_as_one() -> None:
    secrets = [f"S3cret-{number:06d}-{number * 7919 % 100003}" for number in range(3000)]
    redactor = Redactor(secrets)
    assert len(redactor._needles) > FEW
    text = "".join(f"line {number} says {secrets[number]}\n" for number in range(0, 3000, 7))
    began = time.perf_counter()
    redacted = redactor.redact(text)
    assert time.perf_counter() - began < 2
    assert redacted == "".join(f"line {number} says {MASK}\n" for number in range(0, 3000, 7))
    assert redactor.redact("nothing here\n") == "nothing here\n"


def test_a_secret_told_twice_is_no_news() -> None:
    redactor = Redactor(["one-secret"])
    assert not redactor.add(["one-secret", "abc"])
    assert redactor.add(["another-secret"])
    assert redactor.redact("another-secret") == MASK


def test_what_was_learned_too_late_is_blotted_out_in_its_place() -> None:
    key = "-----BEGIN-----\nMIIEpAIBAAKCAQEA\n-----END-----"
    text = f"first\nborn: päßwörd-1 and {key}\nlast kT9vQ2\n"
    blotted = Redactor(["päßwörd-1", key, "kT9vQ2"]).blot(text)
    assert len(blotted.encode()) == len(text.encode())
    assert blotted.count("\n") == text.count("\n")
    assert blotted.startswith(f"first\nborn: {MASK}")
    assert blotted.endswith("last ******\n")
    assert "MIIE" not in blotted


def test_forms_are_masked_without_blackening_addresses_of_resources() -> None:
    line = "module.x.aws_secretsmanager_secret.token: Creation complete after 1s [id=arn:aws:x]"
    assert mask_forms(line) == line
    assert (
        mask_forms("dial postgres://app:hunter2@db:5432/x failed")
        == f"dial postgres://app:{MASK}@db:5432/x failed"
    )
    assert "MIIE" not in mask_forms(
        "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb"
    )


def test_hex_and_html() -> None:
    secret = "p&ss<word>'1\""
    redactor = Redactor([secret])
    for shown in (secret.encode().hex(), secret.encode().hex().upper(), "p&amp;ss&lt;word&gt;&#x27;1&quot;"):
        assert redactor.redact(f"<{shown}>") == f"<{MASK}>"
