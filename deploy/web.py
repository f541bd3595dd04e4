"""One HTTP app over the routes of all services in this process."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from deploy.parts import Service, router
from services.intake import problems


def registry() -> CollectorRegistry:
    """Return a registry of this process's own, with what can be told about the process."""
    found = CollectorRegistry()
    ProcessCollector(registry=found)
    PlatformCollector(registry=found)
    GCCollector(registry=found)
    return found


def web(services: Sequence[Service], metrics: CollectorRegistry) -> FastAPI:
    """Return the app."""
    app = FastAPI(
        title="Yizhan 驿站",
        summary="What stations did for whom, counted as it happens.",
        version=version("yizhan"),
        # Their pages load scripts from elsewhere; /openapi.json is enough.
        docs_url=None,
        redoc_url=None,
    )
    for service in services:
        if (routes := router(service)) is not None:
            app.include_router(routes)
    problems(app)
    _state(app, services, metrics)
    return app


def unready(services: Sequence[Service]) -> dict[str, str]:
    """Return what is not ready and why, of all services."""
    return {name: why for service in services for name, why in service.ready().items()}


def _state(app: FastAPI, services: Sequence[Service], metrics: CollectorRegistry) -> None:
    ready = Gauge("yizhan_ready", "Whether /readyz says so.", registry=metrics)
    ready.set_function(lambda: not unready(services))

    @app.get("/livez", tags=["state"])
    async def livez() -> Mapping[str, str]:
        """Tell that the process answers."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["state"], responses={503: {"description": "what is not ready"}})
    async def readyz() -> JSONResponse:
        """Tell whether everything here can do its work, or what cannot and why."""
        missing = unready(services)
        status = "not ready" if missing else "ready"
        return JSONResponse({"status": status, "missing": missing}, 503 if missing else 200)

    @app.get("/metrics", tags=["state"], response_class=Response)
    async def show_metrics() -> Response:
        """Tell Prometheus."""
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)
