"""The services, each as something that can be run: alone, or all in one process."""

from asyncio import TaskGroup
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from pydantic_settings import BaseSettings

from bus.keys import Keys
from bus.port import Bus
from deploy.settings import Settings, read
from services import intake, matching, screens, stats


class Service(Protocol):
    """What runs; those that answer HTTP have a router as well."""

    def ready(self) -> dict[str, str]:
        """Return what is not ready and why; {} when all is."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a service stands on."""

    settings: Settings
    log: Bus
    keys: Keys
    tasks: TaskGroup
    metrics: CollectorRegistry


@dataclass(frozen=True, slots=True)
class Part:
    """A service, its settings, and how it is started."""

    name: str
    settings: type[BaseSettings]
    running: Callable[[Ground], AbstractAsyncContextManager[Service]]


def router(service: Service) -> APIRouter | None:
    """Return a service's routes, if it has any."""
    found = getattr(service, "router", None)
    return found if isinstance(found, APIRouter) else None


def _intake(on: Ground) -> AbstractAsyncContextManager[Service]:
    settings = read(intake.Settings)
    return intake.running(on.log, on.keys, settings, on.tasks, metrics=on.metrics)


def _matching(on: Ground) -> AbstractAsyncContextManager[Service]:
    return matching.running(on.log, read(matching.Settings), on.tasks, metrics=on.metrics)


def _stats(on: Ground) -> AbstractAsyncContextManager[Service]:
    settings = read(stats.Settings, data=on.settings.data)
    return stats.running(on.log, settings, on.tasks, metrics=on.metrics)


def _screens(on: Ground) -> AbstractAsyncContextManager[Service]:
    settings = read(screens.Settings, data=on.settings.data)
    return screens.running(on.log, on.keys, settings, on.tasks, metrics=on.metrics)


INTAKE = Part("intake", intake.Settings, _intake)
MATCHING = Part("matching", matching.Settings, _matching)
STATS = Part("stats", stats.Settings, _stats)
SCREENS = Part("screens", screens.Settings, _screens)
PARTS = (INTAKE, MATCHING, STATS, SCREENS)
