"""What a whisper network learned of telephone speech: a low-rank change of its weights, kept apart from them.

Whisper learned from wide-band recordings; of what simulated callers say in Mandarin through a line with noise it
mishears a fifth. `scripts/adapt_recognition.py` trains a small change of its encoder on speech that went through such
lines (LoRA: Hu et al., 2021). It is added to the weights when they are loaded, and costs nothing in a call.

The file is a `.npz` of float16: for each weight W of shape (outputs, inputs) `W|in`, (rank, inputs), and `W|out`,
(outputs, rank), whose product is added; and `fits`, which tells the network that it was made for.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.resources import models_dir
from detector.speech.network_file import NetworkFile, Variable

__all__ = ["Adaptation", "adaptation_file", "fingerprint"]

_IN, _OUT, _FITS = "|in", "|out", "fits"
_Factors = tuple[NDArray[np.float16], NDArray[np.float16]]


def adaptation_file() -> Path:
    """Return the change that ships with the detector."""
    return models_dir() / "telephone.npz"


def fingerprint(network: NetworkFile) -> str:
    """Return what tells a network from others of its shape: SHA-256 of its normalizations, whose weights are few."""
    digest = hashlib.sha256()
    for name in sorted(name for name in network.variables if "/layer_norm/" in name):
        digest.update(name.encode() + b"\0" + bytes(network.variables[name].content))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Adaptation:
    name: str
    """Tells one from another: a part of the file's hash."""
    fits: str
    """Fingerprint of the network that it was trained on."""
    factors: Mapping[str, _Factors]
    """By name of the weight: shapes (rank, inputs) and (outputs, rank)."""

    @classmethod
    def load(cls, path: Path) -> "Adaptation":
        """Read `path`. Raises ModelError naming it."""
        try:
            read = path.read_bytes()
            digest = hashlib.sha256(read).hexdigest()
            with np.load(io.BytesIO(read), allow_pickle=False) as content:
                names = [name.removesuffix(_IN) for name in content.files if name.endswith(_IN)]
                factors = {name: (content[name + _IN], content[name + _OUT]) for name in names}
                return cls(digest[:12], str(content[_FITS]), factors)
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
        except (BadZipFile, KeyError, ValueError, EOFError) as error:
            raise ModelError(f"{path}: is no change of a network ({error})") from error

    def save(self, path: Path) -> None:
        """Write it to `path`. Raises OSError."""
        arrays = {name + _IN: a for name, (a, _) in self.factors.items()}
        arrays |= {name + _OUT: b for name, (_, b) in self.factors.items()}
        np.savez(path, allow_pickle=False, **arrays, **{_FITS: np.array(self.fits)})

    def added_to(self, network: NetworkFile) -> NetworkFile:
        """Return `network` with the change, or as it is where it is another one than this was made for.

        Raises ValueError where the shapes do not fit.
        """
        if fingerprint(network) != self.fits:
            return network
        changed = {
            name: _changed(network.variables.get(name), name, *two) for name, two in self.factors.items()
        }
        return replace(network, variables={**network.variables, **changed})


def _changed(
    variable: Variable | None, name: str, a: NDArray[np.float16], b: NDArray[np.float16]
) -> Variable:
    if (
        variable is None
        or variable.sizes != (b.shape[0], a.shape[-1])
        or a.ndim != 2
        or b.shape[1:] != a.shape[:1]
    ):
        raise ValueError(f"the change of {name} does not fit")
    return variable.with_values(
        variable.values.astype(np.float32) + b.astype(np.float32) @ a.astype(np.float32)
    )
