"""GET /api/page: where the models stand, for a browser; what it shows and steers goes through the other calls.

The page itself holds nothing of anybody's and is given to everyone; it asks its reader for a function key, which it
sends with its own calls. Its policy lets nothing run but its own script, and nothing be called but this app.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import azure.functions as func

from shared.triggers.binding import new_blueprint

FILE = Path(__file__).with_suffix(".html")

blueprint = new_blueprint()


@blueprint.route("page", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def page(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host hands it over by this name
    """The page."""
    content, policy = _page()
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return func.HttpResponse(content, mimetype="text/html", charset="utf-8", headers=headers)


@cache
def _page() -> tuple[bytes, str]:
    """The file, and the policy that names its one script and its one style by hash."""
    text = FILE.read_text(encoding="utf-8")
    policy = "; ".join(
        (
            "default-src 'none'",
            "connect-src 'self'",
            f"script-src {_hash(text, 'script')}",
            f"style-src {_hash(text, 'style')}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return text.encode(), policy


def _hash(text: str, tag: str) -> str:
    (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'"
