"""Cases 128 to 131: webhooks that would be sent where nothing may go, or ask for what there is not."""

import pytest

from bad_inputs.target import Sent, Target, webhook

URL = "https://mes.example.com/hook"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.8.8.8:8080", "[::1]", f"{0}.0.0.0", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1"),
        *("169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]"),
        *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "224.0.0.1", "[ff02::1]"),
        *("2130706433", "0x7f000001", "127.1", "0177.0.0.1", "a.example.0x7f"),
    ],
)
def test_128_an_address_that_nothing_is_sent_to(target: Target, host: str) -> None:
    target.refuses(128, webhook({"url": f"http://{host}/latest/meta-data"}))


@pytest.mark.parametrize(
    "url",
    [
        *("", "mes.example.com", "https://", "https:///hook", "http://[::1", "https://mes.example.com:99999"),
        *("ftp://mes.example.com", "file:///etc/passwd", "gopher://mes.example.com", "javascript:alert(1)"),
        *(
            "https://kim:secret@mes.example.com",
            "https://kim@mes.example.com",
            "https://mes.example.com\\\\@127.0.0.1/",
        ),
        *(
            "https://mes.example.com/#x",
            "https://mes.example.com/a b",
            "https://mes.example.com/\r\nX: y",
            "https://예.kr",
        ),
        *("https://a..example.com", f"https://{'a' * 64}.example.com", f"https://mes.example.com/{'x' * 2_000}"),
    ],
)
def test_129_an_address_that_is_none(target: Target, url: str) -> None:
    target.refuses(129, webhook({"url": url}))


def test_130_a_webhook_of_other_fields(target: Target) -> None:
    none: list[object] = [[], ["exploded"], "indexed", ["indexed"] * 9]
    for kinds in none:
        target.refuses(130, webhook({"url": URL, "kinds": kinds}), "field_invalid")
    target.refuses(130, webhook({"kinds": ["indexed"]}), "field_missing")
    target.refuses(130, webhook({"url": URL, "secret": "whsec_" + "x" * 10_000}), "field_unknown")
    target.refuses(130, webhook({"url": URL, "secret": "x" * 65_536}), "json_too_large")
    target.refuses(130, webhook({"url": "https://mes.example.com/\ud800"}), "text_invalid")
    target.refuses(130, webhook(f'{{"url": "{URL}", "url": "{URL}"}}'), "json_duplicate_key")
    target.refuses(130, webhook("[" * 100), "json_too_deep")
    target.refuses(130, webhook("null"), "json_shape")


def test_131_a_webhook_that_nobody_added(target: Target) -> None:
    unknown, none = f"/wh_{'0' * 12}", "/wh_" + "x" * 2_000
    for path, code in ((unknown, "not_found"), (none, "field_invalid")):
        target.refuses(131, webhook({"enabled": False}, path=path, method="PATCH"), code)
        target.refuses(131, Sent(path=f"/v1/webhooks{path}", method="DELETE"), code)
        target.refuses(131, Sent(path=f"/v1/webhooks{path}/secret"), code)
