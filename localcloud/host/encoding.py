"""Text of queue messages: base64 unless host.json says none. Pure.

Used by queue_trigger.py and invoker.py.
"""

import base64
import binascii


def decode_message(text: str, is_base64: bool) -> bytes:
    """Body of a message from the text in the queue; ValueError when that is no base64."""
    if not is_base64:
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the message is not base64: {error}") from error


def encode_message(body: bytes, is_base64: bool) -> str:
    """Text for the queue. Without base64 the body must be UTF-8, else ValueError."""
    return base64.b64encode(body).decode() if is_base64 else body.decode()
