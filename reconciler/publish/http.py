"""The one door to code hosts and webhooks: HTTPS, patient with what passes, and silent about secrets.

Retried are: connections that were never made; 429 and 403 with Retry-After, where nothing was done; and 502, 503 and
504 of requests that do the same when they are sent twice. A POST that makes something is not sent again after those:
whether it was made is not known. `reconciler publish` run again looks first, and edits what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from reconciler.errors import PublishError

if TYPE_CHECKING:
    import requests

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MOST_REDIRECTS = 3
_MOST_PAGES = 200


@dataclass(frozen=True, slots=True)
class Patience:
    """`retries` after the first attempt; `backoff` seconds, doubled each time; `longest` that a Retry-After may make us
    wait; `connect` and `read` are the time limits of one attempt. All in seconds."""

    retries: int = 5
    backoff: float = 1.0
    longest: int = 300
    connect: float = 10.0
    read: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` is the JSON of the body, None where there is none; `next` the address of the next page, "" for none."""

    status: int
    value: Any
    next: str = ""


def host_of(url: str) -> str:
    """All that may be shown of an address: the rest of it may be a secret."""
    parts = urlsplit(url)
    return parts.hostname or "an address without a host"


def check_address(url: str, what: str) -> str:
    """The address, where it may be sent to. Raises PublishError: plain HTTP is for the machine itself only."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http"):
        raise PublishError(f"{what} is not an https:// address", advice="check the variable or option that it is from")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise PublishError(
            f"{what} at {host} is plain HTTP: what is sent, and the token, could be read on the way",
            advice="write https://",
        )
    return url


class Api:
    """The REST API of one host. `headers` carry the token: they are sent to `base`'s host and to no other."""

    def __init__(
        self, base: str, headers: Mapping[str, str], patience: Patience, *, advice: Callable[[int], str]
    ) -> None:
        self.base = check_address(base.rstrip("/"), "the API")
        self._headers = dict(headers)
        self._patience = patience
        self._advice = advice
        self._session = open_session(patience, repeatable=("GET", "PUT", "PATCH", "DELETE"))

    def get(self, path: str, **query: str | int) -> Answer:
        return self.send("GET", path, query=query)

    def send(self, method: str, path: str, body: Any = None, query: Mapping[str, str | int] | None = None) -> Answer:
        """Raises PublishError where the host refuses, or does not answer."""
        url = path if path.startswith(f"{self.base}/") else f"{self.base}{path}"
        response = self._follow(method, url, body, query)
        if not response.ok or response.status_code == HTTPStatus.NON_AUTHORITATIVE_INFORMATION:
            raise self._refusal(method, response)
        following = response.links.get("next", {}).get("url", "")
        return Answer(response.status_code, _json(response), following)

    def pages(self, path: str, **query: str | int) -> Iterator[Any]:
        """The entries of a list that is paged by `Link: rel="next"`."""
        answer = self.send("GET", path, query=query)
        for _ in range(_MOST_PAGES):
            yield from answer.value
            if not answer.next:
                return
            if not answer.next.startswith(f"{self.base}/"):
                raise PublishError(f"{host_of(self.base)} points to another place for the next page: not followed")
            answer = self.send("GET", answer.next)

    def _follow(self, method: str, url: str, body: Any, query: Mapping[str, str | int] | None) -> requests.Response:
        """The answer; a redirect is followed on the same host only (a repository that was renamed)."""
        for _ in range(_MOST_REDIRECTS):
            response = request(self._session, self._patience, method, url, body, self._headers, query)
            if not response.is_redirect:
                return response
            target = urljoin(url, response.headers["Location"])
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                raise PublishError(
                    f"{host_of(url)} redirects to {host_of(target)}: not followed, as the token is not for that host",
                    why="hosts send those whose token they do not take to a sign-in page",
                    advice=self._advice(HTTPStatus.UNAUTHORIZED) or "check the token",
                )
            url, query = target, None
        raise PublishError(f"{host_of(url)} redirects in a circle")

    def _refusal(self, method: str, response: requests.Response) -> PublishError:
        status = response.status_code
        doubtful = status >= HTTPStatus.INTERNAL_SERVER_ERROR and method == "POST"
        again = "run it again: it looks first whether it was done"
        where = urlsplit(response.url).path
        return PublishError(
            f"{host_of(response.url)} answered {status} to {method} {where}",
            why=_reason(response),
            advice=again if doubtful else self._advice(HTTPStatus.TOO_MANY_REQUESTS if _limited(response) else status),
            status=status,
        )


def open_session(patience: Patience, *, repeatable: tuple[str, ...]) -> requests.Session:
    """A session that retries by itself; proxies come from the environment."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    class Careful(Retry):
        """429 and 403 with Retry-After did nothing: these are sent again whatever the method."""

        def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
            if status_code == HTTPStatus.TOO_MANY_REQUESTS:
                return bool(self.total)
            if status_code == HTTPStatus.FORBIDDEN:
                return bool(self.total) and has_retry_after
            return super().is_retry(method, status_code, has_retry_after)

        def get_retry_after(self, response: Any) -> float | None:
            told = super().get_retry_after(response)
            return told if told is None else min(told, patience.longest)

    retry = Careful(
        total=patience.retries,
        backoff_factor=patience.backoff,
        status_forcelist=(502, 503, 504),
        allowed_methods=repeatable,
        redirect=False,
        raise_on_status=False,
    )
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def request(
    session: requests.Session,
    patience: Patience,
    method: str,
    url: str,
    body: Any,
    headers: Mapping[str, str],
    query: Mapping[str, str | int] | None = None,
) -> requests.Response:
    """One request, retried by the session. Raises PublishError where there is no answer; it names the host, no more:
    the words of the libraries hold whole addresses."""
    import requests

    def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers.update(headers)  # as `auth`, or a .netrc of the machine would put its own token in place
        return prepared

    try:
        return session.request(
            method,
            url,
            params=query,
            json=body,
            auth=sign if headers else None,
            headers={"User-Agent": "reconciler"},
            timeout=(patience.connect, patience.read),
            allow_redirects=False,
        )
    except requests.exceptions.SSLError:
        raise PublishError(
            f"{host_of(url)}: its certificate is not trusted here",
            advice="set REQUESTS_CA_BUNDLE to the CA file of your proxy or server",
        ) from None
    except requests.exceptions.Timeout:
        raise PublishError(f"{host_of(url)} did not answer in time") from None
    except requests.exceptions.ProxyError:
        raise PublishError(f"the proxy to {host_of(url)} cannot be reached", advice="check HTTPS_PROXY") from None
    except requests.exceptions.RequestException as error:
        raise PublishError(f"{host_of(url)} cannot be reached", why=type(error).__name__) from None


def _limited(response: requests.Response) -> bool:
    """GitHub says 403 of its limits, too (docs.github.com, "Rate limits for the REST API")."""
    spent = response.headers.get("x-ratelimit-remaining") == "0"
    return response.status_code == HTTPStatus.FORBIDDEN and (spent or "rate limit" in _reason(response).lower())


def _json(response: requests.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise PublishError(f"{host_of(response.url)} answered with something that is no JSON") from None


def _reason(response: requests.Response) -> str:
    """What the host says of it, in one line."""
    try:
        told = response.json()
    except ValueError:
        return response.reason or ""
    if not isinstance(told, dict):
        return ""
    message = told.get("message") or told.get("error_description") or told.get("error") or ""
    return " ".join(str(message).split())[:300]
