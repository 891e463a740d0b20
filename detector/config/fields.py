"""What the sections of the configuration share: strictness, paths beside the file, and secrets kept out of it."""

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo

from detector.errors import ConfigurationError

__all__ = ["BASE", "FromFile", "Section", "Sequence", "WithPassword", "beside_file"]

log = logging.getLogger(__name__)

BASE = "base"
"""Key of the validation context that holds the folder of the configuration file."""


class Section(BaseModel):
    """A table of the file: unknown keys and values of a wrong type are errors, nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def beside_file(value: object, info: ValidationInfo) -> object:
    """Turn a text into a path that starts at the folder of the configuration file, unless it is absolute."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise ValueError("must be a path, not an empty text")
    path = Path(value).expanduser()
    base: Path = (info.context or {}).get(BASE, Path())
    return path if path.is_absolute() else base / path


FromFile = Annotated[Path, BeforeValidator(beside_file)]
"""A path; a relative one starts at the folder of the configuration file."""

Sequence = Field(strict=False)
"""TOML knows arrays only: a tuple may come as a list. The items stay strict."""


class WithPassword(Section):
    """A section with a password, which stands in a file or in an environment variable, never in the configuration."""

    password_file: FromFile | None = None
    password_env: str | None = None

    def read_password(self, environ: Mapping[str, str], fallback: str) -> SecretStr | None:
        """Return the password from `password_env`, `password_file` or the variable `fallback`, in this order.

        Raises ConfigurationError where a named source is missing or empty.
        """
        if self.password_env is not None:
            value = environ.get(self.password_env, "")
            if not value:
                raise ConfigurationError(
                    f"password_env: the environment variable {self.password_env} is not set; export it"
                )
            return SecretStr(value)
        if self.password_file is not None:
            return SecretStr(_read_secret(self.password_file))
        value = environ.get(fallback, "")
        return SecretStr(value) if value else None


def _read_secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(f"password_file: {path} cannot be read ({reason})") from None
    if not text or "\n" in text:
        raise ConfigurationError(f"password_file: {path} must hold one line, the password")
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning("%s can be read by other users; run chmod 600 on it", path)
    return text
