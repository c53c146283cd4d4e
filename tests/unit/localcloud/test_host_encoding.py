"""Text of queue messages."""

import pytest

from localcloud.host.encoding import decode_message, encode_message
from localcloud.host.invoker import message_bodies
from localcloud.host.messages import TypedData


def test_base64_text_is_decoded_to_its_bytes() -> None:
    assert decode_message("aMOpbGxv", is_base64=True) == "héllo".encode()


def test_plain_text_is_not_base64() -> None:
    with pytest.raises(ValueError, match="not base64"):
        decode_message('{"model": "m"}', is_base64=True)


def test_with_encoding_none_the_text_is_the_message() -> None:
    assert decode_message("aMOpbGxv", is_base64=False) == b"aMOpbGxv"


@pytest.mark.parametrize("is_base64", [True, False])
def test_what_is_encoded_is_decoded_to_the_same(is_base64: bool) -> None:
    body = "ünïcode".encode()
    assert decode_message(encode_message(body, is_base64), is_base64) == body


def test_bytes_that_are_no_text_need_base64() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        encode_message(b"\xff", is_base64=False)


@pytest.mark.parametrize(
    ("data", "bodies"),
    [
        (TypedData(string="one"), [b"one"]),
        (TypedData(bytes=b"\x00"), [b"\x00"]),
        (TypedData(json='["one", "two"]'), [b"one", b"two"]),
        (TypedData(json='[{"a": 1}]'), [b'{"a": 1}']),
        (TypedData(json='{"a": 1}'), [b'{"a": 1}']),
    ],
)
def test_an_output_becomes_one_message_a_value(data: TypedData, bodies: list[bytes]) -> None:
    assert message_bodies(data) == bodies
