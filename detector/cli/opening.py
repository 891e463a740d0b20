"""Opening the store for commands that only look at it, or take something away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from detector.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from detector.config.settings import Settings
    from detector.stores.store import Store

__all__ = ["existing_store_url", "is_missing", "open_existing"]


def open_existing(config: Path) -> tuple[Store, Settings]:
    """Open the store of a configuration. Raises InputError where there is none yet."""
    from detector.config import load_settings
    from detector.stores.store import Store

    settings = load_settings(config)
    return Store(existing_store_url(settings), recordings=settings.store.recordings), settings


def existing_store_url(settings: Settings) -> URL:
    """Return where the store is. Raises InputError where there is none yet: looking at it must not make it."""
    from detector.config.options import store_url

    url = store_url(settings, os.environ)
    if is_missing(url):
        raise InputError(f"{url.database}: no such store yet; the service makes it when it first starts")
    return url


def is_missing(url: URL) -> bool:
    """Tell whether opening this store would make its file."""
    in_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return in_file and not Path(str(url.database)).exists()
