"""The web application of one plan: routes, headers, and what is said when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.web import geography
from cleanhub.web.api import READ, RefusedError, api_router
from cleanhub.web.frames import as_csv, as_json
from cleanhub.web.pages import Pages
from cleanhub.web.payload import CSS, CSV, GEOJSON, HTML, JSON, Cache, Payload, answer, pack
from cleanhub.web.view import PlanView

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing from elsewhere. Styles may stand inline: the swatches of the report and the charts carry them."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MEDIA = {
    ".js": "text/javascript; charset=utf-8",
    ".css": CSS,
    ".txt": "text/plain; charset=utf-8",
    ".json": JSON,
}
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Guard:
    """Answers requests to a name of this machine only, and puts the headers on every answer.

    A page elsewhere that lets its own name point here (DNS rebinding) is refused.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str] = LOCAL_NAMES) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() not in self._names:
            refusal = Response("This server answers to a name of its own machine only.\n", 400)
            await refusal(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)


def create_app(view: PlanView) -> FastAPI:
    """The application that serves ``view``; read-only."""
    app = FastAPI(
        title="cleanhub", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )  # fmt: skip
    pages, cache = Pages(view), Cache()
    app.include_router(api_router(view, cache))
    _page_routes(app, pages, cache)
    _data_routes(app, view, pages, cache)
    _file_routes(app, view, pages, cache)
    _errors(app, pages)
    app.add_middleware(Guard)
    return app


def _html(cache: Cache, request: Request, make: Callable[[], str]) -> Response:
    return answer(request, cache.get(f"page{request.url.path}", lambda: pack(make(), HTML)))


def _page_routes(app: FastAPI, pages: Pages, cache: Cache) -> None:
    fixed = {
        "/": pages.overview,
        "/map": pages.map,
        "/projects": pages.projects,
        "/data": pages.data,
        "/data/sources": pages.sources,
        "/words": pages.words,
        "/limits": pages.limits,
    }
    for path, make in fixed.items():

        def show(request: Request, make: Callable[[], str] = make) -> Response:
            return _html(cache, request, make)

        app.add_route(path, show, methods=READ, include_in_schema=False)

    @app.api_route("/projects/{project}", methods=READ, include_in_schema=False)
    def project(request: Request, project: str) -> Response:
        """One project's page."""
        if project not in pages.view.project_names:
            raise RefusedError(404, f"There is no project {project} in this plan.")
        return _html(cache, request, lambda: pages.project(project))


def _data_routes(app: FastAPI, view: PlanView, pages: Pages, cache: Cache) -> None:
    @app.api_route("/data/{name}.csv", methods=READ, include_in_schema=False)
    def csv(request: Request, name: str) -> Response:
        """A table as CSV."""
        _known_table(view, name)
        return answer(
            request,
            cache.get(
                f"csv/{name}",
                lambda: pack(as_csv(view.plan.tables[name], PLAN_TABLES[name]), CSV, f"{name}.csv"),
            ),
        )

    @app.api_route("/data/{name}", methods=READ, include_in_schema=False)
    def table(request: Request, name: str) -> Response:
        """A table's page."""
        _known_table(view, name)
        return _html(cache, request, lambda: pages.table(name))

    @app.api_route("/map/{layer}.geojson", methods=READ, include_in_schema=False)
    def places(request: Request, layer: str) -> Response:
        """A layer of the map."""
        if layer not in geography.LAYERS:
            raise RefusedError(404, f"The map has no layer {layer}.")
        key = f"map/{layer}"
        return answer(request, cache.get(key, lambda: pack(geography.layer_bytes(view, layer), GEOJSON)))


def _known_table(view: PlanView, name: str) -> None:
    if not view.has(name):
        raise RefusedError(404, view.absence(name))


def static_files() -> dict[str, Payload]:
    """The built files, read once: only these names can be asked for."""
    folder = files("cleanhub.web") / "static"
    found = {}
    for file in folder.iterdir():
        suffix = f".{file.name.rsplit('.', 1)[-1]}"
        if file.is_file() and suffix in MEDIA:
            found[file.name] = pack(file.read_bytes(), MEDIA[suffix])
    return found


def _file_routes(app: FastAPI, view: PlanView, pages: Pages, cache: Cache) -> None:
    built = static_files()

    @app.api_route("/static/{name}", methods=READ, include_in_schema=False)
    def static(request: Request, name: str) -> Response:
        """A built file."""
        if name not in built:
            raise RefusedError(404, f"There is no file {name}.")
        return answer(request, built[name])

    @app.api_route("/style.css", methods=READ, include_in_schema=False)
    def style(request: Request) -> Response:
        """The style sheet."""
        return answer(request, cache.get("style", lambda: pack(pages.style(), CSS)))

    @app.api_route("/favicon.svg", methods=READ, include_in_schema=False)
    @app.api_route("/favicon.ico", methods=READ, include_in_schema=False)
    def favicon(request: Request) -> Response:
        """The mark of the pages."""
        return answer(request, cache.get("favicon", lambda: pack(pages.favicon(), "image/svg+xml")))


def _errors(app: FastAPI, pages: Pages) -> None:
    def said(request: Request, status: int, text: str, faults: list[dict[str, object]]) -> Response:
        if request.url.path.startswith("/api/"):
            return Response(as_json({"error": text, "faults": faults}), status, media_type=JSON)
        title = {404: "Not found", 405: "Not allowed", 422: "Bad request"}.get(status, "Something is wrong")
        return answer(request, pack(pages.missing(title, text), HTML), status)

    @app.exception_handler(RefusedError)
    def refused(request: Request, error: RefusedError) -> Response:
        return said(request, error.status, error.said, error.faults)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        texts = {404: "Nothing is at this address.", 405: "These pages can only be read."}
        return said(request, error.status_code, texts.get(error.status_code, str(error.detail)), [])

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        faults: list[dict[str, object]] = [
            {
                "field": ".".join(str(part) for part in one["loc"]),
                "what": str(one["msg"]),
                "found": json.loads(json.dumps(one.get("input"), default=str)),
            }
            for one in error.errors()
        ]
        return said(request, 422, "The query has faults.", faults)
