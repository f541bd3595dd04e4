"""The services, each as something that can be run: alone, or all in one process.

A service is imported when it is first needed: a process, or a command, that runs one of them does
not wait for the libraries of the others.
"""

from asyncio import TaskGroup
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from pydantic_settings import BaseSettings

from bus.keys import Keys
from bus.port import Bus
from deploy.settings import Settings, read


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
    """A service, and how it is started."""

    name: str
    running: Callable[[Ground], AbstractAsyncContextManager[Service]]

    def settings(self) -> type[BaseSettings]:
        """Return what can be set about it."""
        found: type[BaseSettings] = import_module(f"services.{self.name}").Settings
        return found


def router(service: Service) -> APIRouter | None:
    """Return a service's routes, if it has any."""
    found = getattr(service, "router", None)
    return found if isinstance(found, APIRouter) else None


def _intake(on: Ground) -> AbstractAsyncContextManager[Service]:
    from services import intake

    settings = read(intake.Settings)
    return intake.running(on.log, on.keys, settings, on.tasks, metrics=on.metrics)


def _matching(on: Ground) -> AbstractAsyncContextManager[Service]:
    from services import matching

    return matching.running(on.log, read(matching.Settings), on.tasks, metrics=on.metrics)


def _stats(on: Ground) -> AbstractAsyncContextManager[Service]:
    from services import stats

    settings = read(stats.Settings, data=on.settings.data)
    return stats.running(on.log, settings, on.tasks, metrics=on.metrics)


def _screens(on: Ground) -> AbstractAsyncContextManager[Service]:
    from services import screens

    settings = read(screens.Settings, data=on.settings.data)
    return screens.running(on.log, on.keys, settings, on.tasks, metrics=on.metrics)


INTAKE = Part("intake", _intake)
MATCHING = Part("matching", _matching)
STATS = Part("stats", _stats)
SCREENS = Part("screens", _screens)
PARTS = (INTAKE, MATCHING, STATS, SCREENS)
