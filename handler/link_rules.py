"""Which links of photos a server follows, and how long and how far."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt
from yarl import URL

from resformer.model.errors import BadRequest, UrlNotAllowed

__all__ = ["LinkRules"]

HTTPS_PORT: Final = 443
MAX_LINK: Final = 2000  # characters
# Names alone, since an address is nobody's name: the last label begins with a letter. `*.` stands for all names below.
HOST: Final = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*(:[0-9]{1,5})?")
# Sooner or later somebody takes these for something else.
NEVER_IN_LINKS: Final = re.compile(r"[\x00-\x20\x7f\\]")


def _host(text: str) -> str:
    if not HOST.fullmatch(text) or not 0 < int(text.partition(":")[2] or HTTPS_PORT) < 65536:
        raise ValueError(
            "must be a name in small letters, such as images.example.com, *.cdn.example.com for all names below it, "
            "or with a port, images.example.com:8443"
        )
    return text


class LinkRules(BaseModel):
    """The links that are followed.

    Attributes:
        hosts: Their hosts, `name` or `name:port`. `*.name` are all names below a name, but not that name.
        seconds: For one photo in all, redirects included.
        max_bytes: Larger photos are refused; None = as many as a photo that is sent may have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    hosts: Annotated[list[Annotated[str, AfterValidator(_host)]], Field(min_length=1)]
    seconds: Annotated[float, Field(gt=0, le=30)] = 5.0
    max_bytes: PositiveInt | None = None

    def check(self, link: str) -> URL:
        """The link, where it may be followed.

        Raises:
            BadRequest: It is no link.
            UrlNotAllowed: It is no https link of one of the hosts, or carries a password.
        """
        if len(link) > MAX_LINK or NEVER_IN_LINKS.search(link) or not link.isprintable():
            raise BadRequest(f"`image_url` is no link of at most {MAX_LINK} characters without spaces; encode it")
        try:
            url = URL(link)
            host, port = url.raw_host, url.port
        except ValueError as error:
            raise BadRequest(f"`image_url` is no link: {link[:40]!r}; send https://HOST/PATH") from error
        if url.scheme != "https" or not host:
            raise UrlNotAllowed("only links of the form https://HOST/PATH are fetched")
        if url.raw_user is not None or url.raw_password is not None:
            raise UrlNotAllowed("the link has a user's name or a password before its host; leave them out")
        if not self._lists(host, port or HTTPS_PORT):
            raise UrlNotAllowed(f"photos of {str(url.authority)[:40]!r} are not fetched; the server lists other hosts")
        return url

    def _lists(self, host: str, port: int) -> bool:
        for pattern in self.hosts:
            name, _, listed_port = pattern.partition(":")
            if int(listed_port or HTTPS_PORT) != port:
                continue
            if host == name or (name.startswith("*.") and host.endswith(name[1:]) and len(host) >= len(name)):
                return True
        return False
