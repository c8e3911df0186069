"""What a desk answers: the page, who somebody is, the state, the stream, journals, actions.

    app = application(desk, guard)        one for each plane

    GET  /  /static/...                   the page; nothing in it is secret
    GET  /api/me                          who is logged in
    POST /api/login  /api/logout
    GET  /api/state  /api/stream  /api/rollouts  /api/alerts
    GET  /api/journal?runner=&text=&kind=&from=&limit=
    POST /api/act                         control plane only
    POST /api/alerts/acknowledge          control plane only

Errors are {"what", "where", "do"} with a fitting code. Whatever takes long (argon2, a disk, a
runner that is asked) is done in threads beside the event loop. Worst case: SEARCHES_MAX searches
at once; the others wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from hftlib.core.errors import HftError
from hftlib.ops.desk.answers import refusal
from hftlib.ops.desk.guarding import Guard
from hftlib.ops.desk.handling import Desk, Handling
from hftlib.ops.desk.requests import body_of
from hftlib.ops.desk.statics import Statics
from hftlib.ops.desk.streaming import Stream
from hftlib.ops.desk.watching import compact

SEARCHES_MAX = 2


def application(desk: Desk, guard: Guard) -> Any:
    """The application of one plane."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    handling, searches = Handling(desk, guard), asyncio.Semaphore(SEARCHES_MAX)
    _pages(app, Statics())
    _people(app, handling)
    _looks(app, handling, searches)
    _acts(app, handling)
    app.add_exception_handler(HftError, _refused)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(Exception, _fault)
    return app


def _pages(app: FastAPI, statics: Statics) -> None:
    @app.get("/")
    async def page() -> Response:
        return statics.answer("index.html")

    @app.get("/static/{path:path}")
    async def static(path: str) -> Response:
        return statics.answer(path)


def _people(app: FastAPI, handling: Handling) -> None:
    @app.get("/api/me")
    async def me(request: Request) -> Response:
        return _json(handling.me(request))

    @app.post("/api/login")
    async def login(request: Request) -> Response:
        handling.guard.require_own_page(request, acts=True)
        body = await body_of(request)
        cookie, told = await run_in_threadpool(handling.login, request, body)
        answer = _json(told)
        answer.set_cookie(
            handling.guard.cookie_name,
            cookie,
            path="/",
            secure=handling.guard.is_tls,
            httponly=True,
            samesite="strict",
        )
        return answer

    @app.post("/api/logout")
    async def logout(request: Request) -> Response:
        told = await run_in_threadpool(handling.logout, request)
        answer = _json(told)
        answer.delete_cookie(handling.guard.cookie_name, path="/", secure=handling.guard.is_tls)
        return answer


def _looks(app: FastAPI, handling: Handling, searches: asyncio.Semaphore) -> None:
    watch = handling.desk.watch

    @app.get("/api/state")
    async def state(request: Request) -> Response:
        await run_in_threadpool(handling.looks, request, "state")
        return Response(watch.latest()[1], media_type="application/json")

    @app.get("/api/stream")
    async def stream(request: Request) -> Response:
        await run_in_threadpool(handling.looks, request, "stream")
        return Stream(handling.desk.feed, lambda: handling.is_welcome(request))

    @app.get("/api/rollouts")
    async def rollouts(request: Request) -> Response:
        await run_in_threadpool(handling.looks, request, "rollouts")
        return _json(watch.state()["rollouts"])

    @app.get("/api/alerts")
    async def alerts(request: Request) -> Response:
        await run_in_threadpool(handling.looks, request, "alerts")
        return _json(watch.state()["alerts"])

    @app.get("/api/journal")
    async def journal(request: Request) -> Response:
        async with searches:
            return _json(await run_in_threadpool(handling.search, request))


def _acts(app: FastAPI, handling: Handling) -> None:
    @app.post("/api/act")
    async def act(request: Request) -> Response:
        return _json(await run_in_threadpool(handling.act, request, await body_of(request)))

    @app.post("/api/alerts/acknowledge")
    async def acknowledge(request: Request) -> Response:
        body = await body_of(request)
        return _json(await run_in_threadpool(handling.acknowledge, request, body))


def _json(told: Any) -> Response:
    return Response(compact(told), media_type="application/json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HftError)
    code, told = refusal(error)
    wait = getattr(error, "wait_s", 0.0)
    headers = {"retry-after": str(int(wait) + 1)} if wait else {}
    return JSONResponse(told, status_code=code, headers=headers)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = "There is nothing here" if error.status_code == 404 else "It is not asked so"
    told = {"what": what, "where": request.url.path[:100], "do": "docs/desk.md says what there is."}
    return JSONResponse(told, status_code=error.status_code)


async def _fault(request: Request, error: Exception) -> Response:
    """A fault of ours: its kind in the log of the process, and nothing that was said."""
    logging.getLogger("hftlib.desk").error("%s in %s", type(error).__name__, request.url.path[:100])
    told = {
        "what": "The desk failed where it should not",
        "where": time.strftime("%H:%M:%S"),
        "do": "In an emergency `hft kill` at the host needs no desk. Please report this.",
    }
    return JSONResponse(told, status_code=500)
