"""A CTranslate2 whisper model with a part of its vocabulary, made from the files of the whole.

The rows of the embedding that are kept are kept as they are, so every token that is left gets the score that it had;
only the share of those that are gone is spread over the rest. What was learned of telephone speech is added on the way.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.speech.adaptation import Adaptation
from detector.speech.network_file import NetworkFile, Variable, read_network, write_network

__all__ = ["read_vocabulary", "write_narrowed"]

_ROWS = ("decoder/embeddings/", "decoder/projection/")
"""Variables of a row for each token begin so."""
_LISTS = ("lang_ids", "suppress_ids", "suppress_ids_begin")
"""Keys of config.json that hold ids of tokens."""
_LEAST_SHARE = 0.25
"""Of the decoder's weights that those rows must be: of larger models they are less, and a second copy of the network
costs more memory than a shorter step is worth."""


def read_vocabulary(folder: Path) -> list[str]:
    """Return the tokens of the model in `folder` by their ids. Raises OSError, ValueError where there are none."""
    content: Any = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    if not isinstance(content, list) or not all(isinstance(token, str) for token in content):
        raise ValueError("vocabulary.json is no list of tokens")
    return content


def write_narrowed(
    folder: Path, kept: Sequence[int], into: Path, adaptation: Adaptation | None = None
) -> bool:
    """Write the model in `folder` with the tokens `kept` (ids, ascending) alone to the folder `into`.

    `adaptation` is added where it was made for this network. Return False, and write nothing, where leaving tokens out
    would save little. Raises OSError, and ValueError where the files are not as they should be.
    """
    vocabulary = read_vocabulary(folder)
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    network = _narrow(read_network(folder / "model.bin"), kept, len(vocabulary))
    if network is None:
        return False
    if adaptation is not None:
        network = adaptation.added_to(network)
    places = {old: new for new, old in enumerate(kept)}
    for key in _LISTS:
        if key in config:
            config[key] = [places[token] for token in config[key] if token in places]
    write_network(network, into / "model.bin")
    (into / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (into / "vocabulary.json").write_text(json.dumps([vocabulary[token] for token in kept]), encoding="utf-8")
    return True


def _narrow(network: NetworkFile, kept: Sequence[int], tokens: int) -> NetworkFile | None:
    decoder = sum(len(one.content) for name, one in network.variables.items() if name.startswith("decoder/"))
    variables = dict(network.variables)
    saved = 0
    for name, variable in network.variables.items():
        if name.startswith(_ROWS) and variable.sizes[:1] == (tokens,):
            variables[name] = _rows(variable, kept)
            saved += len(variable.content)
    if not saved:
        raise ValueError("model.bin has no row for each token")
    return replace(network, variables=variables) if saved >= _LEAST_SHARE * decoder else None


def _rows(variable: Variable, kept: Sequence[int]) -> Variable:
    size = len(variable.content) // variable.sizes[0]
    content = b"".join(variable.content[row * size : (row + 1) * size] for row in kept)
    return Variable((len(kept), *variable.sizes[1:]), variable.type, content)
