"""Who one is and where Azure's services are: cloud metadata and the managed identity's token endpoint.

Called by the SDKs (azure-ai-ml reads the metadata while it is imported; azure-identity speaks the App
Service protocol) and by the gateway's own storage client. What is not emulated: Entra ID itself; roles (any
token may do anything); signatures (Azurite and the gateway check none); user-assigned identities are
accepted by any name.
"""

import base64
import hashlib
import hmac
import json
import time

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.environment import secret

TENANT = "00000000-0000-4000-8000-000000000010"
PRINCIPAL = "00000000-0000-4000-8000-000000000011"
LIFETIME_S = 24 * 3600
STORAGE = "https://storage.azure.com"


def token(resource: str, key: str, now_s: float | None = None) -> tuple[str, int]:
    """A JSON web token for the resource and when it expires (epoch seconds)."""
    start_s = int(time.time() if now_s is None else now_s)
    claims = {
        "aud": resource.rstrip("/"),
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": start_s - 60,
        "nbf": start_s - 60,
        "exp": start_s + LIFETIME_S,
        "tid": TENANT,
        "oid": PRINCIPAL,
        "sub": PRINCIPAL,
        "appid": PRINCIPAL,
        "idtyp": "app",
        "ver": "1.0",
    }
    signed = f"{_part({'typ': 'JWT', 'alg': 'HS256'})}.{_part(claims)}"
    signature = hmac.digest(key.encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{_base64(signature)}", start_s + LIFETIME_S


def _part(value: object) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Identity:
    """The metadata and token endpoints."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._header = secret(cloud.folder, "identity-header")

    def routes(self) -> list[web.RouteDef]:
        """What the SDKs ask first."""
        return [web.get("/metadata/endpoints", self._metadata), web.get("/msi/token", self._token)]

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def stop(self) -> None:
        """Nothing runs in the background."""

    async def _metadata(self, _request: web.Request) -> web.Response:
        base = f"{self._cloud.gateway_url}/"
        return web.json_response(
            [
                {
                    "name": "AzureLocal",
                    "portal": base,
                    "resourceManager": base,
                    "authentication": {"loginEndpoint": base, "audiences": [base], "tenant": TENANT},
                    "suffixes": {"storage": f"localhost:{self._cloud.ports.blob}"},
                }
            ]
        )

    async def _token(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), self._header):
            return _refused(401, "invalid_request", "the X-IDENTITY-HEADER is missing or wrong")
        resource = request.query.get("resource")
        if not resource:
            return _refused(400, "invalid_resource", "the query names no resource")
        access_token, expires_on = token(resource, self._header)
        return web.json_response(
            {
                "access_token": access_token,
                "expires_on": str(expires_on),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": request.query.get("client_id", PRINCIPAL),
            }
        )


def _refused(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
