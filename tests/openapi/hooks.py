"""What Schemathesis does not send."""

from typing import Any

import schemathesis


@schemathesis.hook
def filter_headers(context: schemathesis.HookContext, headers: dict[str, Any] | None) -> bool:
    """No empty ones, which count as not sent: the description cannot say so of a number."""
    return all(value not in (None, "") for value in (headers or {}).values())
