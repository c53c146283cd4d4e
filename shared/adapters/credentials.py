"""How Upkeep signs in: without a secret, as whoever the environment says.

Called by bootstrap.py, once a process. On Azure the app's settings carry AZURE_TOKEN_CREDENTIALS =
ManagedIdentityCredential and AZURE_CLIENT_ID, so that exactly one credential is tried; on a desk neither is
set and the developer's own sign-in (az login, azd auth login) is used.
"""

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential


def credential() -> TokenCredential:
    """The credential that all clients of the process share, and with it one cache of tokens."""
    return DefaultAzureCredential(
        exclude_shared_token_cache_credential=True, exclude_visual_studio_code_credential=True
    )
